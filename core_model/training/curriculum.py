"""Stages one after the other: each goes on from the adapter of the one before, and can be resumed by itself."""

from __future__ import annotations

from dataclasses import replace

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
    recipes = [training.recipe.parent / path for path in wanted.stages]
    names = [read_recipe(recipe).name for recipe in recipes]
    before = [
        training.output / STAGES / f"{number}-{name}" for number, name in enumerate(names[:-1], start=1)
    ]
    stages = [
        replace(training, recipe=recipe, output=output, begin_with=beginning)
        for recipe, output, beginning in zip(
            recipes, [*before, training.output], [training.begin_with, *before], strict=True
        )
    ]
    metrics: Metrics = {}
    for number, (name, stage) in enumerate(zip(names, stages, strict=True), start=1):
        if training.resume and number < len(stages) and _is_done(stage):
            note(f"stage {number} of {len(stages)}, {name}: done")
            continue
        note(f"stage {number} of {len(stages)}: {name}")
        for later in stages[number:]:  # they went on from another adapter than the one that is made now
            later.checkpoint.unlink(missing_ok=True)
        for output in before[number:]:
            (output / METRICS_FILE).unlink(missing_ok=True)
        resume = training.resume and stage.checkpoint.is_file()
        metrics = train_adapter(replace(stage, resume=resume), report, note)
    return metrics


def _is_done(stage: Training) -> bool:
    """Whether a stage was trained to its end from its recipe: its figures are written last."""
    kept = stage.output / FILE_NAME
    done = (stage.output / METRICS_FILE).is_file() and kept.is_file()
    return done and kept.read_bytes() == stage.recipe.read_bytes()
