"""Python's tests in one sandboxed program, the candidate in another: only plain data goes between them.

A candidate can then end its own program, or patch and read what it likes in there; the tests are not where it is.
"""

from __future__ import annotations

import ast
import builtins
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from apps.code.sandbox import Limits, Run, Sandbox
from apps.code.sandbox.budget import BUDGET
from apps.code.sandbox.pipes import Pipe
from apps.code.toolchains import PythonToolchain

ASSERTED, GONE = 10, 11  # exit codes of tests.py
_FOLDER = Path(__file__).parent
_AFTERWARDS_S = 10.0  # for the tests to end in when the candidate has


@dataclass(frozen=True)
class Apart:
    """The two runs of one judgement."""

    tests: Run
    candidate: Run


def run_apart(
    before: str, code: str, after: str, entry_point: str, sandbox: Sandbox, limits: Limits
) -> Apart:
    """`before` is known to both; `after`, the tests, to their own program only.

    Raises SandboxError, and SyntaxError when the tests are none.
    """
    tools = PythonToolchain(sandbox)
    values = (_FOLDER / "values.py").read_text(encoding="utf-8")
    classes = [node.name for node in ast.parse(before).body if isinstance(node, ast.ClassDef)]
    known = f"CLASSES = frozenset({classes!r})\nUSED = {_names_used(after)!r}\nENTRY_POINT = {entry_point!r}\n"

    def entry(name: str) -> str:
        return f"{values}\n\n{known}\n{(_FOLDER / name).read_text(encoding='utf-8')}"

    asked, answers = Pipe(), Pipe()
    for pipe in (asked, answers):
        os.set_blocking(pipe.outlet, True)
    patient = replace(limits, wall_s=limits.wall_s + _AFTERWARDS_S)
    with (
        tools.build(before + code, entry=entry("candidate.py")) as candidate,
        tools.build("", entry=entry("tests.py"), beside={"before.py": before, "after.py": after}) as tests,
        asked,
        answers,
        BUDGET.of(2 * (limits.memory_bytes + limits.scratch_bytes)),
        ThreadPoolExecutor(1) as pool,
    ):
        # each end belongs to one program only: here they are closed as soon as it has them
        theirs, ours = (asked.release_outlet(), answers.release_inlet()), (answers.release_outlet(), asked.release_inlet())
        peer = {"DUET_PEER": f"{theirs[0]}:{theirs[1]}"}
        running = pool.submit(
            candidate.run, limits=limits, environment=peer, descriptors=theirs, reserved=True
        )
        peer = {"DUET_PEER": f"{ours[0]}:{ours[1]}"}
        tested = tests.run(limits=patient, environment=peer, descriptors=ours, reserved=True)
        return Apart(tested, running.result())


def _names_used(tests: str) -> list[str]:
    """What the tests read by name, builtins left out."""
    names = {node.id for node in ast.walk(ast.parse(tests)) if isinstance(node, ast.Name)}
    return sorted(name for name in names if not hasattr(builtins, name))
