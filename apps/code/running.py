"""Runs code as somebody has it in front of them: the whole program, or one call of a function in it."""

from __future__ import annotations

from dataclasses import dataclass

from apps.code.checking import call
from apps.code.compilers import errors_of
from apps.code.examples import NoValueError, read_value
from apps.code.sandbox import Limits, Sandbox
from apps.code.signatures import signature_of, signatures
from apps.code.toolchains import toolchain

RUN_LIMITS = Limits(cpu_s=10, wall_s=30, output_bytes=64 * 1024)


class CannotRunError(ValueError):
    """There is nothing to run, or the call is none; `reason` is no_main, no_function or no_call."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Output:
    """What a run wrote, or a call gave (`value`, as Python writes it).

    `problem` says what ended it, None where it came to a good end.
    """

    stdout: str = ""
    stderr: str = ""
    value: str | None = None
    problem: str | None = None
    seconds: float = 0.0


def run(code: str, language: str, sandbox: Sandbox, called: str = "") -> Output:
    """Run a program, or `called`, such as `primes(10)`: a function of it with values, as any of the languages has them.

    Raises CannotRunError, ToolchainMissingError and SandboxError.
    """
    if called.strip():
        return _call(code, language, sandbox, called.strip())
    if language != "python" and all(function.name != "main" for function in signatures(code, language)):
        raise CannotRunError("no_main", "the program has no main: give a call, such as f(1)")
    with toolchain(language, sandbox).build(code) as program:
        if program.compilation is not None and not program.compilation.ok:
            return Output(problem=f"it does not compile: {errors_of(program.compilation)}")
        done = program.run(limits=RUN_LIMITS)
    return Output(done.stdout, done.stderr, None, None if done.ok else done.reason, done.wall_s)


def _call(code: str, language: str, sandbox: Sandbox, called: str) -> Output:
    name, bracket, given = called.removesuffix(";").partition("(")
    values = f"[{given.removesuffix(')')}]"
    try:
        arguments, end = read_value(values, 0)
    except NoValueError as error:
        raise CannotRunError("no_call", f"the values of the call cannot be read: {error}") from error
    if not bracket or end != len(values):
        raise CannotRunError("no_call", "a call is a function's name and its values, such as f(1, [2, 3])")
    function = signature_of(code, language, name.strip())
    if function is None:
        raise CannotRunError("no_function", f"the code has no function {name.strip()}")
    calls = call(code, language, function, [arguments], sandbox)
    if calls.failure is not None:
        return Output(problem=calls.failure)
    result = calls.results[0]
    return Output(value=None if result.error else repr(result.value), problem=result.error)
