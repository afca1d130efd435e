"""Chat answers and plain continuations that are code, as requests to the engine; for gaps see `completion`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from apps.code.constraints import Constraints
from core_model.answer_shape import AnswerShape
from core_model.constraint import Constraint
from core_model.errors import RequestError
from core_model.requests import GenerationRequest, SamplingParams
from core_model.tokenizer import Message, Tokenizer
from core_model.tool_calls import encode_with_tools


class CodeRequests:
    """Puts prompt, constraint and stop strings together for the tokens of one model."""

    def __init__(
        self, tokenizer: Tokenizer, check: Callable[[list[int]], None] = lambda tokens: None
    ) -> None:
        """`check` refuses a prompt that the model cannot read, before a grammar reads it."""
        self._tokenizer = tokenizer
        self._check = check
        self._constraints = Constraints(tokenizer)

    def chat(
        self,
        messages: list[Message],
        samplings: list[SamplingParams],
        language: str | None = None,
        fences: bool = False,
        shape: AnswerShape | None = None,
    ) -> list[GenerationRequest]:
        """One answer to a conversation for each way to draw: a program where a language is named, or of a `shape`.

        With `fences` the code inside an answer's fenced blocks parses. Raises LanguageNotServedError, RequestError.
        """
        if shape is not None and language is not None:
            raise RequestError(
                "an answer is code alone or of another form, not both: leave out language", "language"
            )
        prompt = encode_with_tools(self._tokenizer, messages, shape.tools if shape is not None else ())
        if shape is not None:
            return _drawn(prompt, samplings, shape.constraint(self._tokenizer))
        if language is None:
            return _drawn(prompt, samplings, self._constraints.fenced() if fences else None)
        block = self._constraints.block(language)
        ended = [replace(sampling, stop=(*sampling.stop, block.end)) for sampling in samplings]
        return _drawn(prompt + self._tokenizer.encode(block.opening), ended, block.constraint)

    def continuation(
        self, prompt: str | list[int], samplings: list[SamplingParams], language: str | None = None
    ) -> list[GenerationRequest]:
        """What follows a text or its tokens; with a language both together are a program, where one begins like this.

        Special tokens in the text are meant as such. Raises LanguageNotServedError.
        """
        tokens = self._tokenizer.encode_with_special(prompt) if isinstance(prompt, str) else prompt
        if language is None:
            return _drawn(tokens, samplings, None)
        self._check(tokens)
        text = prompt if isinstance(prompt, str) else self._tokenizer.decode(prompt)
        return _drawn(tokens, samplings, self._constraints.program(language, text))


def _drawn(
    prompt: list[int], samplings: list[SamplingParams], constraint: Constraint | None
) -> list[GenerationRequest]:
    """What is only read, into the cache, waits for everything else and is under no constraint."""
    return [
        GenerationRequest(
            prompt,
            sampling,
            constraint=constraint.fork() if constraint and sampling.max_tokens else None,
            background=not sampling.max_tokens,
        )
        for sampling in samplings
    ]
