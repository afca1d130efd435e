"""Stages one after the other: each goes on from the adapter of the one before, and can be resumed by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core_model.training.adapter import Metrics, Note, Training, train_adapter
from core_model.training.card import METRICS_FILE
from core_model.training.lora_training import Report
from core_model.training.recipe import FILE_NAME, Curriculum, Recipe, read_recipe, read_training

STAGES = "stages"


def train(training: Training, report: Report, note: Note) -> Metrics:
    """Train what the file asks for, a recipe or a curriculum: its figures, or the last stage's.

    Raises as `train_adapter`.
    """
    wanted = read_training(training.recipe)
    if isinstance(wanted, Recipe):
        return train_adapter(training, report, note)
    return _train_stages(wanted, training, report, note)


def _train_stages(wanted: Curriculum, training: Training, report: Report, note: Note) -> Metrics:
    """The last stage's adapter is the curriculum's; those before lie in its folder `stages`."""
    before: Path | None = training.begin_with
    metrics: Metrics = {}
    last = len(wanted.stages)
    for number, path in enumerate(wanted.stages, start=1):
        recipe = training.recipe.parent / path
        name = read_recipe(recipe).name
        output = training.output if number == last else training.output / STAGES / f"{number}-{name}"
        if training.resume and number < last and _is_done(output, recipe):
            note(f"stage {number} of {last}, {name}: done")
        else:
            note(f"stage {number} of {last}: {name}")
            stage = replace(training, recipe=recipe, output=output, begin_with=before)
            resume = training.resume and stage.checkpoint.is_file()
            metrics = train_adapter(replace(stage, resume=resume), report, note)
        before = output
    return metrics


def _is_done(output: Path, recipe: Path) -> bool:
    """Whether a stage was trained to its end from this recipe: its figures are written last."""
    kept = output / FILE_NAME
    return (output / METRICS_FILE).is_file() and kept.is_file() and kept.read_bytes() == recipe.read_bytes()
