"""Runs drafts in the sandbox, on examples: the task's own, or what another program answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.code import drivers
from apps.code.answers import Check
from apps.code.compilers import errors_of
from apps.code.definitions import definitions
from apps.code.drivers import CallResult
from apps.code.examples import Example
from apps.code.sandbox import Limits, Run, Sandbox
from apps.code.signatures import Signature
from apps.code.syntax import syntax_problem
from apps.code.toolchains import toolchain

CHECK_LIMITS = Limits(cpu_s=4, wall_s=30)


@dataclass(frozen=True)
class Calls:
    """What became of calling one function of a program: `failure` where it could not be called at all."""

    results: tuple[CallResult, ...] = ()
    failure: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What a draft's run showed. `problem` tells the model, in words, what was wrong first."""

    checks: tuple[Check, ...] = ()
    problem: str | None = None
    results: tuple[CallResult, ...] = ()

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
    body = definitions(code, language)
    nodes = drivers.before(body, language) if language != "python" or not context else ""
    program_text = nodes + context + body + drivers.after(body, language, function.name)
    with toolchain(language, sandbox).build(program_text) as program:
        if program.compilation is not None and not program.compilation.ok:
            return Calls(failure=f"it does not compile: {errors_of(program.compilation)}")
        run = program.run(drivers.arguments_in(inputs), limits=CHECK_LIMITS)
    results = drivers.results_of(run.stdout)
    if len(results) < len(inputs):
        if not results and not run.ok:
            return Calls(failure=_traceback(run))
        results.append(CallResult(error=run.reason))
    return Calls(tuple(results))


def check(
    code: str,
    language: str,
    function: Signature | None,
    examples: Sequence[Example],
    sandbox: Sandbox,
    context: str = "",
) -> Verdict:
    """Whether a draft parses, compiles and gives what the examples say.

    Raises ToolchainMissingError and SandboxError.
    """
    problem = syntax_problem(code, language)
    if problem is not None:
        return Verdict((Check("parses", False, str(problem)),), f"it does not parse: {problem}")
    if function is None:
        return Verdict((), None)
    calls = call(code, language, function, [example.arguments for example in examples], sandbox, context)
    if calls.failure is not None:
        return Verdict((Check("runs", False, calls.failure),), calls.failure)
    if not examples:
        return Verdict((Check("compiles" if language != "python" else "loads", True),))
    checks, first = [], None
    for index, example in enumerate(examples):
        result = calls.results[index] if index < len(calls.results) else CallResult(error="not reached")
        passed = result.error is None and drivers.same(result.value, example.expected)
        detail = "" if passed else result.error or f"gives {_brief(result.value)}"
        checks.append(Check(example.text, passed, detail))
        if not passed and first is None:
            wanted = _brief(example.expected)
            first = f"{_call_text(function, example)} {_wrong(result)}, but it must give {wanted}"
    return Verdict(tuple(checks), first, calls.results)


def agreement(results: Sequence[Sequence[CallResult]]) -> list[int]:
    """For each draft, on how many inputs other drafts gave the same (counted once for each of them)."""
    return [
        sum(
            _agree(one, another)
            for other_index, other in enumerate(results)
            if other_index != index
            for one, another in zip(mine, other, strict=False)
        )
        for index, mine in enumerate(results)
    ]


def _agree(one: CallResult, another: CallResult) -> bool:
    return one.error is None and another.error is None and drivers.same(one.value, another.value)


def _call_text(function: Signature, example: Example) -> str:
    return f"{function.name}({', '.join(_brief(argument) for argument in example.arguments)})"


def _wrong(result: CallResult) -> str:
    return f"fails with {result.error}" if result.error is not None else f"gives {_brief(result.value)}"


def _traceback(run: Run) -> str:
    return f"it cannot be run: {run.reason}"


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."
