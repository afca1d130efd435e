"""`duet db`: the shop's database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from apps.settings import load_settings

if TYPE_CHECKING:
    from apps.support.shop.database import Database
    from apps.support.shop.importing.options import ImportReport, Progress

app = typer.Typer(help="The shop's database (DUET_DATABASE_URL).", no_args_is_help=True)
console = Console(soft_wrap=True)


def open_database() -> Database:
    """The settings' database, at this version's tables, with what an interrupted import left to write."""
    from apps.support.shop.database import Database
    from apps.support.shop.importing import finish_interrupted

    database = Database(load_settings().database_url)
    database.upgrade()
    finish_interrupted(database)
    return database


@app.command()
def upgrade() -> None:
    """Create the tables, or migrate them to this version."""
    console.print(f"{open_database().safe_url} is up to date.")


@app.command(name="seed")
def seed_command() -> None:
    """Fill an empty database with a demonstration shop and the policy handbook."""
    from apps.support.shop.policy import load_policy
    from apps.support.shop.seed import DEMO_EMAILS, seed

    policy = load_policy(load_settings().policy)
    with open_database().write() as session:
        filled = seed(session, datetime.now(UTC).date(), policy=policy)
    if filled:
        console.print(f"Seeded. Try it as {' or '.join(DEMO_EMAILS)}.")
    else:
        console.print("The database has customers already; nothing was changed.")


@app.command(name="import")
def import_command(
    file: Annotated[Path, typer.Argument(help="A .json or .csv export; docs/support.md lists the layouts.")],
    update: Annotated[
        bool, typer.Option("--update", help="Change what is there already: state, stock, price …")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the file and say what it would do.")
    ] = False,
    decimal: Annotated[
        Literal["comma", "point"] | None,
        typer.Option(help="The decimal mark [default: as the figures tell]."),
    ] = None,
    day_first: Annotated[
        bool | None,
        typer.Option("--day-first/--month-first", help="05/01/2024 [default: as the dates tell]."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="The file's encoding, as cp1252 [default: UTF-8, UTF-16 by its mark].")
    ] = None,
    states: Annotated[
        Path | None, typer.Option(help="JSON {word: state}: your own words for the state of an order.")
    ] = None,
) -> None:
    """Import a shop's own data: all of the file, or nothing."""
    from apps.support.shop.importing import DateOrder, DecimalMark, ImportOptions, import_file

    options = ImportOptions(
        update=update,
        dry_run=dry_run,
        decimal=None if decimal is None else DecimalMark(decimal),
        dates=None if day_first is None else DateOrder.DAY_FIRST if day_first else DateOrder.MONTH_FIRST,
        encoding=encoding,
        states=states,
    )
    database = open_database()
    with _progress() as progress:
        report = import_file(database, file, options, progress)
    _show(report, dry_run)
    _say_what_is_missing(database)


@app.command()
def delete(
    kind: Annotated[
        Literal["order", "variant", "customer"], typer.Argument(help="order, variant or customer.")
    ],
    key: Annotated[str, typer.Argument(help="The order's number, the variant's sku, the customer's e-mail.")],
) -> None:
    """Delete a wrong row. Refused where others need it."""
    from apps.support.errors import ConflictError
    from apps.support.shop.deleting import delete_row
    from apps.support.shop.locks import Work, at_once

    database = open_database()
    with at_once(database, Work.IMPORT) as held:
        if held is None:
            raise ConflictError("an import is under way; try again when it is done")
        with database.write() as session:
            deleted = delete_row(session, kind, key)
    parts = "".join(
        f", {count} of its {table.replace('_', ' ')}" for table, count in deleted.items() if count
    )
    console.print(f"Deleted {kind} {key}{parts}.", markup=False)


def _show(report: ImportReport, dry_run: bool) -> None:
    console.print("Nothing was written. The import would bring:" if dry_run else "Imported:")
    for name in ("variants", "customers", "orders"):
        tally = getattr(report, name)
        if any((tally.new, tally.changed, tally.unchanged)):
            products = (
                f" of {report.products:,} new products" if name == "variants" and report.products else ""
            )
            counts = f"{tally.new:,} new{products}, {tally.changed:,} changed, {tally.unchanged:,} unchanged"
            console.print(f"  {name}: {counts}", highlight=False)
    if report.other_items:
        console.print(
            f"{report.other_items:,} orders have other items in the file: those of an order that is there stay."
        )
    for refused in report.refused:
        console.print(f"Left out, because the shop was changed meanwhile: {refused}", markup=False)
    if report.ignored_columns:
        console.print(f"Columns not read: {', '.join(report.ignored_columns)}", markup=False)


def _say_what_is_missing(database: Database) -> None:
    """What the assistant goes by that no import brings."""
    from apps.support.shop.handbook import has_handbook

    with database.read() as session:
        if not has_handbook(session):
            console.print(
                "The shop has no handbook yet, so questions about its rules go unanswered: "
                "`duet handbook load DIR` loads one."
            )
    if load_settings().policy is None:
        console.print(
            "What may be returned, cancelled or changed follows the demonstration shop's policy until DUET_POLICY "
            "names yours (docs/support.md)."
        )


@contextmanager
def _progress() -> Iterator[Progress]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total or None
        )
