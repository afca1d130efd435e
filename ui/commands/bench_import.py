"""`duet bench import`: a large import into a shop that is open."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from apps.settings import load_settings
from ui.commands.evaluate import show


def import_(
    orders: Annotated[
        int, typer.Option("--orders", "--limit", min=1, help="Orders of one to three items.")
    ] = 100_000,
    database_url: Annotated[
        str | None,
        typer.Option(help="An empty database to fill, as postgresql://… [default: a SQLite file]."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation].")
    ] = None,
) -> None:
    """Import orders: time, peak memory, and the longest wait of a conversation meanwhile."""
    from apps.support.shop.database import Database
    from evaluation.report import Data, Report
    from evaluation.support.import_speed import import_speed

    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="duet-bench-") as name,
        console.status("writing a shop") as status,
    ):
        folder = Path(name)
        database = Database(database_url or f"sqlite:///{folder / 'shop.db'}")
        try:
            database.upgrade()
            found = import_speed(database, folder, orders, status.update)
        finally:
            database.close()
        described = Data.of(folder / "orders.csv", orders)
    kind = "sqlite" if database.is_sqlite else "postgresql"
    target = output or load_settings().home / "evaluation" / f"bench-import-{kind}.json"
    report = Report("bench import", kind, described, found)
    report.write(target)
    show(report, target)
