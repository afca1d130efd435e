"""`duet keys`: who may use the server, and for what."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from apps.auth import Scope
from ui.commands.db import open_database

app = typer.Typer(no_args_is_help=True, help="API keys: create, list, revoke.")

Name = Annotated[str, typer.Argument(help="What the key is for, for instance the program that uses it.")]


@app.command()
def create(
    name: Name,
    scope: Annotated[
        list[Scope],
        typer.Option(
            help="models: OpenAI's endpoints and code. support: conversations of strangers. trusted: conversations "
            "whose customer the caller names. desk: tickets, drafts, agents. admin: everything. Can be repeated."
        ),
    ],
) -> None:
    """Make a key and show it, once: only its hash is kept."""
    from apps import api_keys

    with open_database().write() as session:
        key = api_keys.create(session, name, scope)
    typer.echo(key)
    typer.echo("Keep it now: it cannot be shown again.", err=True)


@app.command("list")
def list_keys() -> None:
    """Show the keys, without what makes them keys."""
    from apps import api_keys

    table = Table("name", "begins with", "scopes", "created", "revoked")
    table.columns[0].no_wrap = True
    with open_database().read() as session:
        for key in api_keys.list_keys(session):
            revoked = f"{key.revoked_at:%Y-%m-%d}" if key.revoked_at else ""
            table.add_row(
                key.name, key.beginning, " ".join(key.scopes), f"{key.created_at:%Y-%m-%d}", revoked
            )
    Console().print(table)


@app.command()
def revoke(name: Name) -> None:
    """Refuse a key from now on, also in a server that is running."""
    from apps import api_keys

    with open_database().write() as session:
        api_keys.revoke(session, name)
    typer.echo(f"{name} is revoked.", err=True)
