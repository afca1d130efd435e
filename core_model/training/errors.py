"""What can go wrong while an adapter is trained, each with what to do."""

from __future__ import annotations

from core_model.errors import CoreError


class TrainingError(CoreError):
    """An adapter cannot be trained as asked."""


class RecipeError(TrainingError):
    """A recipe is not what `duet adapters train` reads."""


class TrainingDataError(TrainingError):
    """A data file of a recipe is missing, malformed or too small."""
