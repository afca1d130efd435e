"""One HTML page, with plots, from the JSON reports of evaluations and benchmarks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from evaluation import plots
from evaluation.cases import read_cases
from evaluation.report import Report

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem;
padding: 0 1rem; color: #222 }
svg { display: block; margin: 1rem 0; max-width: 100%; height: auto }
svg text { font: 12px system-ui, sans-serif; fill: #333 } svg .title { font-weight: 600; font-size: 13px }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .2rem .8rem; text-align: left;
border-bottom: 1px solid #ddd } td.number { text-align: right; font-variant-numeric: tabular-nums }
.origin { color: #666; font-size: 13px } section { margin-bottom: 3rem }
"""
_RATES = (
    "accuracy",
    "macro_f1",
    "oos_recall",
    "in_scope_accuracy",
    "pass_rate",
    "held_out_pass_rate",
    "parse_rate",
    "compile_rate",
)
# Metrics of one group share a plot, where a report has at least one of them
_GROUPS = (
    ("Rates", _RATES, ""),
    ("Passed, by difficulty", ("pass_rate_easy", "pass_rate_medium", "pass_rate_hard"), ""),
    ("Tokens per second", ("tokens_per_second",), ""),
    ("Latency", ("p50_ms", "p95_ms", "p99_ms"), " ms"),
)
_OURS = "duet_"


def write_page(paths: Sequence[Path], output: Path) -> None:
    """Raises DataError for a file that is no report."""
    reports = [(path, Report.read(path)) for path in paths]
    sections = [_overview(reports)] + [_section(path, report) for path, report in reports]
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Duet: evaluation</title>'
        f"<style>{_STYLE}</style></head><body><h1>Duet: evaluation</h1>{''.join(sections)}</body></html>\n"
    )
    output.write_text(page, encoding="utf-8")


def _overview(reports: Sequence[tuple[Path, Report]]) -> str:
    """Metrics that several reports have, side by side under the names of their files."""
    if len(reports) < 2:
        return ""
    values: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for path, report in reports:
        for name in (
            "pass_rate",
            "held_out_pass_rate",
            "accuracy",
            "parse_rate",
            "compile_rate",
            "tokens_per_second",
        ):
            if name in report.metrics:
                values[name].append((path.stem, report.metrics[name]))
    drawn = [
        plots.bars(name, [label for label, _ in pairs], [value for _, value in pairs])
        for name, pairs in values.items()
        if len(pairs) > 1
    ]
    drawn += _by_language([report for _, report in reports])
    return f"<section><h2>Side by side</h2>{''.join(drawn)}</section>" if drawn else ""


def _by_language(reports: Sequence[Report]) -> list[str]:
    """Pass rates of each way to run a benchmark that was run in several languages."""
    values: dict[str, dict[str, float]] = defaultdict(dict)
    for report in reports:
        language = re.search(r"--(?:language|target) (\w+)", report.command)
        if language and "pass_rate" in report.metrics:
            way = report.command.replace(language[0], "").split()
            values[" ".join([report.model, *way])][language[1]] = report.metrics["pass_rate"]
    return [
        plots.bars(f"Passed, by language: {way}", list(rates), list(rates.values()))
        for way, rates in values.items()
        if len(rates) > 1
    ]


def _against_peers(metrics: Mapping[str, float]) -> list[str]:
    """Figures that a benchmark took of our engine and of others, in one plot for each."""
    drawn = []
    for figure in [name.removeprefix(_OURS) for name in metrics if name.startswith(_OURS)]:
        contestants = [name for name in metrics if name.endswith(f"_{figure}")]
        if len(contestants) > 1:
            labels = [name.removesuffix(f"_{figure}") for name in contestants]
            drawn.append(plots.bars(figure, labels, [metrics[name] for name in contestants], " "))
    return drawn


def _section(path: Path, report: Report) -> str:
    drawn = []
    for title, names, unit in _GROUPS:
        found = [name for name in names if name in report.metrics]
        if found:
            drawn.append(plots.bars(title, found, [report.metrics[name] for name in found], unit))
    drawn += _against_peers(report.metrics)
    drawn += _case_plots(_cases_of(path, report))
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="number">{value:.4g}</td></tr>'
        for name, value in report.metrics.items()
    )
    machine = ", ".join(f"{value}" for value in report.machine.values())
    origin = (
        f"{escape(report.created)} · {report.data.rows} rows of {escape(Path(report.data.path).name)} "
        f"(sha256 {report.data.sha256[:12]}…) · {escape(machine)}"
    )
    return (
        f"<section><h2>{escape(path.stem)}</h2><p class=origin>{escape(_label(report))} · {origin}</p>"
        f"{''.join(drawn)}<table>{rows}</table></section>"
    )


def _case_plots(cases: Sequence[dict[str, Any]]) -> list[str]:
    drawn = []
    outcomes: dict[str, int] = defaultdict(int)
    for case in cases:
        if "outcome" in case:
            outcomes[str(case["outcome"])] += 1
    if outcomes:
        ranked = sorted(outcomes.items(), key=lambda item: -item[1])
        drawn.append(
            plots.bars("Outcomes", [name for name, _ in ranked], [count for _, count in ranked], " cases")
        )
    for name, unit in (("generation_s", "s"), ("ms", "ms")):
        times = [case[name] for case in cases if case.get(name)]
        if len(times) > 4:
            drawn.append(plots.percentiles("Time for an answer", times, unit))
    judged = [
        (float(case["best_probability"]), case["best"] == case["label"])
        for case in cases
        if "best_probability" in case
    ]
    if judged:
        drawn.append(plots.reliability("Calibration", _bins(judged)))
    return drawn


def _bins(judged: Sequence[tuple[float, bool]], count: int = 10) -> list[tuple[float, float, int]]:
    """(mean confidence, accuracy, cases) of bins of equal width."""
    filled: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, correct in judged:
        filled[min(count - 1, int(confidence * count))].append((confidence, correct))
    return [
        (
            sum(confidence for confidence, _ in members) / len(members),
            sum(correct for _, correct in members) / len(members),
            len(members),
        )
        for _, members in sorted(filled.items())
    ]


def _cases_of(path: Path, report: Report) -> list[dict[str, Any]]:
    if report.cases is None:
        return []
    for cases in (Path(report.cases), path.parent / Path(report.cases).name):
        if cases.exists():
            return read_cases(cases)
    return []


def _label(report: Report) -> str:
    data = Path(report.data.path).name.partition(".")[0]
    return " · ".join(filter(None, (report.command, report.model, report.adapter, data)))
