"""How good a classification is. Figures have the names of `duet eval intents`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15


@dataclass(frozen=True)
class Answer:
    """One row: what it is, what was answered, and the best class before the out-of-scope decision."""

    label: str
    answer: str
    best: str
    best_probability: float


def classification_scores(answers: Sequence[Answer], out_of_scope: str) -> dict[str, float]:
    """accuracy: rows answered rightly, out-of-scope rows among them. macro_f1: mean F1 over the rows' labels.
    ece: of the best class' probability on the rows in scope. in_scope_accuracy: rows in scope answered with
    their class, a refusal being wrong; oos_recall: out-of-scope rows recognised as such (both only where
    there are such rows).
    """
    from sklearn.metrics import accuracy_score, f1_score

    labels, given = [row.label for row in answers], [row.answer for row in answers]
    scores = {
        "accuracy": float(accuracy_score(labels, given)),
        "macro_f1": float(
            f1_score(labels, given, labels=sorted(set(labels)), average="macro", zero_division=0)
        ),
    }
    inside = [row for row in answers if row.label != out_of_scope]
    outside = [row for row in answers if row.label == out_of_scope]
    if inside:
        scores["ece"] = expected_calibration_error(
            np.array([row.best_probability for row in inside]),
            np.array([row.best == row.label for row in inside]),
        )
    if inside and outside:
        scores["in_scope_accuracy"] = float(np.mean([row.answer == row.label for row in inside]))
    if outside:
        scores["oos_recall"] = float(np.mean([row.answer == out_of_scope for row in outside]))
    return scores


def expected_calibration_error(confidences: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """Mean distance of confidence and accuracy over 15 equal bins (Guo et al. 2017, arXiv 1706.04599)."""
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    error = 0.0
    for index in np.unique(bins):
        members = bins == index
        error += members.mean() * abs(confidences[members].mean() - right[members].mean())
    return float(error)
