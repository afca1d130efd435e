"""The tasks, and whether an answer does what was asked."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.code.compilers import compilation
from apps.code.programs import Program
from apps.code.sandbox import Limits, Outcome, Run, Sandbox
from apps.code.syntax import parses
from apps.code.toolchains import toolchain
from apps.code.usage import Usage, used
from evaluation.errors import DataError

LANGUAGES = ("python", "java", "cpp")
JUDGE_LIMITS = Limits(cpu_s=10, wall_s=120)
FOLDER = Path(__file__).with_name("data")


@dataclass(frozen=True)
class Expected:
    """One run, and what it must show: `prints` all of it, or its `last` line; `has` parts of it; `written` files."""

    arguments: tuple[str, ...] = ()
    input: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    prints: str | None = None
    last: str | None = None
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    written: Mapping[str, str] = field(default_factory=dict)
    exit: int = 0


@dataclass(frozen=True)
class EverydayTask:
    """`ask` is all that the assistant sees. A program is run (`runs`, one after another in one folder); other code is
    used by `use`, a program that prints what `runs` expects."""

    language: str
    name: str
    ask: str
    reference: str
    runs: tuple[Expected, ...]
    use: str | None = None

    @property
    def key(self) -> str:
        return f"{self.language}/{self.name}"


@dataclass(frozen=True)
class Verdict:
    """`reason` says what was not as it must be."""

    passed: bool
    parses: bool
    compiled: bool
    reason: str


def load(language: str) -> list[EverydayTask]:
    """The tasks of a language. Raises DataError."""
    path = FOLDER / f"{language}.toml"
    if not path.is_file():
        raise DataError(f"the everyday tasks are in {', '.join(LANGUAGES)}, not {language!r}")
    return [_task(language, row) for row in tomllib.loads(path.read_text(encoding="utf-8"))["task"]]


def judge(task: EverydayTask, code: str, sandbox: Sandbox) -> Verdict:
    """Raises ToolchainMissingError and SandboxError: they say nothing about the answer."""
    code_parses = parses(code, task.language)
    alone = compilation(code, task.language, asked=True, sandbox=sandbox)
    if alone.passed is False:
        return Verdict(False, code_parses, False, alone.problem or "it does not compile")
    whole = code if task.use is None else used(Usage(code=task.use), code, task.language)
    folder = Path(tempfile.mkdtemp(prefix="duet-everyday-"))
    folder.chmod(0o755)
    try:
        with toolchain(task.language, sandbox).build(whole) as program:
            if not program.compiled:
                return Verdict(False, code_parses, True, "it does not compile with its acceptance test")
            reasons = (_failure(expected, program, folder) for expected in task.runs)
            reason = next((reason for reason in reasons if reason is not None), None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Verdict(reason is None, code_parses, True, reason or "ok")


def _failure(expected: Expected, program: Program, folder: Path) -> str | None:
    for name, text in expected.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    run = program.run(expected.input, JUDGE_LIMITS, arguments=expected.arguments, folder=folder)
    called = " ".join(["program", *expected.arguments])
    wrong = _wrong_end(expected, run) or _wrong_text(expected, run.stdout)
    if wrong is not None:
        return f"{called}: {wrong}"
    for name, text in expected.written.items():
        path = folder / name
        if not path.is_file() or _lines(path.read_text(encoding="utf-8", errors="replace")) != _lines(text):
            return f"{called}: {name} is not as it must be"
    return None


def _wrong_end(expected: Expected, run: Run) -> str | None:
    if run.outcome not in (Outcome.OK, Outcome.WRONG_EXIT) or run.exit_code != expected.exit:
        return f"ends with {run.reason}, not exit code {expected.exit}"
    return None


def _wrong_text(expected: Expected, printed: str) -> str | None:
    if expected.prints is not None and _lines(printed) != _lines(expected.prints):
        return f"prints {printed[:300]!r}, not {expected.prints!r}"
    if expected.last is not None and _lines(printed)[-1:] != [expected.last]:
        return f"prints {printed[:300]!r}, whose last line is not {expected.last!r}"
    missing = [text for text in expected.has if text not in printed]
    if missing:
        return f"prints {printed[:300]!r}, without {missing[0]!r}"
    surplus = [text for text in expected.lacks if text in printed]
    return f"prints {printed[:300]!r}, with {surplus[0]!r}" if surplus else None


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def _expected(run: Mapping[str, Any]) -> Expected:
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in run.items()
    }
    return Expected(**fields)


def _task(language: str, row: Mapping[str, Any]) -> EverydayTask:
    runs = row.get("runs") or [{"prints": row["prints"]}]
    expected = tuple(_expected(run) for run in runs)
    return EverydayTask(
        language, row["name"], row["ask"], row["reference"].strip() + "\n", expected, row.get("use")
    )
