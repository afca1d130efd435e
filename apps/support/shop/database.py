"""The shop's database: SQLite by default, PostgreSQL by URL, both through the same sessions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from apps.support.errors import DatabaseNotReadyError

BUSY_TIMEOUT_MS = 15_000
_WANTED_URL = "DUET_DATABASE_URL must look like sqlite:///shop.db or postgresql://user:password@host/name"


class Database:
    """One engine and its sessions.

    `read()` and `write()` each are one transaction. In SQLite a writing transaction takes the write lock
    when it begins: a transaction that reads first and writes later would fail, not wait, when another
    writer came between.
    """

    def __init__(self, url: str) -> None:
        self.url = _parse(url)
        if self.url.get_backend_name() == "sqlite" and self.url.database not in (None, "", ":memory:"):
            folder = Path(str(self.url.database)).expanduser().parent
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise DatabaseNotReadyError(
                    f"no database can be kept in {folder}: {error.strerror}; set DUET_HOME or DUET_DATABASE_URL"
                ) from error
        self.engine = create_engine(self.url, pool_pre_ping=not self.is_sqlite)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _configure_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._read = sessionmaker(self.engine, expire_on_commit=False)
        self._write = sessionmaker(
            self.engine.execution_options(sqlite_begin="IMMEDIATE"), expire_on_commit=False
        )

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for looking things up; what it changes is rolled back."""
        with self._read() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that commits at the end, or rolls everything back when an exception leaves the block."""
        with self._write.begin() as session:
            yield session

    def upgrade(self) -> None:
        """Create or migrate the tables to this version."""
        try:
            with self.engine.execution_options(sqlite_begin="IMMEDIATE").connect() as connection:
                config = _alembic_config(connection)
                with connection.begin():
                    command.upgrade(config, "head")
        except SQLAlchemyError as error:
            raise DatabaseNotReadyError(f"cannot upgrade {self.safe_url}: {cause_of(error)}") from error
        except CommandError:
            self.check_ready()  # says it where the version is a newer program's
            raise

    def check_ready(self) -> None:
        """Raise DatabaseNotReadyError where the database is unreachable or not at this version."""
        try:
            with self.engine.connect() as connection:
                current = MigrationContext.configure(connection).get_current_revision()
                versions = ScriptDirectory.from_config(_alembic_config(connection))
        except SQLAlchemyError as error:
            raise DatabaseNotReadyError(f"cannot reach {self.safe_url}: {cause_of(error)}") from error
        wanted = versions.get_current_head()
        known = {revision.revision for revision in versions.walk_revisions()}
        if current is not None and current not in known:
            raise DatabaseNotReadyError(
                f"{self.safe_url} is at version {current}, which this program does not know: it was made by a "
                "newer Duet. Use that one, or another DUET_DATABASE_URL; nothing was changed"
            )
        if current != wanted:
            raise DatabaseNotReadyError(
                f"{self.safe_url} is at version {current or 'none'}, this program needs {wanted}: "
                "run `duet db upgrade`"
            )

    @property
    def safe_url(self) -> str:
        """The URL without its password."""
        return self.url.render_as_string(hide_password=True)

    def close(self) -> None:
        self.engine.dispose()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseNotReadyError(_WANTED_URL) from error
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise DatabaseNotReadyError(f"{_WANTED_URL}; {parsed.drivername} is not served")
    return parsed


def _alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("apps.support") / "migrations"))
    config.attributes["connection"] = connection
    return config


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # pysqlite must not open transactions on its own: it commits before DDL and starts too late for reads.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def cause_of(error: SQLAlchemyError) -> str:
    """What the database itself said."""
    return str(getattr(error, "orig", None) or error).strip()
