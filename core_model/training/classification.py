"""Adapters that classify: one linear head on the hidden state of each text's last token."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from core_model.classifier import Classifier, ClassifierSettings, softmax
from core_model.tokenizer import Tokenizer
from core_model.training.batches import Batch, Row, make_batches
from core_model.training.data import DataFile, Example, describe, make_noisy, read_rows, select, split
from core_model.training.errors import TrainingDataError
from core_model.training.lora_training import Validation
from core_model.training.recipe import Recipe, Schedule, find
from core_model.training.scores import Answer, classification_scores

IN_SCOPE_COST = 0.02
"""Most in-scope accuracy that the out-of-scope threshold may cost on the held-out rows."""
MOST_THRESHOLD = 0.8
"""A text that is likelier than this to be of a class is answered, however easy the held-out rows are."""
MEASURED_TOGETHER = 64
PROBE_ROWS_PER_LABEL, PROBE_STRENGTH = 60, 0.1


@dataclass(frozen=True)
class ClassificationData:
    """Everything that a recipe's files hold."""

    labels: tuple[str, ...]
    training: list[Example]
    held_out: list[Example]
    tests: dict[str, list[Example]]
    files: list[DataFile]
    left_out: int  # training rows whose text is also in a test


def read_classification_data(recipe: Recipe, folder: Path, data_dir: Path | None) -> ClassificationData:
    """Read, select, keep tests apart and split. Raises RecipeError and TrainingDataError."""
    files: list[DataFile] = []
    tests: dict[str, list[Example]] = defaultdict(list)
    for test in recipe.test:
        path = find(test, folder, data_dir)
        rows = select(read_rows(path, test.text, test.label), test, recipe.training.seed)
        tests[test.name] += rows
        files.append(describe(path, len(rows)))
    for name, rows in tests.items():
        if not rows:
            raise TrainingDataError(f"test {name!r} has no rows: give its files some, or leave it out")
    tested = {row.text.casefold() for rows in tests.values() for row in rows}
    training: list[Example] = []
    held_out: list[Example] = []
    taken: set[str] = set()
    left_out = 0
    for source in recipe.data:
        path = find(source, folder, data_dir)
        rows = select(read_rows(path, source.text, source.label), source, recipe.training.seed)
        files.append(describe(path, len(rows)))
        unseen = [row for row in rows if row.text.casefold() not in tested]
        left_out += len(rows) - len(unseen)
        new = [row for row in unseen if row.text.casefold() not in taken]
        taken |= {row.text.casefold() for row in new}
        train, kept = split(new, recipe.training.held_out, recipe.training.seed)
        training += train * source.repeat
        held_out += kept
    labels = tuple(sorted({row.label for row in training}))
    if len(set(labels) - {recipe.out_of_scope}) < 2:
        raise TrainingDataError(f"two labels at least are needed to classify; found {', '.join(labels)}")
    for name, rows in tests.items():
        unknown = {row.label for row in rows} - {*labels, recipe.out_of_scope}
        if unknown:
            raise TrainingDataError(f"test {name!r} has labels that no training row has: {sorted(unknown)}")
    return ClassificationData(labels, training, held_out, dict(tests), list(dict.fromkeys(files)), left_out)


class ClassificationObjective:
    """Cross-entropy of the classes."""

    def __init__(
        self, data: ClassificationData, settings: ClassifierSettings, tokenizer: Tokenizer, schedule: Schedule
    ) -> None:
        self._data, self._settings, self._tokenizer, self._schedule = data, settings, tokenizer, schedule
        self._index = {label: index for index, label in enumerate(settings.labels)}
        self._clean = [self._row(row, row.text) for row in data.training]
        self._held_out = make_batches(
            [self._row(row, row.text) for row in data.held_out], schedule.tokens_per_batch
        )

    def prepare(self, model: Any) -> None:
        """Begin with the best head for the base as it is (arXiv 2202.10054): the pairs need not chase it.

        It is a logistic regression on the hidden states of some rows of each label.
        """
        from sklearn.linear_model import LogisticRegression

        shuffled = random.Random(self._schedule.seed).sample(self._clean, len(self._clean))
        rows = select_rows(shuffled, PROBE_ROWS_PER_LABEL)
        batches = make_batches(rows, self._schedule.tokens_per_batch)
        with torch.inference_mode():
            features = torch.cat([last_hidden(model, batch) for batch in batches])
        targets = torch.cat([batch.targets for batch in batches]).numpy()
        scale = features.std(0).clamp(min=1e-6)
        probe = LogisticRegression(C=PROBE_STRENGTH, fit_intercept=False, max_iter=200)
        probe.fit((features / scale).numpy(), targets)
        weight = torch.from_numpy(probe.coef_).float()
        if len(weight) == 1:  # two classes have one row of coefficients
            weight = torch.cat([-weight, weight]) / 2
        with torch.no_grad():
            model.get_base_model().score.weight.copy_(weight / scale)

    def batches(self, rng: random.Random) -> list[Batch]:
        # The rows are chosen before the noise, so that an epoch's length hardly depends on it.
        rows = [
            self._row(example, make_noisy(example.text, rng)) if rng.random() < self._schedule.noise else row
            for example, row in zip(self._data.training, self._clean, strict=True)
        ]
        return make_batches(rows, self._schedule.tokens_per_batch, rng)

    def loss(self, model: Any, batch: Batch) -> Tensor:
        logits = class_logits(model, batch, self._schedule.head_dropout)
        return F.cross_entropy(logits, batch.targets, label_smoothing=self._schedule.label_smoothing)

    def validate(self, model: Any) -> Validation:
        losses, right, rows = 0.0, 0, 0
        for batch in self._held_out:
            logits = class_logits(model, batch, 0.0)
            losses += F.cross_entropy(logits, batch.targets, reduction="sum").item()
            right += int((logits.argmax(-1) == batch.targets).sum())
            rows += len(batch.targets)
        loss, accuracy = losses / rows, right / rows
        return Validation(loss, (accuracy, -loss), {"held_out_loss": loss, "held_out_accuracy": accuracy})

    def _row(self, example: Example, text: str) -> Row:
        return Row(self._settings.encode(self._tokenizer, text), self._index[example.label])


