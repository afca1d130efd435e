"""Two reports of the same benchmark: what got better or worse, and whether that is more than noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.cases import read_cases
from evaluation.errors import DataError
from evaluation.report import Report

RESAMPLES = 10_000


@dataclass(frozen=True)
class Row:
    """One metric in both reports; `interval` where it could be bootstrapped from the cases."""

    name: str
    before: float
    after: float
    interval: tuple[float, float] | None = None

    @property
    def difference(self) -> float:
        return self.after - self.before

    @property
    def verdict(self) -> str:
        if self.interval is None:
            return ""
        low, high = self.interval
        return "better" if low > 0 else "worse" if high < 0 else "may be noise"


@dataclass(frozen=True)
class Comparison:
    """`gained` and `lost`: tasks that passed in one report only, by at least half of their samples."""

    rows: tuple[Row, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]


def compare_reports(before: Path, after: Path) -> Comparison:
    """Raises DataError for reports that are not of the same benchmark."""
    old, new = Report.read(before), Report.read(after)
    if old.command.partition(" --")[0] != new.command.partition(" --")[0]:
        raise DataError(f"{before} is of `duet {old.command}`, {after} of `duet {new.command}`")
    old_rates, new_rates = _pass_rates(old, before), _pass_rates(new, after)
    shared = sorted(old_rates.keys() & new_rates.keys())
    if old_rates and new_rates and not shared:
        raise DataError(f"{before} and {after} have no task in common")
    rows = []
    if shared:
        pairs = np.array([(old_rates[task], new_rates[task]) for task in shared])
        interval = bootstrap_interval(pairs[:, 1] - pairs[:, 0])
        name = f"pass_rate, {len(shared)} shared tasks"
        rows.append(Row(name, float(pairs[:, 0].mean()), float(pairs[:, 1].mean()), interval))
    rows += [
        Row(name, value, new.metrics[name]) for name, value in old.metrics.items() if name in new.metrics
    ]
    return Comparison(
        tuple(rows),
        tuple(task for task in shared if old_rates[task] < 0.5 <= new_rates[task]),
        tuple(task for task in shared if new_rates[task] < 0.5 <= old_rates[task]),
    )


def bootstrap_interval(
    differences: np.ndarray, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """The percentile interval of the mean of paired differences, by resampling the tasks.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    draw = np.random.default_rng(seed)
    means = np.array([draw.choice(differences, len(differences)).mean() for _ in range(RESAMPLES)])
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _pass_rates(report: Report, path: Path) -> Mapping[str, float]:
    """By task, the share of samples that passed; empty for a report whose cases pass or fail nothing."""
    if report.cases is None:
        return {}
    cases = Path(report.cases)
    if not cases.is_absolute() and not cases.exists():
        cases = path.parent / cases.name
    results: dict[str, list[bool]] = {}
    for case in read_cases(cases):
        if "passed" in case and "task_id" in case:
            results.setdefault(case["task_id"], []).append(bool(case["passed"]))
    return {task: sum(passed) / len(passed) for task, passed in results.items()}
