"""How well intents are recognised, by the reader or by a classification adapter: accuracy, calibration, time."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from apps.support.conversations.turn import intent_name
from apps.support.reading.cleaning import clean
from apps.support.reading.commands import INTENT_NAMES, OUT_OF_SCOPE
from apps.support.reading.identifiers import find_identifiers
from apps.support.reading.reader import Reader
from apps.support.reading.view import View
from core_model.classifier import Classifier
from core_model.training.data import Example, read_rows
from core_model.training.errors import TrainingDataError
from core_model.training.scores import Answer, classification_scores
from evaluation.cases import CaseFile
from evaluation.errors import DataError

Case = dict[str, Any]
OTHER_NAMES = {"check_invoices": "check_invoice"}
"""Labels of public data for our intents of another name."""


@dataclass(frozen=True)
class Recognition:
    """What a text was taken for; `best` is the likeliest intent, whatever the out-of-scope decision."""

    answer: str
    best: str
    best_probability: float


class Recogniser(Protocol):
    """Takes a text for one of `labels` or for `out_of_scope`."""

    labels: Collection[str]
    out_of_scope: str

    def recognise(self, text: str) -> Recognition: ...


class ClassifierIntents:
    """A classification adapter."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self.labels: Collection[str] = classifier.settings.labels
        self.out_of_scope = classifier.settings.out_of_scope

    def recognise(self, text: str) -> Recognition:
        found = self._classifier.classify(text)
        return Recognition(found.label, found.best, found.best_probability)


class ReaderIntents:
    """The assistant's reader on a text alone: the intent of its first command.

    What has no shop intent (small talk, an answer to nothing, what it does not understand) is out of scope.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.labels: Collection[str] = INTENT_NAMES
        self.out_of_scope = OUT_OF_SCOPE

    def recognise(self, text: str) -> Recognition:
        tagged = find_identifiers(clean(text), {}, known=False).tagged
        reading = self._reader.read(View(), tagged)
        name = intent_name(reading.first) or OUT_OF_SCOPE
        return Recognition(name, name, reading.confidence)


def load(path: Path, text_column: str, label_column: str) -> list[Example]:
    """The rows of a CSV file. Raises DataError."""
    try:
        rows = read_rows(path, text_column, label_column)
    except TrainingDataError as error:
        raise DataError(str(error)) from error
    if not rows:
        raise DataError(f"{path} has no rows")
    return rows


def evenly_spaced(rows: Sequence[Example], limit: int | None) -> list[Example]:
    """So many of the rows; all without a limit."""
    if limit is None or limit >= len(rows):
        return list(rows)
    return [rows[index * len(rows) // limit] for index in range(limit)]


def load_acceptable(path: Path, known: Collection[str]) -> dict[str, frozenset[str]]:
    """label → the intents that are right for it, of a JSON object of lists.

    Raises DataError for a file of another form, or with intents that are not among `known`.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        acceptable = {str(label): frozenset(map(str, names)) for label, names in content.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise DataError(f"{path} is no JSON object of label → list of intents: {error}") from error
    unknown = sorted({name for names in acceptable.values() for name in names} - {*known})
    if unknown:
        raise DataError(f"{path} names intents that cannot be answered: {', '.join(unknown)}")
    return acceptable


def only_known(rows: Sequence[Example], recogniser: Recogniser) -> tuple[list[Example], list[str]]:
    """The rows with labels that the recogniser knows, all others as out of scope; and which labels those have."""
    known = {*recogniser.labels, recogniser.out_of_scope}
    named = [Example(row.text, OTHER_NAMES.get(row.label, row.label)) for row in rows]
    named = [row if row.label in known else old for row, old in zip(named, rows, strict=True)]
    unknown = sorted({row.label for row in named} - known)
    return [
        row if row.label in known else Example(row.text, recogniser.out_of_scope) for row in named
    ], unknown


def run(
    rows: Sequence[Example],
    recogniser: Recogniser,
    cases: CaseFile,
    acceptable: Mapping[str, frozenset[str]] | None = None,
    on_case: Callable[[Case], None] = lambda case: None,
) -> None:
    """Recognise what `cases` does not have yet, one row at a time as a conversation does.

    With `acceptable`, an intent that is right for a row's label is taken for the label itself.
    """
    if any(str(index) not in cases for index in range(len(rows))):
        recogniser.recognise("warm up")  # the first pass touches every weight for the first time
    for index, row in enumerate(rows):
        if str(index) in cases:
            continue
        started = time.perf_counter()
        found = recogniser.recognise(row.text)
        elapsed_ms = (time.perf_counter() - started) * 1000
        right = acceptable[row.label] if acceptable is not None else {row.label}
        case = {
            "text": row.text,
            "label": row.label,
            "answer": row.label if found.answer in right else found.answer,
            "intent": found.answer,
            "best": row.label if found.best in right else found.best,
            "best_probability": round(found.best_probability, 6),
            "ms": round(elapsed_ms, 3),
            "passed": found.answer in right,
        }
        cases.add(str(index), case)
        on_case(case)


def metrics(cases: Iterable[Mapping[str, Any]], out_of_scope: str) -> dict[str, float]:
    """The figures of all cases; times are of one message."""
    found = list(cases)
    answers = [
        Answer(case["label"], case["answer"], case["best"], case["best_probability"]) for case in found
    ]
    times = [case["ms"] for case in found]
    return {
        **classification_scores(answers, out_of_scope),
        "p50_ms": float(np.percentile(times, 50)),
        "p95_ms": float(np.percentile(times, 95)),
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