def select_rows(rows: Sequence[Row], per_target: int) -> list[Row]:
    """The first so many rows of each target."""
    counts: Counter[int] = Counter()
    selected = []
    for row in rows:
        counts[row.target] += 1
        if counts[row.target] <= per_target:
            selected.append(row)
    return selected


def last_hidden(model: Any, batch: Batch) -> Tensor:
    """[rows, hidden] float32: the hidden state of each row's last token."""
    hidden = model.get_base_model().model(input_ids=batch.tokens).last_hidden_state
    last: Tensor = hidden[torch.arange(len(batch.lengths)), batch.lengths - 1].float()
    return last


def class_logits(model: Any, batch: Batch, dropout: float) -> Tensor:
    """[rows, labels] float32 of a PEFT model with a classification head."""
    features = F.dropout(last_hidden(model, batch), dropout, training=dropout > 0)
    logits: Tensor = model.get_base_model().score(features)
    return logits


def calibrate(
    logits: NDArray[np.float32], rows: Sequence[Example], settings: ClassifierSettings
) -> tuple[float, float]:
    """(temperature, threshold) from held-out logits [rows, labels].

    The temperature makes the true labels likeliest. The threshold is the highest that costs at most 2 % of
    in-scope accuracy: what people ask beside the shop's business is nearer to it than the rows that are trained
    on, so all the room is used. It is 0, nothing is refused, without out-of-scope rows.
    """
    index = {label: position for position, label in enumerate(settings.labels)}
    known = np.array([row.label in index for row in rows])
    targets = np.array([index[row.label] for row in rows if row.label in index])
    temperatures = np.geomspace(0.25, 8.0, 101)
    losses = [_negative_log_likelihood(logits[known] / t, targets) for t in temperatures]
    temperature = float(temperatures[int(np.argmin(losses))])
    inside = np.array([row.label != settings.out_of_scope for row in rows])
    if inside.all():
        return temperature, 0.0
    probabilities = softmax(logits / temperature)
    if settings.out_of_scope in index:
        probabilities[:, index[settings.out_of_scope]] = 0.0
    best = probabilities.max(1)
    answers = probabilities.argmax(1)
    right = np.array([settings.labels[i] == row.label for i, row in zip(answers, rows, strict=True)])
    kept = np.sort(best[inside & right])
    if not len(kept):
        return temperature, 0.0
    lost = min(len(kept) - 1, int(IN_SCOPE_COST * float(inside.sum())))
    return temperature, min(MOST_THRESHOLD, float(kept[lost]))


def _negative_log_likelihood(logits: NDArray[np.float32], targets: NDArray[np.int64]) -> float:
    return float(-np.log(softmax(logits)[np.arange(len(targets)), targets] + 1e-30).mean())


def measure_served(classifier: Classifier, rows: Sequence[Example]) -> NDArray[np.float32]:
    """Logits [rows, labels] as the engine serves them."""
    prompts = [classifier.encode(row.text) for row in rows]
    parts = [
        classifier.logits(prompts[start : start + MEASURED_TOGETHER])
        for start in range(0, len(prompts), MEASURED_TOGETHER)
    ]
    return np.concatenate(parts)


def scores_of(
    logits: NDArray[np.float32], rows: Sequence[Example], settings: ClassifierSettings
) -> dict[str, float]:
    """The figures of `duet eval intents` but for the time."""
    decisions = [settings.decide(row) for row in logits]
    answers = [
        Answer(row.label, decision.label, decision.best, decision.best_probability)
        for row, decision in zip(rows, decisions, strict=True)
    ]
    return classification_scores(answers, settings.out_of_scope)
