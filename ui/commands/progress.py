"""The bar on stderr that every long command shows; none where stderr is no terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

COUNT: tuple[type[ProgressColumn], ...] = (MofNCompleteColumn, TimeElapsedColumn)
REMAINING: tuple[type[ProgressColumn], ...] = (TimeElapsedColumn, TimeRemainingColumn)


class Bar:
    """`console` is for lines above the bar."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self.console = progress.console
        self._progress = progress
        self._task = task

    def show(self, done: int, total: int | None = None, doing: str | None = None) -> None:
        """How far it is; what is None stays as it was."""
        self._progress.update(self._task, completed=done, total=total, description=doing)

    def advance(self, doing: str | None = None) -> None:
        """One more is done."""
        self._progress.update(self._task, advance=1, description=doing)


@contextmanager
def bar(
    doing: str,
    total: int | None = None,
    done: int = 0,
    *,
    columns: tuple[type[ProgressColumn], ...] = COUNT,
    stays: bool = False,
) -> Iterator[Bar]:
    """`stays` leaves the bar on the screen at the end."""
    console = Console(stderr=True)
    shown = (TextColumn("{task.description}"), BarColumn(), *(column() for column in columns))
    with Progress(*shown, console=console, transient=not stays, disable=not console.is_terminal) as progress:
        yield Bar(progress, progress.add_task(doing, total=total, completed=done))
