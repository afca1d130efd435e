"""Stored posts are sent to their desks: each arrives once, or a person gets a ticket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Attempt:
    """A post as it is about to be sent."""

    id: int
    kind: PostKind
    desk: DeskName
    thread: str
    message: Outgoing
    number: int
    maybe_sent: bool  # an earlier attempt may have arrived


def wait_s(attempts: int, first_wait_s: float) -> float:
    """Seconds until the next attempt: doubled each time."""
    return float(min(first_wait_s * 2 ** (attempts - 1), LONGEST_WAIT_S))


def begin_post(database: Database) -> Attempt | None:
    """Take the oldest post that is due; a conversation's posts are sent one after the other.

    That it is being sent is written down before it is: who finds it after a crash looks at the desk first.
    """
    with database.write() as session:
        post = oldest_due(session, DeskPost)
        if post is None:
            return None
        attempt = Attempt(
            id=post.id,
            kind=post.kind,
            desk=post.link.desk,
            thread=post.link.thread,
            message=_outgoing(session, post),
            number=post.attempts + 1,
            maybe_sent=post.maybe_sent,
        )
        post.attempts += 1
        post.maybe_sent = True
    return attempt


def deliver(
    database: Database, desks: Mapping[DeskName, Desk], attempt: Attempt, first_wait_s: float
) -> None:
    """Send a post, and write down what came of it."""
    try:
        name = _send(desks, attempt)
    except DeliveryError as error:
        _failed(database, attempt, error, first_wait_s)
        return
    with database.write() as session:
        post = session.get_one(DeskPost, attempt.id)
        post.status, post.maybe_sent, post.desk_message, post.error = PostStatus.SENT, False, name, None
        if attempt.kind in _WHO_ANSWERS:
            post.link.told_at = utc_now()


def _send(desks: Mapping[DeskName, Desk], attempt: Attempt) -> str | None:
    desk = desks.get(attempt.desk)
    if desk is None:
        raise DeliveryError(f"{attempt.desk} is not set up here any more")
    told: dict[PostKind, Callable[[str], None]] = {
        PostKind.HAND_OVER: desk.hand_over,
        PostKind.TAKE_BACK: desk.take_back,
    }
    if attempt.kind in told:
        told[attempt.kind](attempt.thread)
        return None
    if attempt.maybe_sent:
        try:
            arrived = desk.find(attempt.thread, attempt.message)
        except DeliveryError as error:
            # Not known is not sent twice: rather no reply and a ticket.
            raise DeliveryError(f"whether it arrived is not known: {error}", reached=True) from error
        if arrived is not None:
            return arrived
    return desk.say(attempt.thread, attempt.message)


def _failed(database: Database, attempt: Attempt, error: DeliveryError, first_wait_s: float) -> None:
    given_up = error.final or attempt.number >= MOST_ATTEMPTS
    log.warning(
        "not delivered", post=attempt.id, attempt=attempt.number, given_up=given_up, reason=str(error)
    )
    pause_s = max(wait_s(attempt.number, first_wait_s), error.retry_after_s or 0)
    with database.write() as session:
        post = session.get_one(DeskPost, attempt.id)
        post.error = str(error)
        post.maybe_sent = attempt.maybe_sent or error.reached
        post.due_at = datetime.now(UTC) + timedelta(seconds=pause_s)
        if given_up:
            post.status = PostStatus.FAILED
            if post.kind == PostKind.MESSAGE:
                to_person(session, post.conversation_id, "delivery")


def _outgoing(session: Session, post: DeskPost) -> Outgoing:
    known = select(DeskPost.desk_message).where(
        DeskPost.conversation_id == post.conversation_id, DeskPost.desk_message.is_not(None)
    )
    conversation = records.get_conversation(session, post.conversation_id)
    return Outgoing(
        post_id=post.id,
        text=post.text,
        private=post.kind == PostKind.NOTE,
        closing=conversation.status != ConversationStatus.BOT,
        after=post.event.key if post.event else None,
        written_at=post.created_at,
        known=frozenset(name for name in session.scalars(known) if name),
    )
