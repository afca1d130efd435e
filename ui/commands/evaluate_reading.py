"""`duet eval reading`: how well the reader understands messages that were kept apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from apps.settings import load_settings
from core_model import catalog
from ui.commands.case_runs import case_bar, run_mark, spare_inputs
from ui.commands.evaluate import show
from ui.commands.trial_reader import reader_mark, trial_reader

if TYPE_CHECKING:
    from evaluation.support.reading import ReadingCase


def reading(
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Examples of `duet adapters make-reader-data` [default: the reader's test.jsonl].",
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Base model [default: DUET_MODEL].")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many, evenly spaced.")] = None,
    show_wrong: Annotated[bool, typer.Option("--show-wrong", help="Print what was read wrongly.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation].")
    ] = None,
) -> None:
    """Read messages in made-up situations and compare with what they mean."""
    from evaluation.cases import CaseFile
    from evaluation.report import Data, Report
    from evaluation.support import reading as evaluation

    settings = load_settings(**({} if model is None else {"model": model}))
    path = data or _test_file(settings.adapters_dir)
    spare_inputs(output, path)
    examples = evaluation.read_examples(path, limit)
    described = Data.of(path, len(examples))
    name = catalog.name_of(settings.model)
    run: dict[str, Any] = {
        "command": "eval reading",
        "model": name,
        "weights": settings.weights,
        **reader_mark(settings),
        "data": described.sha256,
    }
    target = output or settings.home / "evaluation" / f"eval-reading-{path.stem}-{run_mark(run)}.json"
    with (
        CaseFile(target.with_suffix(".cases.jsonl"), run) as cases,
        trial_reader(settings) as reader,
        case_bar("reading", len(examples), len(evaluation.cases_of(cases, examples))) as on_case,
    ):
        evaluation.run(reader, examples, cases, on_case)
        found = evaluation.cases_of(cases, examples)
        report = Report(
            "eval reading", name, described, evaluation.metrics_of(found), run["adapter"], str(cases.path)
        )
    report.write(target)
    _show_groups(evaluation.by_group(found))
    if show_wrong:
        for case in found:
            if not case.is_right:
                typer.echo(f"{case.kind}: {case.message}\n  right: {case.right}\n  read:  {case.read}")
    show(report, target)


def _test_file(adapters: Path) -> Path:
    from evaluation.errors import DataError

    path = adapters / "support-reader" / "test.jsonl"
    if not path.is_file():
        raise DataError(f"{path} is not there: `duet adapters make-reader-data` makes it")
    return path


def _show_groups(groups: dict[str, list[ReadingCase]]) -> None:
    table = Table("kind", "messages", "right", title="by kind", title_justify="left")
    for group, cases in groups.items():
        right = sum(case.is_right for case in cases)
        table.add_row(group, str(len(cases)), f"{right / len(cases):.1%}")
    Console().print(table)
