"""How code is used: a small example that calls it, or runs of a program, made up by the model and tried on drafts.

Nobody has said what is right: what drafts give is compared with what others give (minimum Bayes risk over execution
results: Shi et al. 2022, Natural Language to Code Translation with Execution, arXiv 2204.11454).
"""

from __future__ import annotations

import json
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from apps.code.declarations import with_declarations
from apps.code.definitions import definitions, names_defined, without
from apps.code.drivers import CallResult
from apps.code.java_units import java_unit
from apps.code.programs import Program
from apps.code.sandbox import Limits, Outcome, Run, Sandbox
from apps.code.syntax import parse, text_of
from apps.code.toolchains import toolchain

USAGE_LIMITS = Limits(cpu_s=4, wall_s=30)
USAGE_TOKENS = 300
NOT_COMPILED = "it does not compile"
MOST_RUNS = 4
MOST_FILES = 4
_MOST_CHARACTERS = 2_000
PRINTS = {"python": "print", "java": "System.out.println", "cpp": "std::cout"}
_NOTHING = "nothing printed"
_UNCAUGHT = ("Traceback (most recent call last)", "Exception in thread ")
_STARTS = {
    "python": "",
    "java": "public class Main {\n    public static void main(String[] args) throws Exception {\n",
    "cpp": "int main() {\n",
}
RUNS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "files": {
            "type": "array",
            "maxItems": MOST_FILES,
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "maxLength": 40},
                    "text": {"type": "string", "maxLength": 400},
                },
                "required": ["name", "text"],
                "additionalProperties": False,
            },
        },
        "runs": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_RUNS,
            "items": {
                "type": "object",
                "properties": {
                    "arguments": {
                        "type": "array",
                        "maxItems": 6,
                        "items": {"type": "string", "maxLength": 60},
                    },
                    "input": {
                        "type": "array",
                        "maxItems": 8,
                        "items": {"type": "string", "maxLength": 80},
                    },
                },
                "required": ["arguments", "input"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["files", "runs"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class ProgramRun:
    """One run of a program: its command line's arguments, and what is typed into it."""

    arguments: tuple[str, ...] = ()
    typed: str = ""

    def __str__(self) -> str:
        line = shlex.join(["program", *self.arguments])
        return f"{line} <<< {shlex.quote(self.typed.rstrip())}" if self.typed else line


@dataclass(frozen=True)
class Usage:
    """`code` that uses a draft and prints, or `runs` one after another in one folder that has `files`."""

    code: str = ""
    runs: tuple[ProgramRun, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    def told(self, fence: str) -> str:
        """For a prompt."""
        if self.code:
            return f"{fence}{self.code}```"
        lines = [f"{name} has {text!r}" for name, text in self.files.items()]
        return "\n".join([*lines, *(f"$ {run}" for run in self.runs)])


def is_program(code: str, language: str) -> bool:
    """Whether it is begun by itself, and not by code that uses it."""
    root = parse(code, language)
    match language:
        case "python":
            does = (node for node in root.children if node.type not in _PYTHON_DEFINES)
            return any(not _is_assignment(node) for node in does)
        case "java":
            return java_unit(code).has_main
        case _:
            return "main" in names_defined(code, language)


_PYTHON_DEFINES = (
    "function_definition",
    "class_definition",
    "decorated_definition",
    "import_statement",
    "import_from_statement",
    "future_import_statement",
    "comment",
)


def _is_assignment(node: Any) -> bool:
    inner = node.named_children[0].type if node.named_children else ""
    return node.type == "expression_statement" and inner in ("assignment", "string")


def usage_start(language: str) -> str:
    """How code that uses other code begins, so that it cannot begin with that other code again."""
    return _STARTS[language]


def usage_of(example: str, code: str, language: str) -> Usage | None:
    """An example that a model wrote for `code`, without what `code` has itself. None where nothing is left."""
    kept = without(example, language, names_defined(code, language) - {"Main", "main"})
    return Usage(code=kept) if kept.strip() else None


def runs_of(text: str) -> Usage | None:
    """Runs that a model wrote as JSON of RUNS_SCHEMA. None where it is cut off, or a file lies elsewhere."""
    try:
        told = json.loads(text)
        files = {item["name"]: item["text"] for item in told["files"]}
        runs = tuple(
            ProgramRun(tuple(run["arguments"]), "".join(f"{line}\n" for line in run["input"]))
            for run in told["runs"]
        )
    except (ValueError, KeyError, TypeError):
        return None
    plain = all(name == PurePosixPath(name).name and name not in ("", ".", "..") for name in files)
    fits = not any("\0" in argument for run in runs for argument in run.arguments)
    return Usage(runs=runs, files=files) if plain and fits else None


def try_out(usage: Usage, code: str, language: str, sandbox: Sandbox) -> dict[str, CallResult]:
    """What comes of a usage, by what was done. Raises ToolchainMissingError and SandboxError."""
    if usage.code:
        return _printing({usage.code: _result(used(usage, code, language), language, sandbox)})
    with toolchain(language, sandbox).build(code) as program:
        if not program.compiled:
            return {str(run): CallResult(error=NOT_COMPILED) for run in usage.runs}
        folder = Path(tempfile.mkdtemp(prefix="duet-usage-"))
        try:
            folder.chmod(0o755)
            for name, text in usage.files.items():
                (folder / name).write_text(text, encoding="utf-8", errors="replace")
            return _printing(
                {f"{number}. {run}": _run(program, run, folder) for number, run in enumerate(usage.runs, 1)}
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _printing(results: dict[str, CallResult]) -> dict[str, CallResult]:
    """Silence throughout says nothing, and two that are silent are not alike."""
    if any(result.error or result.value for result in results.values()):
        return results
    return dict.fromkeys(results, CallResult(error=_NOTHING))


def used(usage: Usage, code: str, language: str) -> str:
    """One program of code and a usage that is code, without what the code does by itself."""
    body = definitions(code, language)
    if language != "java":
        return with_declarations(f"{body}\n{usage.code}", language)
    imports = [node for node in parse(usage.code, "java").children if node.type == "import_declaration"]
    rest = usage.code.encode()[imports[-1].end_byte if imports else 0 :].decode()
    head = "".join(f"{text_of(node)}\n" for node in imports)
    return with_declarations(f"{head}{body}\n{rest.replace('public class Main', 'class Main')}", language)


def _result(source: str, language: str, sandbox: Sandbox) -> CallResult:
    with toolchain(language, sandbox).build(source) as program:
        if not program.compiled:
            return CallResult(error=NOT_COMPILED)
        return _run(program, ProgramRun(), None)


def _run(program: Program, run: ProgramRun, folder: Path | None) -> CallResult:
    ended = program.run(run.typed, limits=USAGE_LIMITS, arguments=run.arguments, folder=folder)
    failure = _failure(ended)
    if failure is not None:
        return CallResult(error=failure)
    code = f"\n(exit code {ended.exit_code})" if ended.exit_code else ""
    return CallResult(f"{ended.stdout.strip()[:_MOST_CHARACTERS]}{code}".strip(), printed=True)


def _failure(run: Run) -> str | None:
    """Why it counts as broken off: killed, by an error that nobody caught, or with an exit code and no word."""
    if run.outcome not in (Outcome.OK, Outcome.WRONG_EXIT):
        return run.reason
    uncaught = run.exit_code == 1 and any(mark in run.stderr for mark in _UNCAUGHT)
    if not uncaught:
        return run.reason if run.exit_code and not run.stdout.strip() else None
    java = next((line for line in run.stderr.splitlines() if line.startswith(_UNCAUGHT[1])), None)
    return java.partition('" ')[2] if java else run.reason
