"""`duet eval intents`: how well the reader, or a classification adapter, recognises intents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from apps.settings import Settings, load_settings
from core_model import catalog
from ui.commands.adapters import WEIGHTS, adapter_folder
from ui.commands.case_runs import case_bar, run_mark, spare_inputs
from ui.commands.evaluate import show
from ui.commands.trial_reader import reader_mark, trial_reader

if TYPE_CHECKING:
    from evaluation.intents import Recogniser

SHOWN_CONFUSIONS = 10


def intents(
    data: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A CSV file with a header.")],
    text_column: Annotated[str, typer.Option(help="The column of the utterances.")] = "text",
    label_column: Annotated[str, typer.Option(help="The column of the labels.")] = "label",
    adapter: Annotated[
        str | None, typer.Option(help="A classification adapter's name or folder [default: the reader].")
    ] = None,
    acceptable: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="JSON: label → the intents that are right for it; rows of other labels are left out.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Base model [default: the adapter's own, or DUET_MODEL].")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many rows, evenly spaced.")] = None,
    output: Annotated[Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation]")] = None,
) -> None:
    """Recognise the intents of a CSV file's rows. Rows with labels that are not known are out of scope."""
    from evaluation import intents as evaluation
    from evaluation.cases import CaseFile
    from evaluation.report import Data, Report

    spare_inputs(output, data, acceptable)
    rows = evaluation.load(data, text_column, label_column)
    folder = adapter_folder(adapter) if adapter is not None else None
    settings = _settings(model, folder)
    described = Data.of(data, len(rows))
    name = catalog.name_of(settings.model)
    run: dict[str, Any] = {
        "command": "eval intents",
        "model": name,
        "weights": settings.weights,
        **(_adapter_mark(folder) if folder else reader_mark(settings)),
        "data": described.sha256,
        "acceptable": acceptable and hashlib.sha256(acceptable.read_bytes()).hexdigest(),
        "columns": [text_column, label_column],
        "limit": limit,
    }
    report_path = output or settings.home / "evaluation" / _file_name(data, run)
    with (
        CaseFile(report_path.with_suffix(".cases.jsonl"), run) as cases,
        _recogniser(settings, folder) as found,
    ):
        accepted = None
        if acceptable is not None:
            accepted = evaluation.load_acceptable(acceptable, {*found.labels, found.out_of_scope})
            judged = [row for row in rows if row.label in accepted]
            if len(judged) < len(rows):
                typer.echo(
                    f"left out: {len(rows) - len(judged)} of {len(rows)} rows, with labels that {acceptable} "
                    "has no intents for",
                    err=True,
                )
            rows = judged
        else:
            rows, unknown = evaluation.only_known(rows, found)
            if unknown:
                typer.echo(f"out of scope here: rows labelled {', '.join(unknown)}", err=True)
        rows = evaluation.evenly_spaced(rows, limit)
        with case_bar("classifying", len(rows), len(cases.cases)) as on_case:
            evaluation.run(rows, found, cases, accepted, on_case)
        figures = evaluation.metrics(cases.cases.values(), found.out_of_scope)
        matrix = report_path.with_suffix(".confusion.csv")
        evaluation.write_confusion_matrix(cases.cases.values(), matrix)
        wrong = evaluation.confusions(cases.cases.values())[:SHOWN_CONFUSIONS]
        described = Data(described.path, described.sha256, len(rows))
        report = Report(
            "eval intents", name, described, figures, adapter=run["adapter"], cases=str(cases.path)
        )
    report.write(report_path)
    if wrong:
        table = Table("label", "answered", "rows", title="most confused", title_justify="left")
        for label, answer, count in wrong:
            table.add_row(label, answer, str(count))
        Console().print(table)
    typer.echo(matrix)
    show(report, report_path)


def _settings(model: str | None, folder: Path | None) -> Settings:
    """Of the adapter's own base where nothing else is asked for."""
    from core_model.lora import base_of

    if model is None and folder is not None:
        model = base_of(folder)
    return load_settings(**({} if model is None else {"model": model}))


def _adapter_mark(folder: Path) -> dict[str, str]:
    """What tells the adapter from others, also from itself after another training."""
    from core_model.classifier import FILE_NAME, ClassifierSettings

    ClassifierSettings.read(folder)  # said before a model is loaded
    return {
        "adapter": folder.name,
        "adapter_sha256": hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest(),
        "settings_sha256": hashlib.sha256((folder / FILE_NAME).read_bytes()).hexdigest(),
    }


@contextmanager
def _recogniser(settings: Settings, folder: Path | None) -> Iterator[Recogniser]:
    from core_model.causal_lm import load_engine
    from core_model.classifier import Classifier
    from evaluation.intents import ClassifierIntents, ReaderIntents

    if folder is None:
        with trial_reader(settings) as reader:
            yield ReaderIntents(reader)
        return
    engine = load_engine(
        settings.model, weights=settings.weights, threads=settings.threads, home=settings.home
    )
    try:
        yield ClassifierIntents(Classifier.load(engine, folder))
    finally:
        engine.close()


def _file_name(data: Path, run: dict[str, Any]) -> str:
    return f"eval-intents-{data.stem}-{run['adapter']}-{run_mark(run)}.json"
