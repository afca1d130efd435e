"""`duet eval intents`: how well a classification adapter recognises intents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from apps.settings import load_settings
from ui.commands.adapters import adapter_folder
from ui.commands.case_runs import case_bar, run_mark
from ui.commands.evaluate import show

if TYPE_CHECKING:
    from core_model.classifier import Classifier

SHOWN_CONFUSIONS = 10


def intents(
    data: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A CSV file with a header.")],
    text_column: Annotated[str, typer.Option(help="The column of the utterances.")] = "text",
    label_column: Annotated[str, typer.Option(help="The column of the labels.")] = "label",
    adapter: Annotated[str, typer.Option(help="An adapter's name or folder.")] = "support-intent",
    model: Annotated[str | None, typer.Option(help="Base model [default: the adapter's own].")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many rows, evenly spaced.")] = None,
    output: Annotated[Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation]")] = None,
) -> None:
    """Classify the rows of a CSV file. Rows with labels that the adapter does not know are out of scope."""
    from core_model.lora import base_of
    from evaluation import intents as evaluation
    from evaluation.cases import CaseFile
    from evaluation.report import Data, Report

    rows = evaluation.load(data, text_column, label_column, limit)
    folder = adapter_folder(adapter)
    name = model or base_of(folder)
    described = Data.of(data, len(rows))
    weights = (folder / "adapter_model.safetensors").read_bytes()
    run: dict[str, Any] = {
        "command": "eval intents",
        "model": name,
        "adapter": folder.name,
        "adapter_sha256": hashlib.sha256(weights).hexdigest(),
        "settings_sha256": hashlib.sha256((folder / "classifier.json").read_bytes()).hexdigest(),
        "data": described.sha256,
        "columns": [text_column, label_column],
        "limit": limit,
    }
    report_path = output or load_settings().home / "evaluation" / _file_name(data, run)
    with CaseFile(report_path.with_suffix(".cases.jsonl"), run) as cases, _classifier(name, folder) as found:
        unknown = evaluation.unknown_labels(rows, found)
        if unknown:
            typer.echo(f"out of scope for this adapter: rows labelled {', '.join(unknown)}", err=True)
        with case_bar("classifying", len(rows), len(cases.cases)) as on_case:
            evaluation.run(rows, found, cases, on_case)
        figures = evaluation.metrics(cases.cases.values(), found.settings.out_of_scope)
        matrix = report_path.with_suffix(".confusion.csv")
        evaluation.write_confusion_matrix(cases.cases.values(), matrix)
        wrong = evaluation.confusions(cases.cases.values())[:SHOWN_CONFUSIONS]
        report = Report("eval intents", name, described, figures, adapter=folder.name, cases=str(cases.path))
    report.write(report_path)
    if wrong:
        table = Table("label", "answered", "rows", title="most confused", title_justify="left")
        for label, answer, count in wrong:
            table.add_row(label, answer, str(count))
        Console().print(table)
    typer.echo(matrix)
    show(report, report_path)


@contextmanager
def _classifier(model: str, folder: Path) -> Iterator[Classifier]:
    from core_model.causal_lm import load_engine
    from core_model.classifier import Classifier

    settings = load_settings(model=model)
    engine = load_engine(
        settings.model, weights=settings.weights, threads=settings.threads, home=settings.home
    )
    try:
        yield Classifier.load(engine, folder)
    finally:
        engine.close()


def _file_name(data: Path, run: dict[str, Any]) -> str:
    return f"eval-intents-{data.stem}-{run['adapter']}-{run_mark(run)}.json"
