"""The loop that trains low-rank pairs: steps, validations, early stopping, checkpoints, resuming."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from core_model.training.batches import Batch
from core_model.training.errors import TrainingError
from core_model.training.recipe import Schedule

CHECKPOINT_EVERY_S = 180
FEW_DATA_STEPS, DEFAULT_EPOCHS, MOST_EPOCHS = 300, 4, 40
STEPS_BETWEEN_VALIDATIONS = 25
"""At least: with few rows an epoch is too short for `patience` epochs to tell anything."""
MAX_GRADIENT_NORM = 1.0


@dataclass(frozen=True)
class Validation:
    """How good the adapter is on the held-out rows; `score` decides which state is kept, higher is better."""

    loss: float
    score: tuple[float, ...]
    figures: dict[str, float]


@dataclass(frozen=True)
class TrainingProgress:
    """What a display may show after a step or a validation."""

    step: int
    steps: int
    epoch: float
    loss: float  # running mean
    tokens_per_second: float
    seconds: float  # of all steps so far
    validation: Validation | None = None


Report = Callable[[TrainingProgress], None]


class Objective(Protocol):
    """What is learnt."""

    def prepare(self, model: Any) -> None:
        """Get ready, with the model as it is before any training; also when a training is resumed."""

    def batches(self, rng: random.Random) -> Sequence[Batch]:
        """One epoch, drawn with `rng`."""

    def loss(self, model: Any, batch: Any) -> Tensor:
        """The batch's mean loss, a scalar with a gradient."""

    def validate(self, model: Any) -> Validation:
        """Measure on the held-out rows."""


@dataclass
class _State:
    """Everything that a resumed run needs to go on exactly where it was."""

    key: str
    step: int = 0
    epoch: int = 0
    position: int = 0  # batches of the epoch that are done
    tokens: int = 0
    seconds: float = 0.0
    loss: float = 0.0
    best: Validation | None = None
    best_step: int = 0
    since_best: int = 0
    stopped: bool = False
    history: list[dict[str, float]] = field(default_factory=list)
    masters: list[Tensor] = field(default_factory=list)
    best_masters: list[Tensor] = field(default_factory=list)
    optimizer: dict[str, Any] | None = None
    random: Tensor | None = None


@dataclass(frozen=True)
class Outcome:
    """What a training came to."""

    steps: int
    epochs: float
    best_step: int
    tokens: int
    seconds: float
    stopped_early: bool
    validation: Validation
    history: list[dict[str, float]]


