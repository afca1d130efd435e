"""What is to be done next: a thread's messages and posts are taken one after the other, however long one waits."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from apps.support.shop.models import DeskEvent, DeskPost
from apps.support.shop.models.columns import utc_now

Row = TypeVar("Row", DeskEvent, DeskPost)
_THREAD = {DeskEvent: ("desk", "thread"), DeskPost: ("conversation_id",)}
_WAITING = "waiting"


def oldest_due(session: Session, kind: type[Row], *such: ColumnElement[bool]) -> Row | None:
    """The oldest row whose time has come, and before which no other one of its thread waits, of `such`."""
    earlier = aliased(kind)
    same_thread = [getattr(earlier, name) == getattr(kind, name) for name in _THREAD[kind]]
    waits = select(earlier.id).where(*same_thread, earlier.id < kind.id, earlier.status == _WAITING)
    query = select(kind).where(kind.status == _WAITING, kind.due_at <= utc_now(), ~waits.exists(), *such)
    return session.scalar(query.order_by(kind.id).limit(1))
