"""Python's tests in one sandboxed program, the candidate in another: only plain data goes between them.

A candidate can then end its own program, or patch and read what it likes in there; the tests are not where it is.
"""

from __future__ import annotations

import ast
import builtins
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from apps.code.sandbox import Limits, Run, Sandbox
from apps.code.sandbox.budget import BUDGET
from apps.code.sandbox.pipes import Pipe
from apps.code.toolchains import PythonToolchain

ASSERTED, GONE = 10, 11  # exit codes of judge.py
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
    classes = [node.name for node in ast.parse(before).body if isinstance(node, ast.ClassDef)]
    known = json.dumps({"classes": classes, "used": _names_used(after), "entry_point": entry_point})
    asked, answers = Pipe(), Pipe()
    for pipe in (asked, answers):
        os.set_blocking(pipe.outlet, True)
    patient = replace(limits, wall_s=limits.wall_s + _AFTERWARDS_S)
    with (
        tools.build(before + code, entry=_entry("candidate.py")) as candidate,
        tools.build("", entry=_entry("judge.py"), beside={"before.py": before, "after.py": after}) as tests,
        asked,
        answers,
        BUDGET.of(2 * (limits.memory_bytes + limits.scratch_bytes)),
        ThreadPoolExecutor(1) as pool,
    ):
        # each end belongs to one program only: here they are closed as soon as it has them
        theirs, ours = (
            (asked.release_outlet(), answers.release_inlet()),
            (answers.release_outlet(), asked.release_inlet()),
        )
        peer = {"DUET_PEER": f"{theirs[0]}:{theirs[1]}", "DUET_KNOWN": known}
        running = pool.submit(
            candidate.run, limits=limits, environment=peer, descriptors=theirs, reserved=True
        )
        peer = {"DUET_PEER": f"{ours[0]}:{ours[1]}", "DUET_KNOWN": known}
        tested = tests.run(limits=patient, environment=peer, descriptors=ours, reserved=True)
        return Apart(tested, running.result())


def _entry(name: str) -> str:
    """A program's text: nothing of this project can be imported where it runs."""
    values = (_FOLDER / "values.py").read_text(encoding="utf-8")
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return re.sub(r"^from evaluation\.apart\.values import .*$", lambda _: values, text, flags=re.MULTILINE)


def _names_used(tests: str) -> list[str]:
    """What the tests read by name, builtins left out."""
    names = {node.id for node in ast.walk(ast.parse(tests)) if isinstance(node, ast.Name)}
    return sorted(name for name in names if not hasattr(builtins, name))
