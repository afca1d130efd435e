"""What the commands that measure case by case share: a run's mark, and the bar of its cases."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.progress import MofNCompleteColumn, TimeRemainingColumn

from ui.commands.progress import bar


def run_mark(run: Mapping[str, Any]) -> str:
    """One mark for each way to run, in its report's name, so that an interrupted run is found again."""
    return hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()[:8]


def spare_inputs(output: Path | None, *inputs: Path | None) -> None:
    """Raises BadParameter where the report would be written over what it is made from."""
    for path in inputs:
        if output is not None and path is not None and output.resolve() == path.resolve():
            raise typer.BadParameter(
                f"{output} is what is measured: name another file for the report", param_hint="--output"
            )


@contextmanager
def case_bar(doing: str, total: int, done: int) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """A bar on the terminal that takes each finished case, and says how many passed where cases say so."""
    passed = count = 0
    with bar(doing, total, min(done, total), columns=(MofNCompleteColumn, TimeRemainingColumn)) as shown:

        def on_case(case: Mapping[str, Any]) -> None:
            nonlocal passed, count
            count += 1
            passed += case.get("passed", False)
            shown.advance(f"{passed} of {count} passed" if "passed" in case else doing)

        yield on_case