class Trainer:
    """AdamW on float32 copies of the trainable weights; the model computes with them in its own type."""

    def __init__(
        self, model: Any, objective: Objective, schedule: Schedule, checkpoint: Path, key: str, resume: bool
    ) -> None:
        """`key` says what is trained from what: a checkpoint of another key is refused.

        Raises TrainingError where `resume` finds no checkpoint, or one of another recipe or other data.
        """
        self._model, self._objective, self._schedule = model, objective, schedule
        self._checkpoint = checkpoint
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._state = _State(key)
        if resume:
            self._state = _load(checkpoint, key)
        else:
            self._state.masters = [parameter.detach().float().clone() for parameter in self._parameters]
        self._optimizer = torch.optim.AdamW(
            self._state.masters,
            lr=schedule.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=schedule.weight_decay,
        )
        if self._state.optimizer is not None:
            self._optimizer.load_state_dict(self._state.optimizer)
        self._use(self._state.masters)

    def run(self, report: Report) -> Outcome:
        """Train to the end; an interruption leaves a checkpoint and goes on as KeyboardInterrupt.

        The model is left with the weights of the best validation.
        """
        state, schedule = self._state, self._schedule
        if state.random is not None:
            torch.set_rng_state(state.random)
        else:
            torch.manual_seed(schedule.seed)
        per_epoch = len(self._epoch(0))
        epochs = schedule.epochs or min(
            MOST_EPOCHS, max(DEFAULT_EPOCHS, math.ceil(FEW_DATA_STEPS / per_epoch))
        )
        steps = max(1, round(epochs * per_epoch))
        every = max(STEPS_BETWEEN_VALIDATIONS, per_epoch // schedule.validations_per_epoch)
        saved = time.monotonic()
        try:
            while state.step < steps and not state.stopped:
                batches = self._epoch(state.epoch)
                for batch in batches[state.position :]:
                    self._step(batch, steps)
                    state.position += 1
                    if state.step % every == 0 or state.step == steps:
                        self._validate(steps, per_epoch, report)
                    report(self._progress(steps, per_epoch))
                    if time.monotonic() - saved > CHECKPOINT_EVERY_S:
                        self._save()
                        saved = time.monotonic()
                    if state.stopped or state.step == steps:
                        break
                else:
                    state.epoch, state.position = state.epoch + 1, 0
        except KeyboardInterrupt:
            self._save()
            raise
        self._save()
        self._use(state.best_masters)
        assert state.best is not None  # the last step is always validated
        return Outcome(
            state.step,
            state.step / per_epoch,
            state.best_step,
            state.tokens,
            state.seconds,
            state.stopped,
            state.best,
            state.history,
        )

    def _epoch(self, epoch: int) -> Sequence[Batch]:
        return self._objective.batches(random.Random(f"{self._schedule.seed}:{epoch}"))

    def _step(self, batch: Batch, steps: int) -> None:
        started = time.monotonic()
        state = self._state
        for group in self._optimizer.param_groups:
            group["lr"] = self._schedule.learning_rate * _rate(state.step, steps, self._schedule.warmup)
        self._model.train()
        loss = self._objective.loss(self._model, batch)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss.item()} at step {state.step}: lower the learning rate"
            )
        loss.backward()
        for master, parameter in zip(state.masters, self._parameters, strict=True):
            master.grad = None if parameter.grad is None else parameter.grad.float()
            parameter.grad = None
        torch.nn.utils.clip_grad_norm_(state.masters, MAX_GRADIENT_NORM)
        self._optimizer.step()
        self._use(state.masters)
        state.step += 1
        state.tokens += batch.real_tokens
        state.seconds += time.monotonic() - started
        weight = max(0.02, 1 / state.step)
        state.loss += weight * (loss.item() - state.loss)

    def _validate(self, steps: int, per_epoch: int, report: Report) -> None:
        state = self._state
        self._model.eval()
        with torch.inference_mode():
            validation = self._objective.validate(self._model)
        state.history.append({"step": state.step, "training_loss": state.loss, **validation.figures})
        if state.best is None or validation.score > state.best.score:
            state.best, state.best_step, state.since_best = validation, state.step, 0
            state.best_masters = [master.detach().clone() for master in state.masters]
        else:
            state.since_best += 1
            state.stopped = state.since_best >= self._schedule.patience
        report(self._progress(steps, per_epoch, validation))

    def _progress(self, steps: int, per_epoch: int, validation: Validation | None = None) -> TrainingProgress:
        state = self._state
        speed = state.tokens / state.seconds if state.seconds else 0.0
        return TrainingProgress(
            state.step, steps, state.step / per_epoch, state.loss, speed, state.seconds, validation
        )

    def _use(self, masters: list[Tensor]) -> None:
        with torch.no_grad():
            for parameter, master in zip(self._parameters, masters, strict=True):
                parameter.copy_(master)

    def _save(self) -> None:
        """Whole or not at all."""
        state = self._state
        state.optimizer, state.random = self._optimizer.state_dict(), torch.get_rng_state()
        self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
        partial = self._checkpoint.with_name(self._checkpoint.name + ".partial")
        torch.save({**vars(state), "best": vars(state.best) if state.best else None}, partial)
        partial.replace(self._checkpoint)


def _load(checkpoint: Path, key: str) -> _State:
    if not checkpoint.is_file():
        raise TrainingError(f"nothing to resume: there is no {checkpoint}; train without --resume")
    content = torch.load(checkpoint, weights_only=True)
    if content["key"] != key:
        raise TrainingError(
            f"{checkpoint} belongs to another recipe or other data; train without --resume to begin again"
        )
    best = content.pop("best")
    return _State(**content, best=Validation(**best) if best else None)


def _rate(step: int, steps: int, warmup: float) -> float:
    """Linear rise, then a cosine down to a twentieth; a part of the learning rate."""
    rising = max(1, round(steps * warmup))
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, steps - rising)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))
