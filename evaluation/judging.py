"""One candidate in, one verdict out: parse, compile, run against the tests in the sandbox.

What counts is that the tests came to their end. A candidate's exit code says nothing about it, nor do its words.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.code import drivers
from apps.code.compilers import compilation
from apps.code.definitions import definitions, function_name
from apps.code.runtimes import new_name
from apps.code.sandbox import Run, Sandbox
from apps.code.syntax import parse, parses
from apps.code.toolchains import toolchain
from evaluation.apart import ASSERTED, GONE, run_apart
from evaluation.errors import DataError
from evaluation.overreach import overreach
from evaluation.problems import JUDGE_LIMITS, Problem

ENDED_EARLY = "ended_early"
_NOT_THE_END = "the program ended before its tests did"


@dataclass(frozen=True)
class Verdict:
    """`outcome` is "passed", "wrong" (the tests said so), "not_compiled", "ended_early" (with exit code 0, before the
    tests did), or a sandbox outcome. `program` is all that was judged, as one text."""

    passed: bool
    parses: bool
    compiled: bool
    outcome: str
    reason: str
    seconds: float
    program: str


def judge(problem: Problem, code: str, sandbox: Sandbox) -> Verdict:
    """Raises ToolchainMissingError and SandboxError: they say nothing about the candidate."""
    if problem.language == "python":
        return _judge_python(problem, code, sandbox)
    code_parses = parses(code, problem.language)
    text = _program(problem, code)
    reason = overreach(problem, code)
    if reason is not None:
        return Verdict(False, code_parses, True, "wrong", reason, 0.0, text.source)
    with toolchain(problem.language, sandbox).build(text.source, entry=text.entry) as program:
        compiled = program.compilation
        if compiled is not None and not compiled.ok:
            reason = _first_error(compiled.stderr) or compiled.reason
            return Verdict(False, code_parses, False, "not_compiled", reason, compiled.wall_s, text.source)
        run = program.run(problem.stdin, limits=JUDGE_LIMITS)
    outcome, reason = run.outcome.value, run.reason
    if run.ok and run.ended:
        wrong = problem.accepts(run.told) if problem.accepts else None
        outcome, reason = ("wrong", wrong) if wrong is not None else ("passed", "ok")
    elif run.ok:
        outcome, reason = ENDED_EARLY, _NOT_THE_END
    elif _failed_assertion(run):
        outcome = "wrong"
    return Verdict(outcome == "passed", code_parses, True, outcome, reason, run.wall_s, text.source)


def _judge_python(problem: Problem, code: str, sandbox: Sandbox) -> Verdict:
    kept = definitions(code, "python")
    code_parses = parses(code, "python")
    text = problem.before + kept + problem.after
    compiled = compilation(problem.before + kept, "python", asked=True, sandbox=None)
    if not compiled.passed:
        return Verdict(False, code_parses, False, "not_compiled", compiled.problem or "", 0.0, text)
    try:
        runs = run_apart(problem.before, kept, problem.after, problem.entry_point, sandbox, JUDGE_LIMITS)
    except SyntaxError as error:
        raise DataError(f"{problem.task_id}: its tests are no Python: {error}") from error
    tests, candidate = runs.tests, runs.candidate
    outcome, reason = tests.outcome.value, tests.reason
    if tests.ok:
        outcome, reason = "passed", "ok"
    elif tests.exit_code == ASSERTED:
        outcome = "wrong"
    elif tests.exit_code == GONE and not candidate.ok:
        outcome, reason = candidate.outcome.value, candidate.reason
    elif tests.exit_code == GONE:
        outcome, reason = ENDED_EARLY, _NOT_THE_END
    seconds = max(tests.wall_s, candidate.wall_s)
    return Verdict(outcome == "passed", code_parses, True, outcome, reason, seconds, text)


def _program(problem: Problem, code: str) -> drivers.ProgramText:
    """Tests with a `main` of their own become what our entry begins; without, the calls of a driver do."""
    if problem.accepts is not None:
        return drivers.program(code, problem.language, [problem.entry_point])
    kept = problem.before + definitions(code, problem.language)
    if problem.language == "java":
        return drivers.ProgramText(kept + problem.after, "Main")
    entry = new_name()
    tests = _renamed_main(problem.after, entry)
    return drivers.ProgramText(kept + drivers.undefine_macros(code) + tests, entry)


def _renamed_main(tests: str, name: str) -> str:
    """C++ tests whose `main` is a function of that name, which gives 0 at its end. Raises DataError."""
    content = tests.encode()
    for node in parse(tests, "cpp").children:
        body = node.child_by_field_name("body")
        if node.type == "function_definition" and function_name(node) == "main" and body is not None:
            inside = content[body.start_byte : body.end_byte - 1]
            start = f'extern "C" int {name}(void (*)(const char *, unsigned long)) '.encode()
            return (
                content[: node.start_byte] + start + inside + b"\nreturn 0; }" + content[body.end_byte :]
            ).decode()
    raise DataError("the tests have no main")


def _failed_assertion(run: Run) -> bool:
    """Whether the program ended as a failed check ends: a name for the failure, which decides nothing."""
    return "AssertionError" in run.stderr or (run.signal == "SIGABRT" and "ssert" in run.stderr)


def _first_error(stderr: str) -> str | None:
    return next((line.strip() for line in stderr.splitlines() if "error" in line), None)
