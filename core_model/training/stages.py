"""The stages that make a model write: what each learns from, and the figures of its card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core_model.calibration import TEXT
from core_model.tokenizer import Tokenizer
from core_model.training.batches import Row, make_batches
from core_model.training.data import DataFile
from core_model.training.examples import Examples
from core_model.training.lora_training import Objective
from core_model.training.preferences import Preference, PreferenceObjective, read_preference_data
from core_model.training.recipe import Recipe
from core_model.training.replies import (
    ReplyObjective,
    encode_text,
    read_reply_data,
    reply_scores,
)

Metrics = dict[str, dict[str, float]]
GENERAL_CHARACTERS = 3_000
GENERAL_TOKENS = 256
"""A general text, a shop's rules and code, that says what the adapter costs in what it was not trained for."""


class WritingStage(Protocol):
    """One stage of a model that writes."""

    @property
    def objective(self) -> Objective: ...

    @property
    def files(self) -> list[DataFile]: ...

    def measure(self, adapted: Any) -> tuple[Metrics, list[str]]:
        """Figures by what was measured, and notes for the card."""


def open_writing_stage(
    recipe: Recipe, folder: Path, data_dir: Path | None, tokenizer: Tokenizer
) -> WritingStage:
    """Read what the recipe learns from. Raises RecipeError and TrainingDataError."""
    text = TEXT.read_text(encoding="utf-8")
    general = [
        *encode_text(tokenizer, text[:GENERAL_CHARACTERS], GENERAL_TOKENS),
        *encode_text(tokenizer, text[-GENERAL_CHARACTERS:], GENERAL_TOKENS),
    ]
    if recipe.kind == "preference":
        pairs = read_preference_data(recipe, folder, data_dir, tokenizer)
        preferring = PreferenceObjective(pairs, recipe.beta, recipe.training.tokens_per_batch)
        return PreferenceStage(recipe, pairs, general, preferring)
    rows = read_reply_data(recipe, folder, data_dir, tokenizer)
    objective = ReplyObjective(rows.training, rows.held_out, recipe.training.tokens_per_batch)
    return ReplyStage(recipe, rows, general, objective)


@dataclass(frozen=True)
class ReplyStage:
    """Replies, completions or plain text."""

    recipe: Recipe
    data: Examples[Row]
    general: list[Row]
    objective: ReplyObjective

    @property
    def files(self) -> list[DataFile]:
        return self.data.files

    def measure(self, adapted: Any) -> tuple[Metrics, list[str]]:
        metrics = {
            name: self._scores(adapted, rows)
            for name, rows in {"held-out": self.data.held_out, **self.data.tests}.items()
        }
        with adapted.disable_adapter():
            metrics["held-out, base alone"] = self._scores(adapted, self.data.held_out)
        metrics |= general_ability(adapted, self.general, self.recipe.training.tokens_per_batch)
        return metrics, [
            f"{len(self.data.training):,} rows trained on, {len(self.data.held_out):,} held out, "
            f"{self.data.left_out:,} longer than {self.recipe.training.max_tokens} tokens left out.",
            "loss: nats per learnt token.",
        ]

    def _scores(self, adapted: Any, rows: list[Row]) -> dict[str, float]:
        return reply_scores(adapted, make_batches(rows, self.recipe.training.tokens_per_batch))


@dataclass(frozen=True)
class PreferenceStage:
    """Pairs of replies."""

    recipe: Recipe
    data: Examples[Preference]
    general: list[Row]
    objective: PreferenceObjective

    @property
    def files(self) -> list[DataFile]:
        return self.data.files

    def measure(self, adapted: Any) -> tuple[Metrics, list[str]]:
        metrics = {
            name: self.objective.scores(adapted, pairs)
            for name, pairs in {"held-out": self.data.held_out, **self.data.tests}.items()
        }
        metrics |= general_ability(adapted, self.general, self.recipe.training.tokens_per_batch)
        return metrics, [
            f"{len(self.data.training):,} pairs trained on, {len(self.data.held_out):,} held out, "
            f"{self.data.left_out:,} longer than {self.recipe.training.max_tokens} tokens left out.",
            "preferred: pairs whose chosen reply gained on the rejected one; likelier: those in which it is now the "
            "likelier; gain: by how much, in nats.",
        ]


def general_ability(adapted: Any, rows: list[Row], tokens_per_batch: int) -> Metrics:
    """How well a general text is predicted, with the adapter and without."""
    batches = make_batches(rows, tokens_per_batch)
    metrics = {"general text": reply_scores(adapted, batches)}
    with adapted.disable_adapter():
        metrics["general text, base alone"] = reply_scores(adapted, batches)
    return metrics
