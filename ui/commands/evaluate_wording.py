"""`duet eval wording`: how well a model puts facts into words, with and without a reply adapter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.settings import Settings, load_settings
from core_model import catalog
from ui.commands.adapters import adapter_folder
from ui.commands.case_runs import case_bar, run_mark, spare_inputs
from ui.commands.evaluate import show
from ui.commands.models import progress_bar

if TYPE_CHECKING:
    from apps.support.replies.writer import ReplyWriter


def wording(
    data: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="test.jsonl of `duet adapters make-replies`.")
    ],
    adapter: Annotated[
        str | None, typer.Option(help="A reply adapter, by name or folder [default: the bare model].")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Base model [default: DUET_MODEL].")] = None,
    no_grounding: Annotated[
        bool, typer.Option("--no-grounding", help="Let the model state what it likes: for comparison.")
    ] = False,
    together: Annotated[int, typer.Option(min=1, help="Replies at the same time.")] = 8,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many turns, evenly spaced.")] = None,
    output: Annotated[Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation]")] = None,
) -> None:
    """Say the notes of turns that were kept apart, and compare with references."""
    from evaluation import wording as evaluation
    from evaluation.cases import CaseFile
    from evaluation.report import Data, Report

    spare_inputs(output, data)
    pairs = evaluation.load(data, limit)
    settings = load_settings(**({} if model is None else {"model": model}))
    folder = adapter_folder(adapter) if adapter else None
    described = Data.of(data, len(pairs))
    name = catalog.name_of(settings.model)
    run: dict[str, Any] = {
        "command": "eval wording",
        "model": name,
        "weights": settings.weights,
        "adapter": folder and hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest(),
        "grounding": not no_grounding,
        "data": described.sha256,
        "together": together,
        "limit": limit,
    }
    path = output or settings.home / "evaluation" / f"eval-wording-{name}-{run_mark(run)}.json"
    with (
        CaseFile(path.with_suffix(".cases.jsonl"), run) as cases,
        _writer(settings, folder, together, not no_grounding) as writer,
        case_bar("writing", len(pairs), len(cases.cases)) as on_case,
    ):
        evaluation.run(pairs, writer, cases, together, on_case)
        figures = evaluation.metrics(cases.cases.values())
        report = Report(
            "eval wording", name, described, figures, folder.name if folder else None, str(cases.path)
        )
    report.write(path)
    show(report, path)


@contextmanager
def _writer(settings: Settings, adapter: Path | None, together: int, grounded: bool) -> Iterator[ReplyWriter]:
    with progress_bar() as progress:
        catalog.resolve(settings.model, settings.home, settings.sources, progress)

    from apps.support.replies.writer import ReplyWriter
    from core_model import DuetChatModel, load_engine
    from core_model.lora import load_adapter

    engine = load_engine(
        settings.model,
        weights=settings.weights,
        threads=settings.threads,
        max_sequences=together,
        home=settings.home,
    )
    try:
        if adapter is not None:
            engine.add_adapter(load_adapter(adapter, engine.config))
        name = adapter.name if adapter else None
        yield ReplyWriter(
            DuetChatModel(engine=engine), window=settings.support_window, adapter=name, grounded=grounded
        )
    finally:
        engine.close()
