"""One worker for a database, whichever process it runs in. A lock of a process that was killed is free at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Protocol

from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from apps.support.shop.database import Database

LOCK_NUMBER = 0x4465736B  # any number of our own
TRY_AGAIN_S = 1.0


class Held(Protocol):
    """Whether the lock is still ours: a database that restarts forgets its locks."""

    def __call__(self) -> bool: ...


@contextmanager
def only_one(database: Database, stop: Event) -> Iterator[Held | None]:
    """Wait for the lock and hold it; None where `stop` was set first. Raises SQLAlchemyError."""
    hold = _with_file if database.is_sqlite else _with_database
    with hold(database, stop) as held:
        yield held


@contextmanager
def _with_file(database: Database, stop: Event) -> Iterator[Held | None]:
    lock = FileLock(f"{database.url.database}.desks.lock")
    while not stop.is_set():
        try:
            with lock.acquire(timeout=0):
                yield lambda: True
                return
        except Timeout:
            stop.wait(TRY_AGAIN_S)
    yield None


@contextmanager
def _with_database(database: Database, stop: Event) -> Iterator[Held | None]:
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:

        def held() -> bool:
            try:
                connection.execute(text("select 1"))
            except SQLAlchemyError:
                return False
            return True

        number = {"number": LOCK_NUMBER}
        while not stop.is_set():
            if connection.scalar(text("select pg_try_advisory_lock(:number)"), number):
                try:
                    yield held
                finally:
                    if held():
                        connection.execute(text("select pg_advisory_unlock(:number)"), number)
                return
            stop.wait(TRY_AGAIN_S)
        yield None
