"""Runs drafts in the sandbox, on examples: the task's own, or what another program answered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from apps.code import drivers
from apps.code.answers import Check
from apps.code.compilers import compilation, errors_of
from apps.code.drivers import CallResult
from apps.code.examples import Example
from apps.code.python_imports import undefined_names
from apps.code.sandbox import Limits, Outcome, Run, Sandbox
from apps.code.signatures import Signature
from apps.code.syntax import syntax_problem
from apps.code.toolchains import PythonToolchain, toolchain

CHECK_LIMITS = Limits(cpu_s=4, wall_s=30)
# A program that one call kills is begun again behind that call, but not one that has used up its time or memory.
_DEATHS = (Outcome.CRASHED, Outcome.WRONG_EXIT, Outcome.OK)
_MOST_RUNS = 8
_MOST_DEATHS = 2  # at the beginning, after which nothing is expected of it
_NOT_COMPILED = "it does not compile"
ALIKE = 0.8
"""The share of words that two printed texts have in common from which on they say the same."""


@dataclass(frozen=True)
class Calls:
    """What became of calling one function of a program: `failure` where it could not be called at all."""

    results: tuple[CallResult, ...] = ()
    failure: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What a draft's run showed. `problem` tells the model, in words, what was wrong first.

    `made_up` has what came of inputs, or of a use, that nobody gave an answer for, by their text, and `crash` the first
    of them that ended with an error, in words. `function` is the one that was called; `unknown` tells where code that
    the compiler takes is not as the grammar has it.
    """

    checks: tuple[Check, ...] = ()
    problem: str | None = None
    made_up: Mapping[str, CallResult] = field(default_factory=dict)
    crash: str | None = None
    function: str = ""
    unknown: str | None = None

    @property
    def passed(self) -> int:
        return sum(check.passed for check in self.checks)

    @property
    def examples(self) -> int:
        """How many of the user's examples it was run on."""
        return sum(check.is_example for check in self.checks)

    def used(self, results: Mapping[str, CallResult]) -> Verdict:
        """The same, of code that was also used in a way that was made up."""
        broken = next((result.error for result in results.values() if result.error), None)
        crash = None if broken is None else f"a use of it breaks off with {broken}"
        return replace(self, made_up=results, crash=crash, function="")


def call(
    code: str,
    language: str,
    function: Signature,
    inputs: Sequence[Sequence[Any]],
    sandbox: Sandbox,
    context: str = "",
) -> Calls:
    """Call `function` of `code` on each of `inputs`. `context` is code that stands before it.

    Raises ToolchainMissingError and SandboxError.
    """
    return call_each(code, language, [function], [(0, given) for given in inputs], sandbox, context)


def call_each(
    code: str,
    language: str,
    functions: Sequence[Signature],
    inputs: Sequence[tuple[int, Sequence[Any]]],
    sandbox: Sandbox,
    context: str = "",
) -> Calls:
    """Call one of several functions, by number, on each of `inputs`. Raises as `call` does."""
    text = drivers.program(code, language, [function.name for function in functions], context)
    with toolchain(language, sandbox).build(text.source, entry=text.entry) as program:
        if program.compilation is not None and not program.compilation.ok:
            return Calls(failure=f"{_NOT_COMPILED}: {errors_of(program.compilation)}")
        results: list[CallResult] = []
        told = False
        for _ in range(_MOST_RUNS):
            run = program.run(drivers.calls_in(inputs[len(results) :]), limits=CHECK_LIMITS)
            found = drivers.results_of(run.told)
            told = told or bool(found) or (not inputs and run.ended)
            results += found
            if len(results) >= len(inputs):
                break
            results.append(CallResult(error=_ending(run)))
            if len(results) == len(inputs) or run.outcome not in _DEATHS:
                break
            if not told and len(results) == _MOST_DEATHS:
                break
        if not told:
            return Calls(failure=f"it cannot be run: {_ending(run)}")
    return Calls(tuple(results))


def _ending(run: Run) -> str:
    return "it ended the program" if run.ok else run.reason


def check(
    code: str,
    language: str,
    function: Signature | None,
    examples: Sequence[Example],
    sandbox: Sandbox,
    context: str = "",
    made_up: Sequence[Sequence[Any]] = (),
    whole: bool = False,
    also: Sequence[Signature] = (),
) -> Verdict:
    """Whether a draft parses, compiles and gives what the examples say; and what it gives for `made_up` inputs.

    Examples number functions from 0, which is `function`; the others are in `also`.
    `whole`: it is a file of its own, which the compiler must take as it stands. What the grammar does not know and the
    compiler takes is not wrong. Raises ToolchainMissingError and SandboxError.
    """
    problem = syntax_problem(code, language)
    if problem is not None:
        if language != "python" and _compiles(code, language, sandbox, context, whole).problem is None:
            return Verdict((Check("compiles", True),), unknown=str(problem))
        return Verdict((Check("parses", False, str(problem)),), f"it does not parse: {problem}")
    if function is None or not _callable(function, language):
        return _compiles(code, language, sandbox, context, whole)
    verdict = _called(code, language, [function, *also], examples, sandbox, context, made_up)
    if also and verdict.problem is not None and verdict.checks[0].name == "compiles":
        first = [example for example in examples if not example.number]
        verdict = _called(code, language, [function], first, sandbox, context, made_up)
    if verdict.problem is not None and verdict.checks[0].name == "compiles":
        # It may be the driver that cannot be compiled with it, for want of a way to show what the function returns.
        alone = _compiles(code, language, sandbox, context, whole)
        return verdict if alone.problem is not None else alone
    if verdict.problem is None and whole:
        alone = _compiles(code, language, sandbox, context, whole)
        if alone.problem is not None:
            return replace(verdict, checks=(*verdict.checks, *alone.checks), problem=alone.problem)
    return verdict


