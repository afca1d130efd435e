"""`duet adapters learn|approve|decline|rollback`: what the desk said, learnt, and put into service or taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from apps.settings import Settings, load_settings
from ui.commands.training_display import require_training_packages, training_display

if TYPE_CHECKING:
    from pathlib import Path

    from apps.support.learning.versions import Versions
    from apps.support.shop.database import Database
    from apps.support.shop.models import LearningRun

Which = Literal["reader", "replies"]


def learn(
    which: Annotated[
        Which | None, typer.Argument(help="What learns; without it both, one after the other.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=50, help="Only so many rows of the fixed test, evenly spaced.")
    ] = None,
) -> None:
    """Train the assistant's adapters further on what the desk said since the last time.

    Thumbs and corrected intents teach the reader, drafts as they were sent the replies. A version that is better
    in that, and worse in nothing that is guarded, goes into service; with DUET_LEARNING_ASKS a person is asked
    first (`duet adapters approve|decline`). A running server takes it over within seconds.
    """
    require_training_packages()
    from ui.learning import School
    from ui.lessons import ReaderLesson, ReplyLesson

    settings = load_settings()
    try:
        with _database(settings) as database, training_display() as (report, note):
            school = School(settings, database, note, report)
            if which in (None, "reader"):
                versions = _versions(settings, "reader")
                _show(school.learn(ReaderLesson(versions, note, limit), versions))
            if which in (None, "replies"):
                versions = _versions(settings, "replies")
                lesson = ReplyLesson(versions, settings.support_window, note, limit)
                _show(school.learn(lesson, versions))
    except KeyboardInterrupt:
        typer.echo("\ninterrupted; what serves is as it was", err=True)
        raise typer.Exit(130) from None


def approve(name: Annotated[str, typer.Argument(help="The adapter's name.")]) -> None:
    """Put into service what an adapter learnt and waits for a person."""
    from ui import learning

    settings = load_settings()
    with _database(settings) as database:
        run = learning.approve(database, _named(settings, name))
    typer.echo(f"{name}: version {run.version} serves")


def decline(name: Annotated[str, typer.Argument(help="The adapter's name.")]) -> None:
    """Keep out what an adapter learnt and waits for a person; its rows are not looked at again."""
    from ui import learning

    settings = load_settings()
    with _database(settings) as database:
        run = learning.decline(database, _named(settings, name))
    typer.echo(f"{name}: version {run.version} stays out")


def rollback(name: Annotated[str, typer.Argument(help="The adapter's name.")]) -> None:
    """Let the version of an adapter serve that served before."""
    from ui import learning

    settings = load_settings()
    with _database(settings) as database:
        before, now = learning.roll_back(database, _named(settings, name))
    typer.echo(f"{name}: version {now} serves in place of {before}{'' if now else ' (as it was delivered)'}")


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    from apps.support.shop.database import Database

    database = Database(settings.database_url)
    try:
        database.upgrade()
        yield database
    finally:
        database.close()


def _versions(settings: Settings, which: Which) -> Versions:
    """Of the adapter that serves on the base of the settings. Raises AdapterError where there is none."""
    from apps.support.learning.versions import Versions
    from core_model.errors import AdapterError
    from ui.support_pipeline import readers_for, replies_for

    folders: list[Path] = (readers_for if which == "reader" else replies_for)(settings, settings.model)
    if not folders:
        raise AdapterError(
            f"{settings.adapters_dir} has no adapter for {which} on {settings.model} (docs/training.md)"
        )
    return Versions(settings.home, folders[0])


def _named(settings: Settings, name: str) -> Versions:
    from apps.support.learning.versions import Versions
    from ui.commands.adapters import adapter_folder

    return Versions(settings.home, adapter_folder(name))


def _show(run: LearningRun | None) -> None:
    if run is None:
        return
    table = Table(
        "figure", "rows", "before", "now", title=f"{run.adapter} {run.version}", title_justify="left"
    )
    for figure in run.figures:
        before = f"{figure['served']:.2%}" if "served" in figure else ""
        table.add_row(figure["name"], str(figure["rows"]), before, f"{figure['learnt']:.2%}")
    Console().print(table)
    typer.echo(f"{run.adapter} {run.version}: {run.status.value.replace('_', ' ')}")
    for reason in run.reasons:
        typer.echo(f"  {reason}")
