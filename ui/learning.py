"""From what the desk said to a version in service: rows, training, measuring beside the served version, the gate."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from apps.settings import Settings
from apps.support.shop.database import Database
from apps.support.shop.models import LearningRun, LearningStatus
from core_model import catalog
from core_model.causal_lm import load_engine
from core_model.engine import Engine
from core_model.lora import load_adapter
from core_model.training import recipe as recipes
from core_model.training.adapter import Note, Training, train_adapter
from core_model.training.lora_training import Report
from core_model.training.recipe import Recipe, Source, read_recipe, write_toml
from evaluation.learning import runs
from evaluation.learning.gate import LEAST_ROWS
from evaluation.learning.versions import Versions

KEPT_APART = 0.25
"""The share of the rows, the newest, on which both versions are compared."""
LEAST_TO_LEARN = round(LEAST_ROWS / KEPT_APART)
ROWS_FILE = "rows.jsonl"
SLOWER = 0.25
"""The learning rate, as a part of the first training's: what is known already is to stay."""
EPOCHS = 2.0
Row = TypeVar("Row")
Measured = TypeVar("Measured")


@dataclass(frozen=True)
class Collected(Generic[Row]):
    """What the desk said since the last time."""

    rows: list[Row]  # oldest first
    counts: dict[str, int]  # source → how many
    last_seen: int


@dataclass(frozen=True)
class Judged:
    """Both versions beside each other, and what is to be said against the learnt one."""

    figures: list[dict[str, Any]]
    objections: list[str]


class Lesson(Protocol[Row, Measured]):
    """What one of the assistant's adapters learns from, and how it is measured."""

    def collect(self, database: Database, after: int, engine: Engine, adapter: str) -> Collected[Row]: ...

    def split(self, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
        """(rows to train on, the newest ones kept apart)."""

    def write(self, path: Path, rows: Sequence[Row]) -> int:
        """The training file, with rows of the first training among them; its number of rows."""

    def measure(
        self, engine: Engine, adapter: str, newest: Sequence[Row], folder: Path, mark: str
    ) -> Measured: ...

    def judge(self, served: Measured, learnt: Measured) -> Judged: ...


@dataclass(frozen=True)
class School:
    """Where adapters learn."""

    settings: Settings
    database: Database
    note: Note
    report: Report

    def learn(self, lesson: Lesson[Any, Any], versions: Versions) -> LearningRun | None:
        """Train further on what the desk said, measure, decide; None where there is too little to learn from.

        Raises CoreError, DataError, DatabaseNotReadyError. An interruption leaves the served version as it is.
        """
        with self.database.read() as session:
            after = runs.last_seen(session, versions.name)
        served, version = versions.served(), versions.next()
        folder = versions.folder(version)
        with self._engine(versions.served_folder()) as (engine, adapter):
            found = lesson.collect(self.database, after, engine, adapter)
            if len(found.rows) < LEAST_TO_LEARN:
                self.note(
                    f"{versions.name}: {len(found.rows)} rows since the last time; {LEAST_TO_LEARN} are needed"
                )
                return None
            training, newest = lesson.split(found.rows)
            self.note(
                f"{versions.name}: {len(training)} rows to learn from, {len(newest)} newer ones kept apart"
            )
            folder.mkdir(parents=True)
            before = lesson.measure(engine, adapter, newest, folder, mark_of(versions.served_folder()))
        self._train(lesson, versions, folder, training)
        with self._engine(folder) as (engine, adapter):
            now = lesson.measure(engine, adapter, newest, folder, mark_of(folder))
        judged = lesson.judge(before, now)
        asks = self.settings.learning_asks
        status = LearningStatus.WAITING if asks else LearningStatus.IN_SERVICE
        run = LearningRun(
            adapter=versions.name,
            version=version,
            from_version=served,
            status=LearningStatus.REFUSED if judged.objections else status,
            rows={**found.counts, "trained on": len(training), "kept apart": len(newest)},
            figures=judged.figures,
            reasons=judged.objections,
            last_seen=found.last_seen,
        )
        with self.database.write() as session:
            runs.record(session, run)
            if run.status is LearningStatus.IN_SERVICE:
                runs.put_in_service(session, run)
                versions.serve(version)
        return run

    def _train(
        self, lesson: Lesson[Any, Any], versions: Versions, folder: Path, training: Sequence[Any]
    ) -> None:
        lesson.write(folder / ROWS_FILE, training)
        first = read_recipe(versions.delivered / recipes.FILE_NAME)
        path = folder / recipes.FILE_NAME
        beside = versions.delivered / first.model
        if first.model not in catalog.CATALOG and beside.exists():
            first = first.model_copy(update={"model": str(beside.resolve())})
        path.write_text(write_toml(further(first, versions.served_folder(), folder)), encoding="utf-8")
        settings = self.settings
        recomputed = settings.activation_checkpoint_interval if settings.mem_opt else None
        work = Training(path, folder, settings.home, threads=settings.threads, recomputed_every=recomputed)
        train_adapter(work, self.report, self.note)

    @contextmanager
    def _engine(self, folder: Path) -> Iterator[tuple[Engine, str]]:
        """The base with one adapter."""
        settings = self.settings
        engine = load_engine(
            settings.model, weights=settings.weights, threads=settings.threads, home=settings.home
        )
        try:
            engine.add_adapter(load_adapter(folder, engine.config, folder.name))
            yield engine, folder.name
        finally:
            engine.close()


def further(first: Recipe, served: Path, folder: Path) -> Recipe:
    """The recipe that goes on from the served version with the desk's rows, slower than the first training."""
    schedule = first.training
    return first.model_copy(
        update={
            "begin_with": os.path.relpath(served, folder),
            "data": (Source(path=ROWS_FILE),),
            "test": (),
            "training": schedule.model_copy(
                update={"epochs": EPOCHS, "learning_rate": schedule.learning_rate * SLOWER}
            ),
        }
    )


def mark_of(folder: Path) -> str:
    """What tells an adapter's weights from others."""
    return hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()[:12]


def approve(database: Database, versions: Versions) -> LearningRun:
    """Put what waits for a person into service. Raises NotFoundError, ConflictError."""
    with database.write() as session:
        run = runs.waiting(session, versions.name)
        runs.put_in_service(session, run)
        versions.serve(run.version)
    return run


def roll_back(database: Database, versions: Versions) -> tuple[int, int]:
    """Let the version serve that served before: (before, now). Raises ConflictError."""
    with database.write() as session:
        served, now = versions.roll_back()
        runs.rolled_back(session, versions.name, served, now)
    return served, now
