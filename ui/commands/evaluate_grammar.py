"""`duet eval grammar`: whether the grammar constraint forbids legal code, and whether what comes of it parses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.settings import Settings, load_settings
from core_model import catalog
from ui.commands.case_runs import case_bar, run_mark
from ui.commands.evaluate import show

if TYPE_CHECKING:
    from core_model.tokenizer import Tokenizer
    from evaluation.grammar import Row
    from evaluation.report import Data as DataOf

CODE_LANGUAGES = ("python", "java", "cpp")
SHOWN_FAILURES = 20

DataFile = Annotated[
    Path | None,
    typer.Option("--data", exists=True, dir_okay=False, help="Rows {language, text}: .jsonl or .jsonl.gz."),
]
DataDir = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="Instead: all files of --language under a folder."),
]


@dataclass(frozen=True)
class Measurement:
    """What is measured: its cases in order, how one is found, what its failures are, and the figures of all."""

    keys: list[str]
    case: Callable[[str], dict[str, Any]]
    failures: Callable[[dict[str, Any]], list[str]]
    metrics: Callable[[Iterable[dict[str, Any]]], dict[str, float]]


def grammar(
    data: DataFile = None,
    data_dir: DataDir = None,
    language: Annotated[str | None, typer.Option("--language", "-l", help="Of --data-dir.")] = None,
    mutations: Annotated[
        int | None, typer.Option(min=1, help="Instead: damage so many programs, and ask tree-sitter too.")
    ] = None,
    walks: Annotated[
        int | None, typer.Option(min=1, help="Instead: so many random programs, each then completed.")
    ] = None,
    gaps: Annotated[
        int | None, typer.Option(min=1, help="Instead: cut so many gaps, each then joined again.")
    ] = None,
    programs: Annotated[
        bool, typer.Option("--programs", help="Instead, without data: programs that the model writes.")
    ] = False,
    model: Annotated[str | None, typer.Option(help="Whose tokens [default: DUET_MODEL].")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many files; of --programs: prompts of a language.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation].")
    ] = None,
) -> None:
    """Feed source files token by token; every file that tree-sitter parses must be accepted."""
    if sum((data is not None, data_dir is not None, programs)) != 1:
        raise typer.BadParameter("give one of --data, --data-dir and --programs")
    if bool(mutations) + bool(walks) + bool(gaps) + programs > 1:
        raise typer.BadParameter("--mutations, --walks, --gaps and --programs are measured one at a time")
    settings = load_settings(**({} if model is None else {"model": model}))
    path = catalog.resolve(settings.model, settings.home)
    if programs:
        _programs(settings, path.stem, limit, output)
        return

    from core_model.checkpoint import load_checkpoint
    from core_model.tokenizer import Tokenizer
    from evaluation import grammar as evaluation
    from evaluation.report import Data as DataOf

    tokenizer = Tokenizer(load_checkpoint(path, settings.home / "packed").tokenizer)
    if data is not None:
        rows, source = evaluation.read_rows(data)[:limit], data
    elif data_dir is not None and language is not None:
        rows, source = evaluation.read_folder(data_dir, language)[:limit], data_dir
    else:
        raise typer.BadParameter("--data-dir needs --language")
    kind = " --mutations" if mutations else " --walks" if walks else " --gaps" if gaps else ""
    command = f"eval grammar{kind}"
    described = DataOf.of(source, len(rows))
    run = {"command": command, "data": described.sha256, "language": language, "limit": limit}
    if mutations:
        measurement = _mutations(rows, tokenizer, mutations)
    elif walks:
        measurement = _walks(rows, tokenizer, walks)
    elif gaps:
        measurement = _gaps(rows, tokenizer, gaps)
    else:
        measurement = _files(rows, tokenizer)
    _measure(measurement, command, path.stem, described, run, settings, output)


def _files(rows: list[Row], tokenizer: Tokenizer) -> Measurement:
    from evaluation import grammar as evaluation

    def failures(case: dict[str, Any]) -> list[str]:
        if case["rejected_at"] is not None:
            return [f"{case['name']}: refused at token {case['rejected_at']}: {case['before']!r}"]
        return [] if case["complete"] or not case["clean"] else [f"{case['name']}: not complete at its end"]

    return Measurement(
        [str(index) for index in range(len(rows))],
        lambda key: asdict(evaluation.check_file(rows[int(key)], tokenizer)),
        failures,
        lambda cases: evaluation.metrics(
            evaluation.FileCheck(**{name: value for name, value in case.items() if name != "key"})
            for case in cases
        ),
    )


def _mutations(rows: list[Row], tokenizer: Tokenizer, count: int) -> Measurement:
    from evaluation import grammar_mutations as evaluation

    made = evaluation.Mutations(rows, tokenizer)
    return Measurement(
        [str(number) for number in range(-(-count // evaluation.BATCH))],
        lambda key: made.case(int(key)),
        lambda case: [json.dumps(differing, ensure_ascii=False) for differing in case["differing"]],
        evaluation.metrics,
    )


def _walks(rows: list[Row], tokenizer: Tokenizer, count: int) -> Measurement:
    from evaluation import grammar_walks as evaluation

    made = evaluation.Walks(rows, tokenizer)
    return Measurement(
        [str(number) for number in range(count)],
        lambda key: made.case(int(key)),
        lambda case: [] if case["legal"] and not case["stuck"] else [case["end"]],
        evaluation.metrics,
    )


def _gaps(rows: list[Row], tokenizer: Tokenizer, count: int) -> Measurement:
    from evaluation import grammar_gaps as evaluation

    made = evaluation.Gaps(rows, tokenizer)
    return Measurement(
        [str(number) for number in range(count)],
        lambda key: made.case(int(key)),
        lambda case: [] if case["joined"] else [f"{case['path']}: {case['start']}–{case['end']}"],
        evaluation.metrics,
    )


def _measure(
    measurement: Measurement,
    command: str,
    model: str,
    described: DataOf,
    run: dict[str, Any],
    settings: Settings,
    output: Path | None,
) -> None:
    from evaluation.cases import CaseFile
    from evaluation.report import Report

    run = {**run, "model": model}
    target = output or settings.home / "evaluation" / _file_name(command, Path(described.path), run)
    with CaseFile(target.with_suffix(".cases.jsonl"), run) as cases:
        with case_bar("measuring", len(measurement.keys), len(cases.cases)) as on_case:
            for key in measurement.keys:
                if key not in cases:
                    case = measurement.case(key)
                    cases.add(key, case)
                    on_case(case)
        wanted = [cases.cases[key] for key in measurement.keys]
        report = Report(command, model, described, measurement.metrics(wanted), cases=str(cases.path))
    report.write(target)
    failures = [failure for case in wanted for failure in measurement.failures(case)]
    for failure in failures[:SHOWN_FAILURES]:
        typer.echo(failure, err=True)
    show(report, target)


def _programs(settings: Settings, model: str, limit: int | None, output: Path | None) -> None:
    from core_model.causal_lm import load_engine
    from evaluation import grammar_programs as evaluation
    from evaluation.cases import CaseFile
    from evaluation.report import Data, Report

    command = "eval grammar --programs"
    run = {"command": command, "model": model, "limit": limit}
    wanted = evaluation.orders(CODE_LANGUAGES, limit)
    source = Path(evaluation.__file__)  # the prompts are in it
    target = output or settings.home / "evaluation" / _file_name(command, source, run)
    with CaseFile(target.with_suffix(".cases.jsonl"), run) as cases:
        if any(order.key not in cases for order in wanted):
            engine = load_engine(
                settings.model,
                weights=settings.weights,
                threads=settings.threads,
                cache_tokens=evaluation.CACHE_TOKENS,
                max_sequences=evaluation.IN_FLIGHT,
                home=settings.home,
            )
            try:
                with case_bar("measuring", len(wanted), len(cases.cases)) as on_case:
                    evaluation.run(engine, wanted, cases, on_case)
            finally:
                engine.close()
        found = [cases.cases[order.key] for order in wanted]
        report = Report(
            command, model, Data.of(source, len(found)), evaluation.metrics(found), cases=str(cases.path)
        )
    report.write(target)
    broken = [case for case in found if case["constrained"] and not case["legal"]]
    for case in broken[:SHOWN_FAILURES]:
        typer.echo(f"{case['key']}: {case['text'][-200:]!r}", err=True)
    show(report, target)


def _file_name(command: str, source: Path, run: dict[str, Any]) -> str:
    name = command.replace(" --", "-").replace(" ", "-")
    return f"{name}-{source.name.partition('.')[0]}-{run_mark(run)}.json"
