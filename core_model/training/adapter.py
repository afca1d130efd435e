"""From a recipe to an adapter's folder: weights, classifier.json, recipe.toml, README.md, metrics.json."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from core_model import catalog
from core_model.causal_lm import load_engine
from core_model.checkpoint import Checkpoint, load_checkpoint
from core_model.classifier import Classifier, ClassifierSettings
from core_model.lora import load_adapter
from core_model.tokenizer import Tokenizer
from core_model.training import recipe as recipes
from core_model.training import trainable
from core_model.training.card import METRICS_FILE, Card
from core_model.training.classification import (
    ClassificationData,
    ClassificationObjective,
    calibrate,
    measure_served,
    read_classification_data,
    scores_of,
)
from core_model.training.curves import write_curves
from core_model.training.data import DataFile
from core_model.training.lora_training import Objective, Outcome, Report, Trainer
from core_model.training.recipe import Recipe
from core_model.training.stages import open_writing_stage

Note = Callable[[str], None]
"""Told what is being done."""

Metrics = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Training:
    """Where an adapter is trained from and to."""

    recipe: Path
    output: Path
    home: Path
    """Base models are taken from here; checkpoints lie in its folder `training`."""
    data_dir: Path | None = None
    threads: int = 2
    resume: bool = False
    begin_with: Path | None = None
    """An adapter to go on from, in place of the recipe's own `begin_with`."""
    recomputed_every: int | None = None
    """Of so many layers one keeps no activations and is computed again in the backward pass; None: all keep them."""

    @property
    def checkpoint(self) -> Path:
        """Where an interrupted training lies: of each output folder its own, whatever its recipe is called."""
        output = hashlib.sha256(str(self.output.resolve()).encode()).hexdigest()[:8]
        return self.home / "training" / f"{recipes.read_recipe(self.recipe).name}-{output}.pt"


def train_adapter(training: Training, report: Report, note: Note) -> Metrics:
    """Train, calibrate, measure and describe an adapter; the figures by the name of what was measured.

    Raises RecipeError, TrainingDataError, TrainingError, and what `catalog.resolve` raises. KeyboardInterrupt
    leaves a checkpoint from which `resume` goes on.
    """
    recipe = recipes.read_recipe(training.recipe)
    folder = training.recipe.parent
    torch.set_num_threads(training.threads)
    path = catalog.resolve(_base_path(recipe, folder), training.home)
    checkpoint = load_checkpoint(path, training.home / "packed")
    tokenizer = Tokenizer(checkpoint.tokenizer)
    note("reading the data")
    if recipe.kind == "classification":
        data = read_classification_data(recipe, folder, training.data_dir)
        settings = ClassifierSettings(
            data.labels, recipe.suffix, recipe.training.max_tokens, out_of_scope=recipe.out_of_scope
        )
        objective = ClassificationObjective(data, settings, tokenizer, recipe.training)
        adapted, outcome = _fit(
            training, recipe, checkpoint, objective, data.files, len(data.labels), report, note
        )
        _write(training, recipe, adapted)
        share, parameters = trainable.lora_share(adapted), _parameters(adapted)
        del adapted  # its memory is needed for the engine
        note("calibrating and measuring as served")
        metrics, settings = _measure(training, recipe, path, settings, data)
        settings.write(training.output)
        notes = _classification_notes(data, settings)
        files = data.files
    else:
        stage = open_writing_stage(recipe, folder, training.data_dir, tokenizer)
        adapted, outcome = _fit(
            training, recipe, checkpoint, stage.objective, stage.files, None, report, note
        )
        _write(training, recipe, adapted)
        share, parameters = trainable.lora_share(adapted), _parameters(adapted)
        note("measuring")
        with torch.inference_mode():
            metrics, notes = stage.measure(adapted)
        files = stage.files
    write_curves(training.output, outcome.history)
    Card(
        name=recipe.name,
        kind=recipe.kind,
        base=catalog.name_of(recipe.model),
        weights=recipe.weights,
        files=files,
        recipe=(training.output / recipes.FILE_NAME).read_text(encoding="utf-8"),
        parameters=parameters,
        share=share,
        metrics=metrics,
        training=_figures(outcome, training.threads),
        notes=notes,
    ).write(training.output)
    training.checkpoint.unlink(missing_ok=True)
    return metrics


