"""What came from a desk and what is to go there, as rows: written with what they belong to, done afterwards."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from apps.support.helpdesks.desks import Incoming
from apps.support.reading.cleaning import storable
from apps.support.shop.database import Database
from apps.support.shop.models import DeskEvent, DeskLink, DeskName, DeskPost, PostKind


def store_event(database: Database, desk: DeskName, incoming: Incoming) -> bool:
    """Keep a customer's message for its turn. False where it was kept before."""
    event = DeskEvent(
        desk=desk,
        thread=incoming.thread,
        key=incoming.key,
        text=storable(incoming.text),
        for_assistant=incoming.for_assistant,
        written_at=incoming.written_at,
    )
    try:
        with database.write() as session:
            session.add(event)
    except IntegrityError:
        return False
    return True


def say(
    session: Session,
    conversation_id: str,
    text: str,
    *,
    event_id: int | None = None,
    kind: PostKind = PostKind.MESSAGE,
) -> None:
    """Send a message to the conversation's thread, if it has one at a desk."""
    _post(session, conversation_id, kind, text, event_id)


def tell_handed_over(session: Session, conversation_id: str, summary: str | None = None) -> None:
    """Let the people at the conversation's desk take it, and tell them what they must know."""
    _post(session, conversation_id, PostKind.HAND_OVER)
    if summary is not None:
        _post(session, conversation_id, PostKind.NOTE, summary)


def tell_taken_back(session: Session, conversation_id: str) -> None:
    """Tell the conversation's desk that the assistant answers again."""
    _post(session, conversation_id, PostKind.TAKE_BACK)


def link_of(session: Session, desk: DeskName, thread: str) -> DeskLink | None:
    return session.scalar(select(DeskLink).where(DeskLink.desk == desk, DeskLink.thread == thread))


def _post(
    session: Session, conversation_id: str, kind: PostKind, text: str = "", event_id: int | None = None
) -> None:
    if session.get(DeskLink, conversation_id) is not None:
        session.add(DeskPost(conversation_id=conversation_id, kind=kind, text=text, event_id=event_id))
        session.flush()