def _callable(function: Signature, language: str) -> bool:
    return language == "python" or all(kind is not None for _, kind in function.parameters)


def _called(
    code: str,
    language: str,
    functions: Sequence[Signature],
    examples: Sequence[Example],
    sandbox: Sandbox,
    context: str,
    made_up: Sequence[Sequence[Any]],
) -> Verdict:
    function = functions[0]
    inputs = [
        *((example.number, example.arguments) for example in examples),
        *((0, given) for given in made_up),
    ]
    calls = call_each(code, language, functions, inputs, sandbox, context)
    if calls.failure is not None:
        name = "compiles" if calls.failure.startswith(_NOT_COMPILED) else "runs"
        return Verdict((Check(name, False, calls.failure),), calls.failure)
    # Fewer than the calls where the program ended early, more where it prints what looks like a result.
    unreached = [CallResult(error="not reached")] * (len(inputs) - len(calls.results))
    results = [*calls.results, *unreached][: len(inputs)]
    checks, first = [], None
    for example, result in zip(examples, results, strict=False):
        passed = result.error is None and drivers.same(result.value, example.expected)
        detail = "" if passed else result.error or f"gives {_brief(result.value)}"
        checks.append(Check(example.text, passed, detail))
        if not passed and first is None:
            wanted = _brief(example.expected)
            called = _call_text(functions[example.number], example.arguments)
            first = f"{called} {_wrong(result)}, but it must give {wanted}"
    if not examples:
        checks.append(Check("compiles" if language != "python" else "loads", True))
    others = list(zip(made_up, results[len(examples) :], strict=True))
    crashes = (f"{_call_text(function, given)} {_wrong(result)}" for given, result in others if result.error)
    found = {repr(tuple(given)): result for given, result in others}
    return Verdict(tuple(checks), first, found, next(crashes, None), function.name)


def _compiles(code: str, language: str, sandbox: Sandbox, context: str, whole: bool) -> Verdict:
    """All that can be said of what nothing can be passed to, since it takes a map, for instance; Python is searched for
    names that nothing binds."""
    if language == "python":
        compiled = compilation(context + code, language, asked=True, sandbox=None)
        problem = compiled.problem or (undefined_names(code) if whole else None)
        return Verdict((Check("compiles", problem is None, problem or ""),), problem)
    tools = toolchain(language, sandbox)
    assert not isinstance(tools, PythonToolchain)
    run = tools.check(code if whole else drivers.unit(code, language, context))
    problem = None if run.ok else f"{_NOT_COMPILED}: {errors_of(run)}"
    return Verdict((Check("compiles", run.ok, problem or ""),), problem)


def agreement(results: Sequence[Mapping[str, CallResult]]) -> list[float]:
    """For each draft, on how many inputs a draft gave the same (counted for each draft, itself included)."""
    return [
        sum(_likeness(one, other[text]) for other in results for text, one in mine.items() if text in other)
        for mine in results
    ]


def agree(one: Mapping[str, CallResult], another: Mapping[str, CallResult]) -> bool:
    """Whether two drafts give the same for every input, an error included."""
    return one.keys() == another.keys() and all(
        alike(result, another[text]) or bool(result.error and another[text].error)
        for text, result in one.items()
    )


def alike(one: CallResult, another: CallResult) -> bool:
    """Whether two results are the same, or say the same where they are printed; an error is like nothing."""
    return _likeness(one, another) >= ALIKE


def _likeness(one: CallResult, another: CallResult) -> float:
    """1 for the same; of printed texts the share of words in common, for drafts word the same thing differently."""
    if one.error is not None or another.error is not None:
        return 0.0
    if not (one.printed and another.printed):
        return float(drivers.same(one.value, another.value))
    mine, theirs = (Counter(re.findall(r"\w+", str(item.value).lower())) for item in (one, another))
    total = mine.total() + theirs.total()
    return 2 * (mine & theirs).total() / total if total else 1.0


def _call_text(function: Signature, arguments: Sequence[Any]) -> str:
    return f"{function.name}({', '.join(_brief(argument) for argument in arguments)})"


def _wrong(result: CallResult) -> str:
    return f"fails with {result.error}" if result.error is not None else f"gives {_brief(result.value)}"


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."
