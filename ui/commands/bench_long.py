"""`duet bench long`: what long texts cost and how well they are remembered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from apps.settings import load_settings
from core_model import catalog
from ui.commands.evaluate import show
from ui.commands.models import progress_bar


def long(
    size: Annotated[
        list[int] | None, typer.Option(help="Tokens of a text; may be given several times.")
    ] = None,
    form: Annotated[
        list[str] | None,
        typer.Option(help="dense, sparse, window, dense-int8, …; may be given several times."),
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="english, chinese, code; may be given several times.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Base model, by name or path [default: DUET_MODEL].")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="The report [default: in DUET_HOME/evaluation]; a plot lies beside it."),
    ] = None,
) -> None:
    """Decode, prefill, cache memory, perplexity and recall of facts, and how cost grows with length."""
    settings = load_settings(**({} if model is None else {"model": model}))
    with progress_bar() as progress:
        path = catalog.resolve(settings.model, settings.home, settings.sources, progress)

    from core_model.causal_lm import load_engine
    from evaluation.long_text import FORMS, KINDS, SIZES, long_text
    from evaluation.plots import curves
    from evaluation.report import Data, Report

    sizes, forms = size or list(SIZES), form or list(FORMS)
    loaded = load_engine(
        settings.model,
        weights=settings.weights,
        threads=settings.threads,
        cache_tokens=32,
        home=settings.home,
    )
    console = Console(stderr=True)
    try:
        found = long_text(
            loaded.decoder, loaded.tokenizer, sizes, forms, kind or list(KINDS), progress=console.print
        )
    finally:
        loaded.close()
    name = f"bench-long-{path.stem}-{settings.weights}"
    target = output or settings.home / "evaluation" / f"{name}.json"
    report = Report("bench long", f"{path.stem} ({settings.weights})", Data.of(path, 0), found)
    report.write(target)
    plots = [
        curves(title, {one: [(n, found[f"{one}_{n}_{figure}"]) for n in sizes] for one in forms}, unit)
        for title, figure, unit in (("Prefill", "prefill_seconds", "s"), ("Decode", "decode_ms", "ms"))
    ]
    target.with_suffix(".html").write_text("<!doctype html>\n" + "\n".join(plots) + "\n", encoding="utf-8")
    show(report, target)
