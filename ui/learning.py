"""From what the desk said to a version in service: rows, training, measuring beside the served version, the gate."""

from __future__ import annotations

import os
import shutil
from collections.abc import Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy.orm import Session

from apps.settings import Settings
from apps.support.errors import NotFoundError
from apps.support.learning import runs
from apps.support.learning.versions import Versions
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
from evaluation.learning.gate import LEAST_ROWS
from evaluation.learning.rows import distinct, kept_apart

KEPT_APART = 0.25
"""The share of the rows, the newest, on which both versions are compared."""
LEAST_TO_LEARN = round(LEAST_ROWS / KEPT_APART)
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
    corrections: list[Any]  # what the stream is judged by, beside the newest rows


@dataclass(frozen=True)
class Judged:
    """Both versions beside each other, and what is to be said against the learnt one."""

    figures: list[dict[str, Any]]
    objections: list[str]


class Lesson(Protocol[Row, Measured]):
    """What one of the assistant's adapters learns from, and how it is measured."""

    def collect(self, database: Database, after: int, engine: Engine, adapter: str) -> Collected[Row]: ...

    def key(self, row: Row) -> Hashable:
        """What tells rows from each other: of equal ones the last counts."""

    def write(self, folder: Path, rows: Sequence[Row]) -> tuple[Source, ...]:
        """Write the files to train on, with rows of the first training; the recipe's sources."""

    def measure(self, engine: Engine, adapter: str, newest: Sequence[Row], cases: Path) -> Measured:
        """On the fixed test and the newest rows; each case is kept in the folder `cases`."""

    def judge(self, found: Collected[Row], served: Measured, learnt: Measured) -> Judged: ...


@dataclass(frozen=True)
class School:
    """Where adapters learn."""

    settings: Settings
    database: Database
    note: Note
    report: Report

    def learn(self, lesson: Lesson[Any, Any], versions: Versions) -> LearningRun | None:
        """Train further on what the desk said, measure, decide; None where there is too little to learn from, or
        where a person has not decided yet on what was learnt last.

        Raises CoreError, DataError, DatabaseNotReadyError, and ConflictError where another version was put into
        service meanwhile. Whatever is raised, what serves is as it was, and the next time begins with the same rows.
        """
        with self.database.read() as session:
            after, waiting = runs.last_seen(session, versions.name), runs.waiting(session, versions.name)
        if waiting is not None:
            self.note(
                f"{versions.name}: version {waiting.version} waits for a person; `duet adapters approve "
                f"{versions.name}` or `duet adapters decline {versions.name}` first"
            )
            return None
        served, version = versions.served(), versions.next()
        folder = versions.folder(version)
        with ExitStack() as undo:
            with self._engine(versions.served_folder()) as (engine, adapter):
                found = lesson.collect(self.database, after, engine, adapter)
                rows = distinct(found.rows, lesson.key)
                if len(rows) < LEAST_TO_LEARN:
                    self.note(
                        f"{versions.name}: {len(rows)} rows since the last time; {LEAST_TO_LEARN} are needed"
                    )
                    return None
                training, newest = kept_apart(rows, KEPT_APART)
                self.note(
                    f"{versions.name}: {len(training)} rows to learn from, {len(newest)} newer ones kept apart"
                )
                folder.mkdir(parents=True)
                undo.callback(shutil.rmtree, folder, ignore_errors=True)
                before = lesson.measure(engine, adapter, newest, folder / "served")
            self._train(lesson, versions, folder, training)
            with self._engine(folder) as (engine, adapter):
                now = lesson.measure(engine, adapter, newest, folder / "learnt")
            judged = lesson.judge(found, before, now)
            status = LearningStatus.WAITING if self.settings.learning_asks else LearningStatus.IN_SERVICE
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
                    runs.put_in_service(session, run, versions.served())
                    versions.serve(version)
            undo.pop_all()
        return run

    def _train(
        self, lesson: Lesson[Any, Any], versions: Versions, folder: Path, training: Sequence[Any]
    ) -> None:
        first = read_recipe(versions.delivered / recipes.FILE_NAME)
        beside = versions.delivered / first.model
        if first.model not in catalog.CATALOG and beside.exists():
            first = first.model_copy(update={"model": str(beside.resolve())})
        recipe = further(first, versions.served_folder(), folder, lesson.write(folder, training))
        path = folder / recipes.FILE_NAME
        path.write_text(write_toml(recipe), encoding="utf-8")
        settings = self.settings
        recomputed = settings.activation_checkpoint_interval if settings.mem_opt else None
        work = Training(path, folder, settings.home, threads=settings.threads, recomputed_every=recomputed)
        try:
            train_adapter(work, self.report, self.note)
        finally:
            work.checkpoint.unlink(missing_ok=True)  # the next time there are more rows: it begins anew

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


def further(first: Recipe, served: Path, folder: Path, data: tuple[Source, ...]) -> Recipe:
    """The recipe that goes on from the served version with the desk's rows, slower than the first training."""
    schedule = first.training
    return first.model_copy(
        update={
            "begin_with": os.path.relpath(served, folder),
            "data": data,
            "test": (),
            "training": schedule.model_copy(
                update={"epochs": EPOCHS, "learning_rate": schedule.learning_rate * SLOWER}
            ),
        }
    )


def approve(database: Database, versions: Versions) -> LearningRun:
    """Put what waits for a person into service. Raises NotFoundError, and ConflictError where it went on from
    another version than the one that serves by now."""
    with database.write() as session:
        run = _waiting(session, versions)
        runs.put_in_service(session, run, versions.served())
        versions.serve(run.version)
    return run


def decline(database: Database, versions: Versions) -> LearningRun:
    """Keep what waits for a person out; its rows are not looked at again. Raises NotFoundError."""
    with database.write() as session:
        run = _waiting(session, versions)
        runs.decline(session, run)
    return run


def _waiting(session: Session, versions: Versions) -> LearningRun:
    run = runs.waiting(session, versions.name)
    if run is None:
        raise NotFoundError(f"nothing that {versions.name} learnt waits for a person")
    return run


def roll_back(database: Database, versions: Versions) -> tuple[int, int]:
    """Let the version serve that served before: (before, now). Raises ConflictError."""
    with database.write() as session:
        served, now = versions.roll_back()
        runs.rolled_back(session, versions.name, served, now)
    return served, now
