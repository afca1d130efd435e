"""One draft: a prompt, the model, and a code block that the prefill has opened."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.prompts import ChatPromptTemplate

from apps.code.answers import Token
from apps.code.constraints import Constraints
from apps.code.declarations import with_declarations
from apps.code.naming import in_habits
from apps.code.prompts import END_OF_BLOCK, fence
from core_model.chat_model import DuetChatModel

# What models like to add to a function that they were to finish: the user has no use for it, it costs as
# many tokens as the function, and in a program of the user's it would run.
_DEMONSTRATIONS = {
    "python": ("\nprint(", "\nassert ", "\nif __name__", "\n# Example", "\n# Test"),
    "java": ("\npublic class Main", "\nclass Main"),
    "cpp": ("\nint main(",),
}


@dataclass(frozen=True)
class Draft:
    """Code, and what it cost."""

    code: str
    tokens: int
    finish_reason: str


@dataclass(frozen=True)
class Drafting:
    """How drafts of one answer are made.

    `start` is code that each begins with; imports and declarations that it lacks are added (`declarations.py`).
    Without `constraints` a draft is just what the model wrote.
    """

    model: DuetChatModel
    constraints: Constraints | None
    language: str
    start: str
    max_tokens: int
    habits: bool = False  # its own names are put into the form that is usual in the language
    free: bool = False  # drawn without the grammar, which does not know all of a language

    def stream(
        self, prompt: ChatPromptTemplate, inputs: dict[str, str], temperature: float, seed: int
    ) -> Generator[str, None, Draft]:
        """Yields the code as it comes, the start included; returns the whole."""
        held = self.constraints if not self.free else None
        block = held.block(self.language, self.start) if held else None
        chain = prompt | self.model.bind(
            prefill=fence(self.language) + self.start,
            constraint=(lambda: block.constraint) if block else None,
            stop=[END_OF_BLOCK, *self._demonstrations()],
            max_tokens=self.max_tokens,
            temperature=temperature,
            seed=seed,
        )
        said = ""
        last: AIMessage = AIMessageChunk(content="")
        if self.start:
            yield self.start
        for chunk in chain.stream(inputs):
            # Without a constraint: the stop string begins with a newline, which a start that ends a line has taken.
            if chunk.text and not (said + chunk.text).startswith(END_OF_BLOCK.strip()):
                yield chunk.text
            said += chunk.text
            last = chunk
        if said.startswith(END_OF_BLOCK.strip()):
            said = ""
        tokens = last.usage_metadata["output_tokens"] if last.usage_metadata else 0
        reason = last.response_metadata.get("finish_reason", "stop")
        code = (self.start + said).rstrip() + "\n"
        if self.constraints:
            named = in_habits(code, self.language, self.start) if self.habits else code
            code = with_declarations(named, self.language)
        return Draft(code, tokens, reason)

    def whole(
        self, prompt: ChatPromptTemplate, inputs: dict[str, str], temperature: float, seed: int
    ) -> Draft:
        """A draft that nobody watches."""
        return drawn(self.stream(prompt, inputs, temperature, seed))

    def _demonstrations(self) -> list[str]:
        """Where an answer that the user began ends, but for what the beginning itself contains."""
        if not self.start:
            return []
        return [stop for stop in _DEMONSTRATIONS[self.language] if stop.strip() not in self.start]


def as_tokens(stream: Generator[str, None, Draft]) -> Generator[Token, None, Draft]:
    """A draft as events, while it comes."""
    try:
        while True:
            yield Token(next(stream))
    except StopIteration as end:
        draft: Draft = end.value
        return draft
    finally:
        stream.close()


def drawn(stream: Generator[str, None, Draft]) -> Draft:
    """A draft, once it is there."""
    tokens = as_tokens(stream)
    try:
        while True:
            next(tokens)
    except StopIteration as end:
        draft: Draft = end.value
        return draft
    finally:
        tokens.close()
