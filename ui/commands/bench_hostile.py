"""`duet bench hostile`: what one hostile request costs everybody else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apps.settings import load_settings
from ui.commands.evaluate import show
from ui.commands.progress import bar


def hostile(
    url: Annotated[str, typer.Option(help="A running server.")] = "http://127.0.0.1:8000",
    key: Annotated[str | None, typer.Option(help="A key with the scope models.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation].")
    ] = None,
) -> None:
    """Send requests made to be slow: the longest wait for /health and the longest pause of a plain answer beside."""
    from evaluation import hostile_load as evaluation
    from evaluation.report import Data, Report

    with bar("measuring", len(evaluation.REQUESTS)) as shown:
        found = evaluation.hostile_load(url, key, shown.advance)
    target = output or load_settings().home / "evaluation" / "bench-hostile.json"
    report = Report("bench hostile", url, Data.of(Path(evaluation.__file__), len(evaluation.REQUESTS)), found)
    report.write(target)
    show(report, target)
