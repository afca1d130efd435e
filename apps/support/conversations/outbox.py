"""What is to go to a conversation's desk, as rows: written with what it follows from, sent afterwards."""

from __future__ import annotations

from sqlalchemy.orm import Session

from apps.support.shop.models import DeskLink, DeskPost, PostKind


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


def _post(
    session: Session, conversation_id: str, kind: PostKind, text: str = "", event_id: int | None = None
) -> None:
    if session.get(DeskLink, conversation_id) is not None:
        session.add(DeskPost(conversation_id=conversation_id, kind=kind, text=text, event_id=event_id))
        session.flush()
