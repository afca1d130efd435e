"""Work that one process at a time does for a database. A lock of a process that was killed is free at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import Enum
from threading import Event

from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from apps.support.shop.database import Database

TRY_AGAIN_S = 1.0


class Work(Enum):
    """What the lock is for: the ending of its file's name beside SQLite's; PostgreSQL's number, any of our own."""

    DESKS = ("desks", 0x4465736B)
    IMPORT = ("import", 0x496D706F)


Held = Callable[[], bool]
"""Whether the lock is still ours: a database that restarts forgets its locks."""


def only_one(database: Database, work: Work, stop: Event) -> AbstractContextManager[Held | None]:
    """Wait for the lock and hold it; None where `stop` was set first. Raises SQLAlchemyError."""
    return _hold(database, work, _until(stop))


def at_once(database: Database, work: Work) -> AbstractContextManager[Held | None]:
    """Hold the lock; None where another process does. Raises SQLAlchemyError."""
    return _hold(database, work, (None,))


def _until(stop: Event) -> Iterator[None]:
    while not stop.is_set():
        yield
        stop.wait(TRY_AGAIN_S)


def _hold(database: Database, work: Work, attempts: Iterable[None]) -> AbstractContextManager[Held | None]:
    return (_with_file if database.is_sqlite else _with_database)(database, work, attempts)


@contextmanager
def _with_file(database: Database, work: Work, attempts: Iterable[None]) -> Iterator[Held | None]:
    lock = FileLock(f"{database.url.database}.{work.value[0]}.lock")
    for _ in attempts:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        try:
            yield lambda: True
        finally:
            lock.release()
        return
    yield None


@contextmanager
def _with_database(database: Database, work: Work, attempts: Iterable[None]) -> Iterator[Held | None]:
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:

        def held() -> bool:
            try:
                connection.execute(text("select 1"))
            except SQLAlchemyError:
                return False
            return True

        number = {"number": work.value[1]}
        for _ in attempts:
            if connection.scalar(text("select pg_try_advisory_lock(:number)"), number):
                try:
                    yield held
                finally:
                    if held():
                        connection.execute(text("select pg_advisory_unlock(:number)"), number)
                return
        yield None
