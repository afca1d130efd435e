"""What the commands that measure case by case share: a run's mark, and the bar of its cases."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


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
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    passed = count = 0
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(doing, total=total, completed=min(done, total))

        def on_case(case: Mapping[str, Any]) -> None:
            nonlocal passed, count
            count += 1
            passed += case.get("passed", False)
            words = f"{passed} of {count} passed" if "passed" in case else doing
            bar.update(task, advance=1, description=words)

        yield on_case
