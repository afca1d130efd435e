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
) -> None:
    """Import a shop's own data: all of the file, or nothing."""
    from apps.support.shop.handbook import has_handbook
    from apps.support.shop.importing import import_file

    database = open_database()
    report = import_file(database, file)
    console.print(
        f"Imported {report.products} products, {report.customers} customers, {report.orders} orders."
    )
    if report.ignored_columns:
        console.print(f"Columns not read: {', '.join(report.ignored_columns)}", markup=False)
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
