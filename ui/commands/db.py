"""`duet db`: the shop's database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from apps.settings import load_settings

if TYPE_CHECKING:
    from apps.support.shop.database import Database

app = typer.Typer(help="The shop's database (DUET_DATABASE_URL).", no_args_is_help=True)
console = Console(soft_wrap=True)


def open_database() -> Database:
    """The settings' database, at this version's tables."""
    from apps.support.shop.database import Database

    database = Database(load_settings().database_url)
    database.upgrade()
    return database


@app.command()
def upgrade() -> None:
    """Create the tables, or migrate them to this version."""
    console.print(f"{open_database().safe_url} is up to date.")


@app.command(name="seed")
def seed_command() -> None:
    """Fill an empty database with a demonstration shop and the policy handbook."""
    from apps.support.shop.seed import DEMO_EMAILS, seed

    with open_database().write() as session:
        filled = seed(session, datetime.now(UTC).date())
    if filled:
        console.print(f"Seeded. Try it as {' or '.join(DEMO_EMAILS)}.")
    else:
        console.print("The database has customers already; nothing was changed.")


@app.command(name="import")
def import_command(
    file: Annotated[Path, typer.Argument(help="A .json or .csv export; docs/support.md lists the layouts.")],
) -> None:
    """Import a shop's own data: all of the file, or nothing."""
    from apps.support.shop.importing import import_file

    report = import_file(open_database(), file)
    console.print(
        f"Imported {report.products} products, {report.customers} customers, {report.orders} orders."
    )
    if report.ignored_columns:
        console.print(f"Columns not read: {', '.join(report.ignored_columns)}", markup=False)
