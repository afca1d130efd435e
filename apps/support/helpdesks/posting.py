"""Stored posts are sent to their desks: each arrives once, or a person gets a ticket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.conversations import records
from apps.support.errors import DeliveryError
from apps.support.helpdesks.answering import to_person
from apps.support.helpdesks.desks import Desk, Outgoing
from apps.support.helpdesks.due import oldest_due
from apps.support.shop.database import Database
from apps.support.shop.models import (
    ConversationStatus,
    DeskName,
    DeskPost,
    PostKind,
    PostStatus,
)
from apps.support.shop.models.columns import utc_now

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 12
"""With the waits between them about twenty minutes."""
LONGEST_WAIT_S = 300.0
_WHO_ANSWERS = (PostKind.HAND_OVER, PostKind.TAKE_BACK)


def wait_s(attempts: int, first_wait_s: float) -> float:
    """Seconds until the next attempt: doubled each time."""
    return float(min(first_wait_s * 2 ** (attempts - 1), LONGEST_WAIT_S))


def begin_post(database: Database) -> Outgoing | None:
    """Take the oldest post that is due; a conversation's posts are sent one after the other.

    That it is being sent is written down before it is: who finds it after a crash looks at the desk first.
    """
    with database.write() as session:
        post = oldest_due(session, DeskPost)
        if post is None:
            return None
        outgoing = _outgoing(session, post)
        post.attempts += 1
        post.maybe_sent = True
    return outgoing


def deliver(
    database: Database, desks: Mapping[DeskName, Desk], outgoing: Outgoing, first_wait_s: float
) -> None:
    """Send a post, and write down what came of it."""
    try:
        name = _send(desks, outgoing)
    except DeliveryError as error:
        _failed(database, outgoing, error, first_wait_s)
        return
    with database.write() as session:
        post = session.get_one(DeskPost, outgoing.post_id)
        post.status, post.maybe_sent, post.desk_message, post.error = PostStatus.SENT, False, name, None
        if outgoing.kind in _WHO_ANSWERS:
            post.link.told_at = utc_now()


def _send(desks: Mapping[DeskName, Desk], outgoing: Outgoing) -> str | None:
    desk = desks.get(outgoing.desk)
    if desk is None:
        raise DeliveryError(f"{outgoing.desk} is not set up here any more")
    told: dict[PostKind, Callable[[str], None]] = {
        PostKind.HAND_OVER: desk.hand_over,
        PostKind.TAKE_BACK: desk.take_back,
    }
    if outgoing.kind in told:
        told[outgoing.kind](outgoing.thread)
        return None
    if outgoing.maybe_sent:
        try:
            arrived = desk.find(outgoing.thread, outgoing)
        except DeliveryError as error:
            # Not known is not sent twice: rather no reply and a ticket.
            raise DeliveryError(f"whether it arrived is not known: {error}", reached=True) from error
        if arrived is not None:
            return arrived
    return desk.say(outgoing.thread, outgoing)


def _failed(database: Database, outgoing: Outgoing, error: DeliveryError, first_wait_s: float) -> None:
    given_up = error.final or outgoing.attempt >= MOST_ATTEMPTS
    log.warning(
        "not delivered", post=outgoing.post_id, attempt=outgoing.attempt, given_up=given_up, reason=str(error)
    )
    pause_s = max(wait_s(outgoing.attempt, first_wait_s), error.retry_after_s or 0)
    with database.write() as session:
        post = session.get_one(DeskPost, outgoing.post_id)
        post.error = str(error)
        post.maybe_sent = outgoing.maybe_sent or error.reached
        post.due_at = datetime.now(UTC) + timedelta(seconds=pause_s)
        if given_up:
            post.status = PostStatus.FAILED
            if post.kind in (PostKind.MESSAGE, PostKind.FAREWELL):
                to_person(session, post.conversation_id, "delivery")


def _outgoing(session: Session, post: DeskPost) -> Outgoing:
    known = select(DeskPost.desk_message).where(
        DeskPost.conversation_id == post.conversation_id, DeskPost.desk_message.is_not(None)
    )
    conversation = records.get_conversation(session, post.conversation_id)
    return Outgoing(
        post_id=post.id,
        kind=post.kind,
        desk=post.link.desk,
        thread=post.link.thread,
        attempt=post.attempts + 1,
        maybe_sent=post.maybe_sent,
        text=post.text,
        private=post.kind == PostKind.NOTE,
        farewell=post.kind == PostKind.FAREWELL,
        closing=conversation.status != ConversationStatus.BOT,
        after=post.event.key if post.event else None,
        written_at=post.created_at,
        known=frozenset(name for name in session.scalars(known) if name),
    )
