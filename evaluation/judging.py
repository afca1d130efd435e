"""One candidate in, one verdict out: parse, compile, run against the tests in the sandbox."""

from __future__ import annotations

from dataclasses import dataclass

from apps.code.definitions import definitions
from apps.code.sandbox import Sandbox
from apps.code.syntax import parses
from apps.code.toolchains import toolchain
from evaluation.problems import JUDGE_LIMITS, Problem


@dataclass(frozen=True)
class Verdict:
    """`outcome` is "passed", "wrong" (the tests said so), "not_compiled", or a sandbox outcome."""

    passed: bool
    parses: bool
    compiled: bool
    outcome: str
    reason: str
    seconds: float
    program: str


def judge(problem: Problem, code: str, sandbox: Sandbox) -> Verdict:
    """Raises ToolchainMissingError and SandboxError: they say nothing about the candidate."""
    code_parses = parses(code, problem.language)
    program_text = problem.before + definitions(code, problem.language) + problem.after
    with toolchain(problem.language, sandbox).build(program_text) as program:
        compilation = program.compilation
        if compilation is not None and not compilation.ok:
            reason = _first_error(compilation.stderr) or compilation.reason
            return Verdict(
                False, code_parses, False, "not_compiled", reason, compilation.wall_s, program_text
            )
        run = program.run(problem.stdin, limits=JUDGE_LIMITS)
    # Python is compiled when it is run
    compiled = not ("SyntaxError" in run.reason or "IndentationError" in run.reason)
    outcome, reason = run.outcome.value, run.reason
    if run.ok:
        wrong = problem.accepts(run.stdout) if problem.accepts else None
        outcome, reason = ("wrong", wrong) if wrong is not None else ("passed", "ok")
    elif "AssertionError" in run.stderr or (run.signal == "SIGABRT" and "ssert" in run.stderr):
        outcome = "wrong"
    return Verdict(outcome == "passed", code_parses, compiled, outcome, reason, run.wall_s, program_text)


def _first_error(stderr: str) -> str | None:
    return next((line.strip() for line in stderr.splitlines() if "error" in line), None)
