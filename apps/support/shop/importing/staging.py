"""A checked import on its way into the shop's tables, in transactions so short that conversations go on.

First its batches are stored beside the shop's tables, then `staged` is set: from then on the import is certain.
Each batch is written in the transaction that deletes it, so a process that is killed has written whole batches,
and the rest is written by the next one that opens the database (`finish_interrupted`). An import that was killed
before it was staged is dropped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm.exc import StaleDataError

from apps.support.errors import ConflictError, DatabaseNotReadyError
from apps.support.shop.database import Database, cause_of
from apps.support.shop.importing.options import ImportReport, Progress
from apps.support.shop.importing.records import Batch
from apps.support.shop.importing.scratch import Scratch
from apps.support.shop.importing.writing import write_batch
from apps.support.shop.locks import Work, at_once
from apps.support.shop.models import ImportBatch, ImportRun
from apps.support.shop.models.columns import utc_now

log = structlog.get_logger(__name__)

SQLITE_LOOKS_S = 0.1  # the longest of the delays in sqlite3_busy_timeout's handler


def stage(database: Database, path: Path, scratch: Scratch, report: ImportReport) -> int:
    """Store the batches with the database; the run's id. What it does not bring to its end is dropped later."""
    with database.write() as session:
        run = ImportRun(file=path.name[-255:].encode("utf-8", "replace").decode(), counts=asdict(report))
        session.add(run)
        session.flush()
        run_id = run.id
    turns = _Turns(database)
    for content in scratch.batches():
        with turns.take(), database.write() as session:
            session.add(ImportBatch(run_id=run_id, content=content))
    with database.write() as session:
        session.get_one(ImportRun, run_id).staged = True
    return run_id


def write(database: Database, run_id: int, progress: Progress) -> list[str]:
    """Write the batches that are left; the records that do not fit any more, because the shop was changed since.

    Raises DatabaseNotReadyError where the database fails meanwhile.
    """
    refused: list[str] = []
    turns = _Turns(database)
    try:
        with database.read() as session:
            ids = list(
                session.scalars(
                    select(ImportBatch.id).where(ImportBatch.run_id == run_id).order_by(ImportBatch.id)
                )
            )
        for done, batch_id in enumerate(ids, start=1):
            with database.read() as session:
                batch = Batch.model_validate_json(session.get_one(ImportBatch, batch_id).content)
            refused += _write(database, turns, batch_id, batch)
            progress("writing", done, len(ids))
        with database.write() as session:
            session.get_one(ImportRun, run_id).finished_at = utc_now()
    except SQLAlchemyError as error:
        raise DatabaseNotReadyError(
            "the import is checked and stored, but not all of it is in the shop's tables yet "
            f"({cause_of(error)}): `duet db upgrade` goes on with it"
        ) from error
    return refused


def _write(database: Database, turns: _Turns, batch_id: int, batch: Batch) -> list[str]:
    try:
        with turns.take(), database.write() as session:
            write_batch(session, batch)
            session.execute(delete(ImportBatch).where(ImportBatch.id == batch_id))
        return []
    except (ConflictError, IntegrityError, StaleDataError):
        return _write_singly(database, turns, batch_id, batch)


def _write_singly(database: Database, turns: _Turns, batch_id: int, batch: Batch) -> list[str]:
    """Leave out what the shop has no place for any more, rather than never come to an end."""
    refused = []
    with turns.take(), database.write() as session:
        for key, single in batch.single():
            try:
                with session.begin_nested():
                    write_batch(session, single)
            except (ConflictError, IntegrityError, StaleDataError) as error:
                refused.append(f"{key}: {getattr(error, 'orig', None) or error}")
                log.error("left out of the import: the shop was changed meanwhile", record=refused[-1])
        session.execute(delete(ImportBatch).where(ImportBatch.id == batch_id))
    return refused


def finish_interrupted(database: Database) -> None:
    """Bring imports to their end that a killed process left behind, unless another process is importing.

    Raises DatabaseNotReadyError.
    """
    with _begun(database) as runs:
        if runs:
            with at_once(database, Work.IMPORT) as held:
                if held is not None:
                    finish(database)


def finish(database: Database) -> None:
    """The same for who holds the lock."""
    with _begun(database) as runs:
        for run_id, file, staged in runs:
            if staged:
                log.info("going on with an import that was interrupted", file=file)
                write(database, run_id, lambda *_: None)
            else:
                with database.write() as session:
                    session.execute(delete(ImportBatch).where(ImportBatch.run_id == run_id))
                    session.execute(delete(ImportRun).where(ImportRun.id == run_id))


@contextmanager
def _begun(database: Database) -> Iterator[list[tuple[int, str, bool]]]:
    try:
        with database.read() as session:
            unfinished = select(ImportRun.id, ImportRun.file, ImportRun.staged).where(
                ImportRun.finished_at.is_(None)
            )
            runs = [
                (run.id, run.file, run.staged) for run in session.execute(unfinished.order_by(ImportRun.id))
            ]
        yield runs
    except SQLAlchemyError as error:
        raise DatabaseNotReadyError(f"{database.safe_url}: {cause_of(error)}") from error


class _Turns:
    """SQLite has one writer, and who waits for it only looks from time to time: it stays free as long as it was held.

    Nobody waits longer between two looks than SQLITE_LOOKS_S.
    """

    def __init__(self, database: Database) -> None:
        self._needed = database.is_sqlite
        self._free_until = 0.0

    @contextmanager
    def take(self) -> Iterator[None]:
        time.sleep(max(0.0, self._free_until - time.monotonic()))
        began = time.monotonic()
        yield
        if self._needed:
            ended = time.monotonic()
            self._free_until = ended + min(ended - began, SQLITE_LOOKS_S)
