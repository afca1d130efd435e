"""A program in another language: what is asked of the model, and how a draft is compared with the source program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from apps.code.answers import Check
from apps.code.checking import Verdict, call_each, check
from apps.code.drafting import Drafting
from apps.code.drivers import CallResult
from apps.code.examples import Example, arguments_given
from apps.code.java_units import with_characters
from apps.code.literals import literals_of
from apps.code.prompts import LANGUAGE_NAMES, REPAIR_TRANSLATION, TRANSLATE
from apps.code.refining import Task
from apps.code.sample_inputs import changed_inputs, sample_inputs
from apps.code.sandbox import Sandbox
from apps.code.signatures import Signature, plain_name, signatures
from apps.code.syntax import syntax_problem
from apps.code.usage import ProgramRun, Usage, is_program, try_out

INPUTS = 200
"""That are made up for each function."""
MOST_CHECKS = 120
"""For all functions together; those are kept for which the source gives different answers."""
MOST_FUNCTIONS = 12
_RUN = Usage(runs=(ProgramRun(),))


@dataclass(frozen=True)
class Translating:
    """`start` is code that the translation begins with."""

    code: str
    source: str
    target: str
    drafting: Drafting | None
    sandbox: Sandbox | None
    start: str = ""
    _examples: dict[tuple[Signature, ...], list[Example]] = field(default_factory=dict)

    @property
    def work(self) -> Task:
        problem = syntax_problem(self._text, self.source)
        unknown = f"of the source, the grammar of {LANGUAGE_NAMES[self.source]} does not know {problem}"
        inputs = {
            "source_name": LANGUAGE_NAMES[self.source],
            "target_name": LANGUAGE_NAMES[self.target],
            "source": self.source,
            "code": self.code,
        }
        return Task(
            TRANSLATE, REPAIR_TRANSLATION, inputs, self.judge, unknown=None if problem is None else unknown
        )

    def judge(self, draft: str) -> Verdict:
        """Whether a draft compiles and does what the source does. Raises ToolchainMissingError and SandboxError."""
        assert self.sandbox is not None
        pairs = self._pairs(draft)
        examples = self._examples_for(pairs)
        called = [theirs for _, theirs in pairs]
        verdict = check(
            draft,
            self.target,
            called[0] if called else None,
            examples,
            self.sandbox,
            whole=not self.start,
            also=called[1:],
        )
        if verdict.problem is None and verdict.unknown is None and self._printed is not None:
            verdict = _with_run(verdict, self._printed, self._run(draft, self.target))
        return verdict

    @cached_property
    def _text(self) -> str:
        """The source as its compiler reads it."""
        return with_characters(self.code) if self.source == "java" else self.code

    @cached_property
    def _origins(self) -> list[Signature]:
        """The functions of the source that a caller can name, the last first, which is the one that matters most."""
        found = {item.name: item for item in signatures(self._text, self.source) if item.name != "main"}
        return list(found.values())[::-1][:MOST_FUNCTIONS]

    @cached_property
    def _printed(self) -> CallResult | None:
        """What the source prints, run as it stands. None where it is no program, or needs to be given something."""
        if self.start or not is_program(self._text, self.source):
            return None
        result = self._run(self._text, self.source)
        return result if result.error is None and result.value else None

    def _run(self, code: str, language: str) -> CallResult:
        assert self.sandbox is not None
        (result,) = try_out(_RUN, code, language, self.sandbox).values()
        return result

    def _pairs(self, draft: str) -> list[tuple[Signature, Signature]]:
        """Each function of the source with the draft's, with types from wherever they are declared."""
        theirs = {plain_name(item.name): item for item in signatures(draft, self.target)}
        pairs = []
        for mine in self._origins:
            function = theirs.get(plain_name(mine.name))
            if function is None or len(function.parameters) != len(mine.parameters):
                continue
            typed = tuple(
                (name, one or another)
                for (name, one), (_, another) in zip(mine.parameters, function.parameters, strict=True)
            )
            known = all(kind is not None for _, kind in typed)
            takes = self.target == "python" or all(kind is not None for _, kind in function.parameters)
            if known and takes:
                pairs.append((replace(mine, parameters=typed), function))
        return pairs

    def _examples_for(self, pairs: Sequence[tuple[Signature, Signature]]) -> list[Example]:
        """What the source program answers to inputs of the declared types."""
        origins = tuple(mine for mine, _ in pairs)
        if not origins or self.sandbox is None:
            return []
        if origins not in self._examples:
            self._examples[origins] = self._answers(origins)
        return self._examples[origins]

    def _answers(self, origins: Sequence[Signature]) -> list[Example]:
        assert self.sandbox is not None
        inputs = [(number, given) for number, origin in enumerate(origins) for given in self._inputs(origin)]
        calls = call_each(self._text, self.source, origins, inputs, self.sandbox)
        answers: dict[int, list[Example]] = {}
        for (number, given), result in zip(inputs, calls.results, strict=False):
            if result.error is None and result.value is not None:  # what it refuses says nothing
                text = f"{origins[number].name}({', '.join(map(repr, given))})"
                answers.setdefault(number, []).append(Example(given, result.value, text, number))
        most = MOST_CHECKS // max(1, len(answers))
        return [example for found in answers.values() for example in _different(found, most)]

    def _inputs(self, origin: Signature) -> list[tuple[Any, ...]]:
        """What the source itself calls it with, and that changed a little; then values of its types and literals."""
        given = arguments_given(self._text, origin)
        drawn = sample_inputs(origin, INPUTS, literals=literals_of(self._text, self.source))
        found = {repr(values): values for values in (*given, *changed_inputs(given), *drawn)}
        return list(found.values())


def _different(examples: Sequence[Example], most: int) -> list[Example]:
    """Those that tell programs apart: as many different answers as there are, the larger inputs of those alike."""
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(repr(example.expected), []).append(example)
    chosen: list[Example] = []
    while len(chosen) < most and any(groups.values()):
        for group in groups.values():
            if group and len(chosen) < most:
                chosen.append(group.pop())
    return sorted(chosen, key=lambda example: len(example.text))


def _with_run(verdict: Verdict, wanted: CallResult, found: CallResult) -> Verdict:
    """The verdict of a program that must print what the source prints."""
    name = "prints what the source prints"
    checks = [item for item in verdict.checks if item.is_example]
    if found.error is None and str(found.value).split() == str(wanted.value).split():
        return replace(verdict, checks=(*checks, Check(name, True)))
    gives = f"fails with {found.error}" if found.error else f"prints {str(found.value)[:200]!r}"
    problem = f"run as it stands it {gives}, but it must print {str(wanted.value)[:200]!r}"
    return replace(verdict, checks=(*checks, Check(name, False, gives)), problem=problem)
