"""How well a classification adapter recognises intents: accuracy, calibration, out-of-scope, time."""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core_model.classifier import Classifier
from core_model.training.data import Example, read_rows
from core_model.training.errors import TrainingDataError
from core_model.training.scores import Answer, classification_scores
from evaluation.cases import CaseFile
from evaluation.errors import DataError

Case = dict[str, Any]


def load(path: Path, text_column: str, label_column: str, limit: int | None = None) -> list[Example]:
    """The rows of a CSV file; with `limit` so many of them, evenly spaced. Raises DataError."""
    try:
        rows = read_rows(path, text_column, label_column)
    except TrainingDataError as error:
        raise DataError(str(error)) from error
    if not rows:
        raise DataError(f"{path} has no rows")
    if limit is None or limit >= len(rows):
        return rows
    return [rows[index * len(rows) // limit] for index in range(limit)]


def unknown_labels(rows: Iterable[Example], classifier: Classifier) -> list[str]:
    """Labels of the rows that the adapter does not know: such rows are out of scope for it."""
    known = {*classifier.settings.labels, classifier.settings.out_of_scope}
    return sorted({row.label for row in rows} - known)


def run(
    rows: Sequence[Example],
    classifier: Classifier,
    cases: CaseFile,
    on_case: Callable[[Case], None] = lambda case: None,
) -> None:
    """Classify what `cases` does not have yet, one row at a time as a conversation does."""
    settings = classifier.settings
    if any(str(index) not in cases for index in range(len(rows))):
        classifier.classify("warm up")  # the first pass touches every weight for the first time
    for index, row in enumerate(rows):
        if str(index) in cases:
            continue
        prompt = classifier.encode(row.text)
        started = time.perf_counter()
        decision = settings.decide(classifier.logits([prompt])[0])
        elapsed_ms = (time.perf_counter() - started) * 1000
        case = {
            "text": row.text,
            "label": row.label if row.label in settings.labels else settings.out_of_scope,
            "answer": decision.label,
            "best": decision.best,
            "best_probability": round(decision.best_probability, 6),
            "tokens": len(prompt),
            "ms": round(elapsed_ms, 3),
            "passed": decision.label == row.label
            or (not decision.in_scope and row.label not in settings.labels),
        }
        cases.add(str(index), case)
        on_case(case)


def metrics(cases: Iterable[Mapping[str, Any]], out_of_scope: str) -> dict[str, float]:
    """The figures of all cases; times are of one message after it was split into tokens."""
    found = list(cases)
    answers = [
        Answer(case["label"], case["answer"], case["best"], case["best_probability"]) for case in found
    ]
    times = [case["ms"] for case in found]
    return {
        **classification_scores(answers, out_of_scope),
        "p50_ms": float(np.percentile(times, 50)),
        "p95_ms": float(np.percentile(times, 95)),
        "mean_tokens": float(np.mean([case["tokens"] for case in found])),
    }


def confusions(cases: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, int]]:
    """(label, answer, rows) of all wrong answers, the commonest first."""
    counts = Counter((case["label"], case["answer"]) for case in cases if case["label"] != case["answer"])
    return [(label, answer, count) for (label, answer), count in counts.most_common()]


def write_confusion_matrix(cases: Iterable[Mapping[str, Any]], path: Path) -> None:
    """A CSV table: a row for each label, a column for each answer, rows counted."""
    from sklearn.metrics import confusion_matrix

    found = list(cases)
    labels, answers = [case["label"] for case in found], [case["answer"] for case in found]
    names = sorted({*labels, *answers})
    matrix = confusion_matrix(labels, answers, labels=names)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["label", *names])
        writer.writerows([name, *map(int, row)] for name, row in zip(names, matrix, strict=True))
