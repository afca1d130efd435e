"""Gaps to the engine's requests, and what the engine wrote to suggestions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from apps.code.completion.context import fim_prompt
from apps.code.completion.detection import detect
from apps.code.completion.ending import GapEnding
from apps.code.completion.finishing import Finishing
from apps.code.completion.fitting import Fit
from apps.code.completion.gap import Gap, Room
from apps.code.completion.healing import GapConstraint, half_word, spellings
from apps.code.completion.recall import Recall
from apps.code.completion.shape import Shape, shape_at
from apps.code.completion.suggestion import Known, Suggestion, Written
from apps.code.constraints import Constraints, served_language
from apps.code.grammar.constraint import GrammarConstraint
from core_model.engine import Engine
from core_model.requests import Completion, GenerationRequest, SamplingParams

ALTERNATIVE_TEMPERATURE = 0.6
"""Of the second and further alternatives where the first is the likeliest text."""
REST_OF_LINE, NEW_LINES = Room(before=416, after=256), Room(before=768, after=256)
"""What pays: for the rest of a line more before it wins nothing, for new lines it does (docs/code.md)."""
_PATIENCE = 60_000
"""Characters read to find out whether the file can be made whole, 0.1 s: of a part of a file it cannot."""


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
        if gap.alternatives == 1 and (rest := self._recall.rest(gap)) is not None:
            return [Known(self._recalled(gap, rest, language))]
        begun = half_word(gap.prefix)
        before = gap.prefix[: len(gap.prefix) - len(begun)]
        shape = shape_at(gap.prefix, gap.suffix, language)
        begins = shape is Shape.BLOCK or not gap.prefix.rpartition("\n")[2].strip()
        room = gap.room or (NEW_LINES if begins else REST_OF_LINE)
        request = GenerationRequest(
            fim_prompt(self._engine.tokenizer, before, gap.suffix, gap.files, room, language),
            replace(gap.sampling, logprobs=gap.sampling.logprobs or 0),
            window=gap.window,
            adapter=self._adapter,
            owner=gap.owner,
            deadline_s=gap.deadline_s,
            decode_s=gap.decode_s,
            background=not gap.sampling.max_tokens,
        )
        constraint = self._constraint(language, before, begun, gap)
        suggestions: list[Suggestion] = []
        try:
            for number in range(gap.alternatives):
                suggestions.append(self._start(number, gap, request, begun, constraint, shape, language))
        except BaseException:
            for suggestion in suggestions:
                suggestion.cancel()
            raise
        return suggestions

    def language_of(self, gap: Gap) -> str | None:
        """The language of the file with the gap, None where it is none of ours. Raises LanguageNotServedError."""
        if gap.language is not None:
            return served_language(gap.language)
        return detect(gap.prefix, gap.suffix, gap.filename, [file.name for file in gap.files])

    def _start(
        self,
        number: int,
        gap: Gap,
        request: GenerationRequest,
        begun: str,
        constraint: GapConstraint | None,
        shape: Shape,
        language: str | None,
    ) -> Suggestion:
        """One of the alternatives: the first as it is asked for, the others by chance."""
        fit = Fit(gap.prefix, gap.suffix, language, constraint is not None and constraint.whole)
        ending = GapEnding(gap.prefix, gap.suffix, begun, shape, fit, gap.indentation)

        def program(text: str) -> GrammarConstraint | None:
            return self._program(language, gap.prefix + text, gap.suffix)

        finishing = Finishing(gap, begun, fit, ending, self._engine.tokenizer, constraint, program)
        request = replace(
            request,
            sampling=_drawn_otherwise(request.sampling, number) if number else request.sampling,
            constraint=constraint.fork() if constraint is not None else None,
            ending=ending,
        )
        finish = finishing if number else self._remembering(gap, finishing)
        return Written(self._engine.submit(request), begun, finish)

    def _constraint(self, language: str | None, before: str, begun: str, gap: Gap) -> GapConstraint | None:
        """What may be written; nothing is, where the context is only read."""
        if not gap.sampling.max_tokens:
            return None
        grammar = self._program(language, before, gap.suffix)
        tokenizer = self._engine.tokenizer
        known = spellings(tokenizer, begun, before + gap.suffix)
        return GapConstraint(tokenizer, begun, grammar, before[-1:] in (" ", "\t"), known)

    def _program(self, language: str | None, prefix: str, suffix: str) -> GrammarConstraint | None:
        if self._constraints is None or language is None:
            return None
        return self._constraints.program(language, prefix, suffix, _PATIENCE)

    def _remembering(self, gap: Gap, finishing: Finishing) -> Callable[[Completion], Completion]:
        def finish(written: Completion) -> Completion:
            finished = finishing(written)
            if finished.finish_reason in ("stop", "length"):
                self._recall.keep(gap, finished.text)
            return finished

        return finish

    def _recalled(self, gap: Gap, text: str, language: str | None) -> Completion:
        fit = Fit(gap.prefix, gap.suffix, language, whole=True)
        return Completion(
            text=text,
            tokens=self._engine.tokenizer.encode(text),
            complete=fit.parses(text) if language is not None else None,
        )


def _drawn_otherwise(sampling: SamplingParams, number: int) -> SamplingParams:
    return replace(
        sampling,
        temperature=sampling.temperature or ALTERNATIVE_TEMPERATURE,
        seed=number if sampling.seed is None else (sampling.seed + number) % 2**63,
    )
