"""`duet adapters make-reader-data`: the reader's training and test examples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from apps.settings import PACKAGED_ADAPTERS


def make_reader_data(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="With wordings/, test/ and the catalogue.")
    ] = PACKAGED_ADAPTERS / "support-reader",
    output: Annotated[
        Path | None, typer.Option(help="Where the files go; the folder itself by default.")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="With bitext/train.csv, which is optional."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed draws other situations.")] = 1,
    times: Annotated[
        int, typer.Option(min=1, help="How often each wording is seen, each time otherwise.")
    ] = 2,
) -> None:
    """Put the wordings into made-up situations: training.jsonl and test.jsonl."""
    from evaluation.reader_data.build import build_reader_data

    built = build_reader_data(folder, output or folder, data_dir, seed, times, typer.echo)
    table = Table("from", "training", "test")
    for name, count in built.training.items():
        table.add_row(name, f"{count:,}", f"{built.test.get(name, 0):,}")
    Console().print(table)
