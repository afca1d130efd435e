"""`duet eval grammar`: whether the grammar constraint forbids legal code, and what a token costs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from apps.settings import load_settings
from core_model import catalog
from ui.commands.evaluate import show

Data = Annotated[
    Path, typer.Option(exists=True, dir_okay=False, help="Rows {language, text}: .jsonl or .jsonl.gz.")
]


def grammar(
    data: Data,
    model: Annotated[str | None, typer.Option(help="Whose tokens [default: DUET_MODEL].")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many files.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation].")
    ] = None,
) -> None:
    """Feed source files token by token; every file that tree-sitter parses must be accepted."""
    settings = load_settings(**({} if model is None else {"model": model}))
    path = catalog.resolve(settings.model, settings.home)

    from core_model.checkpoint import load_checkpoint
    from core_model.tokenizer import Tokenizer
    from evaluation import grammar as evaluation
    from evaluation.cases import CaseFile
    from evaluation.report import Data as DataOf
    from evaluation.report import Report

    tokenizer = Tokenizer(load_checkpoint(path, settings.home / "packed").tokenizer)
    rows = list(evaluation.read_rows(data))[:limit]
    described = DataOf.of(data, len(rows))
    run = {"command": "eval grammar", "model": path.stem, "data": described.sha256, "limit": limit}
    name = f"eval-grammar-{data.name.partition('.')[0]}" + (f"-{limit}" if limit else "")
    target = output or settings.home / "evaluation" / f"{name}.json"
    console = Console(stderr=True)
    columns = (TextColumn("files"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        CaseFile(target.with_suffix(".cases.jsonl"), run) as cases,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        for index, row in bar.track(list(enumerate(rows))):
            if str(index) not in cases:
                cases.add(str(index), asdict(evaluation.check_file(row, index, tokenizer)))
        checks = [
            evaluation.FileCheck(**{field: value for field, value in case.items() if field != "key"})
            for case in cases.cases.values()
        ]
        report = Report(
            "eval grammar", path.stem, described, evaluation.summarise(checks), cases=str(cases.path)
        )
    report.write(target)
    for check in checks:
        if check.rejected_at is not None:
            typer.echo(f"row {check.index}: refused at token {check.rejected_at}: {check.before!r}", err=True)
    show(report, target)
