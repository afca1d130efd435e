"""The keys in the database: made, listed and revoked by `duet keys`, looked up by the server."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import exists, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from apps.auth import Caller, KeyNameError, Scope
from apps.support.errors import DatabaseNotReadyError
from apps.support.shop.database import Database
from apps.support.shop.models import ApiKey
from apps.support.shop.models.columns import utc_now

SECRET_BYTES = 32
PREFIX = "duet-"
BEGINNING_CHARACTERS = len(PREFIX) + 6
MOST_NAME_CHARACTERS = 255


class StoredKeys:
    """Looks keys up for the server. Every look is a query, so that a revoked key is refused at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: str) -> Caller | None:
        """Who has this key. Raises DatabaseNotReadyError."""
        query = select(ApiKey).where(ApiKey.sha256 == _digest(key), ApiKey.revoked_at.is_(None))
        with self._reading() as session:
            stored = session.scalar(query)
        if stored is None:
            return None
        return Caller(stored.name, frozenset(map(Scope, stored.scopes)))

    def any(self) -> bool:
        """Whether there is a key that is not revoked. Raises DatabaseNotReadyError."""
        with self._reading() as session:
            return bool(session.scalar(select(exists().where(ApiKey.revoked_at.is_(None)))))

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        try:
            with self._database.read() as session:
                yield session
        except SQLAlchemyError as error:
            # Whether there are keys is not known then: nobody is let in on the guess that there are none.
            raise DatabaseNotReadyError("the API keys cannot be looked up: see the server's log") from error


def create(session: Session, name: str, scopes: Sequence[Scope]) -> str:
    """Make a key. It is returned here and never again. Raises KeyNameError."""
    if not 0 < len(name.strip()) <= MOST_NAME_CHARACTERS:
        raise KeyNameError(f"a key's name has 1 to {MOST_NAME_CHARACTERS} characters")
    if _named(session, name) is not None:
        raise KeyNameError(f"there is a key named {name!r} already")
    key = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    session.add(
        ApiKey(
            name=name.strip(),
            sha256=_digest(key),
            beginning=key[:BEGINNING_CHARACTERS],
            scopes=sorted(set(scopes)),
        )
    )
    session.flush()
    return key


def revoke(session: Session, name: str) -> None:
    """Make a key useless from now on. Raises KeyNameError."""
    stored = _named(session, name)
    if stored is None:
        raise KeyNameError(f"there is no key named {name!r}; `duet keys list` shows them")
    stored.revoked_at = stored.revoked_at or utc_now()


def list_keys(session: Session) -> Sequence[ApiKey]:
    return session.scalars(select(ApiKey).order_by(ApiKey.id)).all()


def _named(session: Session, name: str) -> ApiKey | None:
    return session.scalar(select(ApiKey).where(ApiKey.name == name.strip()))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