def _fit(
    training: Training,
    recipe: Recipe,
    checkpoint: Checkpoint,
    objective: Objective,
    files: list[DataFile],
    labels: int | None,
    report: Report,
    note: Note,
) -> tuple[Any, Outcome]:
    """The adapted base with the best weights, in evaluation mode."""
    note(f"loading {catalog.name_of(recipe.model)}, rounded to {recipe.weights}")
    torch.manual_seed(recipe.training.seed)  # of the pairs' first values
    adapted = trainable.adapt(
        trainable.base_model(checkpoint, recipe.weights, labels), recipe.lora, labels is not None
    )
    if training.recomputed_every is not None:
        trainable.recompute(adapted, training.recomputed_every)
    beginning = training.begin_with
    if beginning is None and recipe.begin_with is not None:
        beginning = training.recipe.parent / recipe.begin_with
    key = f"{recipe.model_dump_json()}|{[file.sha256 for file in files]}|{checkpoint.fingerprint}"
    if beginning is not None:
        key += f"|{trainable.begin_with(adapted, beginning)}"
    objective.prepare(adapted.eval())
    trainer = Trainer(
        adapted,
        objective,
        recipe.training,
        training.checkpoint,
        hashlib.sha256(key.encode()).hexdigest(),
        training.resume,
    )
    note("training")
    outcome = trainer.run(report)
    adapted.eval()
    return adapted, outcome


def _write(training: Training, recipe: Recipe, adapted: Any) -> None:
    training.output.mkdir(parents=True, exist_ok=True)
    (training.output / METRICS_FILE).unlink(missing_ok=True)  # of other weights
    target = training.output / recipes.FILE_NAME
    if target.resolve() != training.recipe.resolve():
        target.write_text(training.recipe.read_text(encoding="utf-8"), encoding="utf-8")
    trainable.save(adapted, training.output, catalog.name_of(recipe.model))


def _measure(
    training: Training, recipe: Recipe, path: Path, settings: ClassifierSettings, data: ClassificationData
) -> tuple[Metrics, ClassifierSettings]:
    """Temperature and threshold from the held-out rows, and the figures, on the engine that will serve it."""
    engine = load_engine(path, weights=recipe.weights, threads=training.threads, home=training.home)
    try:
        adapter = load_adapter(training.output, engine.config, recipe.name)
        engine.add_adapter(adapter)
        classifier = Classifier(engine, adapter, settings)
        held_out = measure_served(classifier, data.held_out)
        temperature, threshold = calibrate(held_out, data.held_out, settings)
        settings = replace(settings, temperature=temperature, threshold=threshold)
        metrics = {"held-out": scores_of(held_out, data.held_out, settings)}
        for name, rows in data.tests.items():
            metrics[name] = scores_of(measure_served(classifier, rows), rows, settings)
    finally:
        engine.close()
    return metrics, settings


def _classification_notes(data: ClassificationData, settings: ClassifierSettings) -> list[str]:
    notes = [
        f"{len(set(data.training)):,} rows trained on, {len(data.held_out):,} held out for early stopping, "
        f"temperature ({settings.temperature:.2f}) and out-of-scope threshold ({settings.threshold:.2f}).",
        "Measured through the engine with the weights as they are served.",
    ]
    if data.left_out:
        notes.append(f"{data.left_out:,} rows were not trained on because a test has the same text.")
    if settings.out_of_scope not in settings.labels:
        notes.append("Trained without out-of-scope rows: nothing is refused.")
    if len(data.held_out) < 100:
        notes.append("Few held-out rows: the figures on them, and the confidence, are rough.")
    return notes


def _figures(outcome: Outcome, threads: int) -> dict[str, float]:
    return {
        "steps": outcome.steps,
        "epochs": round(outcome.epochs, 2),
        "best_step": outcome.best_step,
        "stopped_early": float(outcome.stopped_early),
        "tokens": outcome.tokens,
        "seconds_of_steps": round(outcome.seconds, 1),
        "tokens_per_second": round(outcome.tokens / max(outcome.seconds, 1e-9), 1),
        "threads": threads,
        **{name: round(value, 5) for name, value in outcome.validation.figures.items()},
    }


def _parameters(adapted: Any) -> int:
    return sum(tensor.numel() for name, tensor in adapted.named_parameters() if ".lora_" in name)


def _base_path(recipe: Recipe, folder: Path) -> str | Path:
    """A catalogue name, or a path, which may be relative to the recipe."""
    beside = folder / recipe.model
    return beside if recipe.model not in catalog.CATALOG and beside.exists() else recipe.model
