"""`duet handbook`: the rules in the shop's own words, which the assistant quotes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from apps.settings import load_settings
from ui.commands.db import open_database

app = typer.Typer(help="The shop's handbook: what the assistant quotes.", no_args_is_help=True)
console = Console(soft_wrap=True)


@app.command()
def load(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Articles <language>/<name>.md, for instance en/returns.md."),
    ],
) -> None:
    """Replace the stored handbook by a folder's: all of it, or nothing where an article is wrong."""
    from apps.support.shop.handbook import load_handbook
    from apps.support.shop.policy import load_policy

    policy = load_policy(load_settings().policy)
    with open_database().write() as session:
        count = load_handbook(session, policy, folder, str(folder.resolve()))
    console.print(f"Loaded {count} articles from {folder}.", markup=False)


@app.command()
def show() -> None:
    """List the stored articles, and where they were loaded from."""
    from sqlalchemy import select

    from apps.support.shop.models import PolicyArticle

    with open_database().read() as session:
        articles = session.scalars(
            select(PolicyArticle).order_by(PolicyArticle.language, PolicyArticle.slug)
        ).all()
        if not articles:
            console.print("The shop has no handbook: `duet handbook load DIR` loads one.")
            return
        table = Table("language", "article", "title", "sections", "loaded from")
        for article in articles:
            source = article.source or "unknown: load it again, and it follows the policy"
            table.add_row(article.language, article.slug, article.title, str(len(article.sections)), source)
        console.print(table)
