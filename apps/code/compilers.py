"""What a language's own compiler says of finished code, which parses by tree-sitter's judgement already.

Python always: it takes a millisecond. `javac` and `g++ -fsyntax-only` where asked for, in the sandbox.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

from apps.code.sandbox import Outcome, Run, Sandbox, SandboxError
from apps.code.toolchains import CppToolchain, JavaToolchain, ToolchainMissingError

_COMPILERS: dict[str, type[JavaToolchain] | type[CppToolchain]] = {"java": JavaToolchain, "cpp": CppToolchain}
_FILE = "<answer>"
_MAX_ERRORS = 3


@dataclass(frozen=True)
class Compilation:
    """`passed` is None where it was not tried; `problem` says what is wrong, or why it could not be tried."""

    passed: bool | None = None
    problem: str | None = None


def compilation(code: str, language: str, asked: bool, sandbox: Sandbox | None) -> Compilation:
    """Compile without running. `asked`: also where a compiler of its own must be started."""
    if language == "python":
        return _compiled_by_python(code)
    if not asked:
        return Compilation()
    if sandbox is None:
        return Compilation(None, "this machine has no sandbox to run a compiler in")
    try:
        run = _COMPILERS[language](sandbox).check(code)
    except (ToolchainMissingError, SandboxError) as error:
        return Compilation(None, str(error))
    if run.outcome not in (Outcome.OK, Outcome.WRONG_EXIT):
        return Compilation(None, f"the compiler was stopped: {run.reason}")
    return Compilation(True) if run.ok else Compilation(False, errors_of(run))


def errors_of(run: Run) -> str:
    """The compiler's first errors, or what ended its run."""
    lines = [line.strip() for line in run.stderr.splitlines() if re.search(r"\berror:", line)]
    errors = [re.sub(r"^\S*/\S+?:(\d+)", r"line \1", line) for line in lines]
    return "; ".join(errors[:_MAX_ERRORS]) or run.reason


def _compiled_by_python(code: str) -> Compilation:
    # Warnings, of "\d" in a string for instance, are no errors and belong to nobody's log.
    warnings.filterwarnings("ignore", category=SyntaxWarning, module=re.escape(_FILE))
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=re.escape(_FILE))
    try:
        compile(code.removeprefix("\ufeff"), _FILE, "exec", dont_inherit=True)
    except SyntaxError as error:
        return Compilation(False, f"line {error.lineno}: {error.msg}" if error.lineno else error.msg)
    except (ValueError, OverflowError, RecursionError, MemoryError) as error:
        return Compilation(False, f"{type(error).__name__}: {error}")
    return Compilation(True)
