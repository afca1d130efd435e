"""From the notes of a turn to the words of the reply, streamed.

The model puts the notes into its own words under the grounding constraint. Facts that the customer must hear
and that are missing at the end get one more draw of their own; what is still missing then is said by the
written sentence itself. A reply is streamed, so what was said stays: both only ever add to it.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable

from apps.support.replies.allowed_figures import AllowedFigures
from apps.support.replies.facts import Fact, missing
from apps.support.replies.grounding import Grounding
from apps.support.replies.prompt import Exchange, adapter_opening, opening_messages, turn_prompt
from apps.support.replies.sentences import Note
from apps.support.words import Language
from core_model import DuetChatModel

Source = Literal["model", "second_draw", "last_resort", "written"]
_EFFORT: tuple[Source, ...] = ("written", "model", "second_draw", "last_resort")
MOST_TOKENS = 160
SENTENCES_OF_COURTESY = 2
"""What an adapter may say beside the notes: "Thanks for your message." and "Is there anything else?"."""

_CHINESE_STOPS = ("。", "！", "？")
_END_OF_SENTENCE = re.compile(r"[.!?](?=\s)|[。！？]")


@dataclass
class Spoken:
    """What was said and how: for the trace and for the next turn's prompt."""

    prompt: str
    text: str = ""
    source: Source = "written"
    draws: int = 0
    missing: list[str] = field(default_factory=list)  # facts that the draws left out

    def add(self, other: Spoken) -> None:
        """What was said next of the same reply, which is known by the part that was hardest to get said."""
        self.text += other.text
        self.source = max(self.source, other.source, key=_EFFORT.index)
        self.draws += other.draws
        self.missing.extend(other.missing)


class ReplyWriter:
    """Streams replies through one chat model; holds no conversation.

    An adapter was taught what the bare model is shown: it gets no examples and no earlier turns, and it ends
    its replies itself.
    """

    def __init__(
        self,
        chat_model: DuetChatModel,
        *,
        window: int = 512,
        adapter: str | None = None,
        most_tokens: int = MOST_TOKENS,
        grounded: bool = True,
    ) -> None:
        """`grounded=False` lets the model state what it likes: for comparison only."""
        self._grounded = grounded
        self._tokens = chat_model.engine.tokenizer
        self.adapter = adapter
        prompt = ChatPromptTemplate.from_messages(
            [MessagesPlaceholder("opening"), MessagesPlaceholder("segment"), MessagesPlaceholder("turn")]
        )
        self._prompt: Runnable[dict[str, list[BaseMessage]], object] = prompt
        self._model = chat_model.bind(window=window, adapter=adapter, max_tokens=most_tokens)

    def stream(
        self, notes: Sequence[Note], message: str, language: Language, segment: Sequence[Exchange]
    ) -> Generator[str, None, Spoken]:
        """Yield the reply's pieces; the generator's value is what was said."""
        spoken = Spoken(turn_prompt(notes, message, language))
        pending = list(notes)
        facts = [fact for note in notes for fact in note.facts]
        left_out: list[Fact] = []
        for draw, temperature in enumerate((0.0, 0.5), start=1):
            spoken.draws = draw
            prompt = spoken.prompt if draw == 1 else turn_prompt(pending, message, language)
            yield from self._draw(spoken, prompt, pending, language, segment, temperature)
            left_out = missing(facts, spoken.text)
            if not left_out and spoken.text.strip():
                spoken.source = "model" if draw == 1 else "second_draw"
                return spoken
            spoken.missing.extend(fact.name for fact in left_out)
            pending = _notes_with(left_out, notes) or list(notes)
        spoken.source = "last_resort"
        sentence = _opening(spoken, " ".join(note.text for note in pending))
        spoken.text += sentence
        yield sentence
        return spoken

    def _draw(
        self,
        spoken: Spoken,
        prompt: str,
        notes: Sequence[Note],
        language: Language,
        segment: Sequence[Exchange],
        temperature: float,
    ) -> Generator[str, None, None]:
        allowed = AllowedFigures.of(notes)
        model = self._model.bind(
            temperature=temperature,
            constraint=(lambda: Grounding(allowed, self._tokens)) if self._grounded else None,
        )
        chain = self._prompt | model | StrOutputParser()
        begun = len(spoken.text)
        for piece in chain.stream(self._messages(prompt, language, segment)):
            text = piece if len(spoken.text) > begun else _opening(spoken, piece)
            at_an_end = _END_OF_SENTENCE.search(f"{spoken.text[-1:]}{text[:1]}") is not None
            if at_an_end and self._has_said_enough(spoken.text, f"{spoken.text[begun:]}{text[:1]}", notes):
                # An English sentence is known to end by the space after its stop, a Chinese one by the stop itself.
                if text[:1] in _CHINESE_STOPS:
                    spoken.text += text[:1]
                    yield text[:1]
                return
            if text:
                spoken.text += text
                yield text

    def _messages(
        self, prompt: str, language: Language, segment: Sequence[Exchange]
    ) -> dict[str, list[BaseMessage]]:
        turn: list[BaseMessage] = [HumanMessage(prompt)]
        if self.adapter is not None:
            return {"opening": adapter_opening(language), "segment": [], "turn": turn}
        before: list[BaseMessage] = []
        for exchange in segment:
            before += [HumanMessage(exchange.prompt), AIMessage(exchange.reply)]
        return {"opening": opening_messages(language), "segment": before, "turn": turn}

    def _has_said_enough(self, said: str, drawn: str, notes: Sequence[Note]) -> bool:
        """Whether the draw may end with the sentence that `drawn` ends with."""
        sentences = len(_END_OF_SENTENCE.findall(drawn))
        if self.adapter is not None:
            given = sum(max(1, len(_END_OF_SENTENCE.findall(f"{note.text} "))) for note in notes)
            return sentences > given + SENTENCES_OF_COURTESY
        # What a small model adds once the facts are told is invention: the reply ends there.
        facts = [fact for note in notes for fact in note.facts]
        return sentences > len(notes) or not missing(facts, said)


def _opening(spoken: Spoken, piece: str) -> str:
    """The first piece of a draw or sentence, set apart from what was said before."""
    text = piece.lstrip()
    return f" {text}" if text and spoken.text and not spoken.text[-1].isspace() else text


def _notes_with(facts: Sequence[Fact], notes: Sequence[Note]) -> list[Note]:
    return [note for note in notes if any(fact in facts for fact in note.facts)]
