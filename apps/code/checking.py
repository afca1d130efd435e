"""Runs drafts in the sandbox, on examples: the task's own, or what another program answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.code import drivers
from apps.code.answers import Check
from apps.code.compilers import errors_of
from apps.code.drivers import CallResult
from apps.code.examples import Example
from apps.code.sandbox import Limits, Outcome, Run, Sandbox
from apps.code.signatures import Signature
from apps.code.syntax import syntax_problem
from apps.code.toolchains import PythonToolchain, toolchain

CHECK_LIMITS = Limits(cpu_s=4, wall_s=30)
# A program that one call kills is begun again behind that call, but not one that has used up its time or memory.
_DEATHS = (Outcome.CRASHED, Outcome.WRONG_EXIT, Outcome.OK)
_MOST_RUNS = 8


@dataclass(frozen=True)
class Calls:
    """What became of calling one function of a program: `failure` where it could not be called at all."""

    results: tuple[CallResult, ...] = ()
    failure: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What a draft's run showed. `problem` tells the model, in words, what was wrong first.

    `made_up` has what came of inputs that nobody gave an answer for, by their text, and `crash` the first of them
    that ended with an error, in words.
    """

    checks: tuple[Check, ...] = ()
    problem: str | None = None
    made_up: Mapping[str, CallResult] = field(default_factory=dict)
    crash: str | None = None

    @property
    def passed(self) -> int:
        return sum(check.passed for check in self.checks)


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
    text = drivers.program(code, language, function.name, context)
    with toolchain(language, sandbox).build(text.source, entry=text.entry) as program:
        if program.compilation is not None and not program.compilation.ok:
            return Calls(failure=f"it does not compile: {errors_of(program.compilation)}")
        results: list[CallResult] = []
        for _ in range(_MOST_RUNS):
            run = program.run(drivers.arguments_in(inputs[len(results) :]), limits=CHECK_LIMITS)
            found = drivers.results_of(run.told)
            if not results and not found and inputs and not run.ended:
                return Calls(failure=f"it cannot be run: {_ending(run)}")
            results += found
            if len(results) >= len(inputs):
                break
            results.append(CallResult(error=_ending(run)))
            if len(results) == len(inputs) or run.outcome not in _DEATHS:
                break
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
) -> Verdict:
    """Whether a draft parses, compiles and gives what the examples say; and what it gives for `made_up` inputs.

    Raises ToolchainMissingError and SandboxError.
    """
    problem = syntax_problem(code, language)
    if problem is not None:
        return Verdict((Check("parses", False, str(problem)),), f"it does not parse: {problem}")
    if function is None:
        return Verdict((), None)
    if language != "python" and any(kind is None for _, kind in function.parameters):
        return _compiles(code, language, sandbox, context)
    inputs = [*(example.arguments for example in examples), *made_up]
    calls = call(code, language, function, inputs, sandbox, context)
    if calls.failure is not None:
        return Verdict((Check("runs", False, calls.failure),), calls.failure)
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
            first = f"{_call_text(function, example.arguments)} {_wrong(result)}, but it must give {wanted}"
    if not examples:
        checks.append(Check("compiles" if language != "python" else "loads", True))
    others = list(zip(made_up, results[len(examples) :], strict=True))
    crashes = (f"{_call_text(function, given)} {_wrong(result)}" for given, result in others if result.error)
    found = {repr(tuple(given)): result for given, result in others}
    return Verdict(tuple(checks), first, found, next(crashes, None))


def _compiles(code: str, language: str, sandbox: Sandbox, context: str) -> Verdict:
    """All that can be said of a function that nothing can be passed to, since it takes a map, for instance."""
    tools = toolchain(language, sandbox)
    assert not isinstance(tools, PythonToolchain)
    compilation = tools.check(drivers.unit(code, language, context))
    problem = None if compilation.ok else f"it does not compile: {errors_of(compilation)}"
    return Verdict((Check("compiles", compilation.ok, problem or ""),), problem)


def agreement(results: Sequence[Mapping[str, CallResult]]) -> list[int]:
    """For each draft, on how many inputs a draft gave the same (counted for each draft, itself included)."""
    return [
        sum(_agree(one, other[text]) for other in results for text, one in mine.items() if text in other)
        for mine in results
    ]


def agree(one: Mapping[str, CallResult], another: Mapping[str, CallResult]) -> bool:
    """Whether two drafts give the same for every input, an error included."""
    return one.keys() == another.keys() and all(
        _agree(result, another[text]) or bool(result.error and another[text].error)
        for text, result in one.items()
    )


def _agree(one: CallResult, another: CallResult) -> bool:
    return one.error is None and another.error is None and drivers.same(one.value, another.value)


def _call_text(function: Signature, arguments: Sequence[Any]) -> str:
    return f"{function.name}({', '.join(_brief(argument) for argument in arguments)})"


def _wrong(result: CallResult) -> str:
    return f"fails with {result.error}" if result.error is not None else f"gives {_brief(result.value)}"


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."
