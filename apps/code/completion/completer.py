"""Gaps to the engine's requests, and what the engine wrote to suggestions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Protocol

from apps.code.completion.context import fim_prompt
from apps.code.completion.detection import detect
from apps.code.completion.ending import GapEnding
from apps.code.completion.finishing import Finishing
from apps.code.completion.fitting import Fit
from apps.code.completion.gap import Gap
from apps.code.completion.healing import GapConstraint, half_word
from apps.code.completion.recall import Recall
from apps.code.completion.shape import shape_at
from apps.code.constraints import Constraints, served_language
from core_model.engine import Engine
from core_model.generation import Generation
from core_model.requests import Completion, GenerationRequest, Piece, SamplingParams

ALTERNATIVE_TEMPERATURE = 0.6
"""Of the second and further alternatives where the first is the likeliest text."""


_PATIENCE = 60_000
"""Characters read to find out whether the file can be made whole, 0.1 s: of a part of a file it cannot."""


class Suggestion(Protocol):
    """One suggestion on its way. What the iteration gives is certain, so it comes when the suggestion is finished."""

    def __aiter__(self) -> AsyncIterator[Piece]:
        """All of it, in one piece."""

    def drafted(self) -> Iterator[str]:
        """The text as it is written; what is suggested in the end may be less."""

    def result(self) -> Completion:
        """Wait for the end. Its text is empty where nothing is worth saying; raises what went wrong in the engine."""

    def cancel(self) -> None:
        """Stop the work before the next step."""


class _Known:
    """A suggestion that is there already."""

    def __init__(self, completion: Completion) -> None:
        self._completion = completion

    async def __aiter__(self) -> AsyncIterator[Piece]:
        yield Piece(self._completion.text, self._completion.tokens, [])

    def drafted(self) -> Iterator[str]:
        yield self._completion.text

    def result(self) -> Completion:
        return self._completion

    def cancel(self) -> None:
        """There is nothing to stop."""


class _Written:
    """A suggestion that the engine writes."""

    def __init__(
        self, generation: Generation, begun: str, finish: Callable[[Completion], Completion]
    ) -> None:
        self._generation = generation
        self._begun = begun
        self._finish = finish
        self._completion: Completion | None = None

    def drafted(self) -> Iterator[str]:
        said, told = "", len(self._begun)
        for piece in self._generation:
            said += piece.text
            if len(said) > told:
                yield said[told:]
                told = len(said)

    async def __aiter__(self) -> AsyncIterator[Piece]:
        await self._generation.aresult()
        end = await asyncio.to_thread(self.result)
        if end.text:
            yield Piece(end.text, end.tokens, end.logprobs)

    def result(self) -> Completion:
        if self._completion is None:
            self._completion = self._finish(self._generation.result())
        return self._completion

    def cancel(self) -> None:
        self._generation.cancel()


class Completer:
    """Fills gaps with one engine. Shared by all requests."""

    def __init__(self, engine: Engine, adapter: str | None = None, grammar: bool = True) -> None:
        """`grammar=False` lets the model write what does not parse, to measure what the constraint does."""
        self._engine = engine
        self._adapter = adapter
        self._constraints = Constraints(engine.tokenizer) if grammar else None
        self._recall = Recall()

    def submit(self, gap: Gap) -> list[Suggestion]:
        """Start as many suggestions as there are to be alternatives.

        Takes some milliseconds, longer for long files. Raises LanguageNotServedError, and RequestError for a model that
        cannot fill in.
        """
        language = self.language_of(gap)
        if (rest := self._recall.rest(gap)) is not None and gap.alternatives == 1:
            return [_Known(self._known(gap, rest, language))]
        begun = half_word(gap.prefix)
        before = gap.prefix[: len(gap.prefix) - len(begun)]
        prompt = fim_prompt(self._engine.tokenizer, before, gap.suffix, gap.files, gap.prompt_tokens)
        constraint = self._constraint(language, before, begun, gap)
        whole = constraint is not None and constraint.whole
        shape = shape_at(gap.prefix, gap.suffix, language)
        suggestions: list[Suggestion] = []
        for number in range(gap.alternatives):
            fit = Fit(gap.prefix, gap.suffix, language, whole)
            ending = GapEnding(gap.prefix, gap.suffix, begun, shape, fit, gap.indentation)
            request = GenerationRequest(
                prompt,
                _sampling(gap, number),
                window=gap.window,
                adapter=self._adapter,
                constraint=constraint.fork() if constraint else None,
                ending=ending,
                deadline_s=gap.deadline_s,
                decode_s=gap.decode_s,
                background=not gap.sampling.max_tokens,
            )
            finish = self._finish(
                gap,
                Finishing(
                    gap,
                    begun,
                    fit,
                    ending,
                    self._engine.tokenizer,
                    constraint is not None and constraint.in_grammar,
                ),
                remember=not number,
            )
            try:
                suggestions.append(_Written(self._engine.submit(request), begun, finish))
            except BaseException:
                for suggestion in suggestions:
                    suggestion.cancel()
                raise
        return suggestions

    def _finish(self, gap: Gap, finishing: Finishing, remember: bool) -> Callable[[Completion], Completion]:
        def finish(written: Completion) -> Completion:
            finished = finishing(written)
            if remember and finished.finish_reason in ("stop", "length"):
                self._recall.keep(gap, finished.text)
            return finished

        return finish

    def _known(self, gap: Gap, text: str, language: str | None) -> Completion:
        fit = Fit(gap.prefix, gap.suffix, language, whole=True)
        return Completion(
            text=text,
            tokens=self._engine.tokenizer.encode(text),
            complete=fit.parses(text) if language is not None else None,
        )

    def language_of(self, gap: Gap) -> str | None:
        """The language of the file with the gap, None where it is none of ours. Raises LanguageNotServedError."""
        if gap.language is not None:
            return served_language(gap.language)
        return detect(gap.prefix, gap.suffix, gap.filename, [file.name for file in gap.files])

    def _constraint(self, language: str | None, before: str, begun: str, gap: Gap) -> GapConstraint | None:
        """What may be written; nothing is, where the context is only read."""
        if not gap.sampling.max_tokens:
            return None
        grammar = None
        if self._constraints is not None and language is not None:
            grammar = self._constraints.program(language, before, gap.suffix, _PATIENCE)
        return GapConstraint(self._engine.tokenizer, begun, grammar)


def _sampling(gap: Gap, number: int) -> SamplingParams:
    sampling = replace(gap.sampling, logprobs=gap.sampling.logprobs or 0)
    if number:
        temperature = sampling.temperature or ALTERNATIVE_TEMPERATURE
        seed = number if sampling.seed is None else (sampling.seed + number) % 2**63
        sampling = replace(sampling, temperature=temperature, seed=seed)
    return sampling
