"""`duet eval quantization`: what rounding the weights costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from apps.settings import load_settings
from core_model import catalog
from ui.commands.evaluate import show


def quantization(
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True, help="A text, or a folder of texts [default: files of Duet and of this Python]."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Base model, by name or path [default: DUET_MODEL].")
    ] = None,
    limit: Annotated[int, typer.Option(min=2, help="Tokens of each text.")] = 1024,
    output: Annotated[
        Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation].")
    ] = None,
) -> None:
    """Perplexity of int8 and int4 weights against float32 of the same file."""
    settings = load_settings(**({} if model is None else {"model": model}))
    path = catalog.resolve(settings.model, settings.home)

    from core_model.checkpoint import load_checkpoint
    from core_model.tokenizer import Tokenizer
    from evaluation import quantization as evaluation
    from evaluation.report import Data, Report

    checkpoint = load_checkpoint(path, settings.home / "packed")
    texts = evaluation.read_texts(data) if data else evaluation.default_texts()
    with Console(stderr=True).status("loading") as status:
        found = evaluation.quantization_loss(
            checkpoint,
            Tokenizer(checkpoint.tokenizer),
            texts,
            settings.home,
            settings.threads,
            limit,
            status.update,
        )
    report = Report(
        "eval quantization", path.stem, Data.of(data or path, sum(map(len, texts.values()))), found
    )
    target = output or settings.home / "evaluation" / f"eval-quantization-{path.stem}.json"
    report.write(target)
    show(report, target)
