"""Which message of a thread is answered next: customers put one wish into several, and machines answer everything."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from apps.support.helpdesks.due import oldest_due
from apps.support.reading.cleaning import ATTACHMENT, storable
from apps.support.shop.models import DeskEvent, DeskPost, EventStatus

LONGEST_COLLECTION = 5
"""Waits after a thread's first message, after which who still writes gets an answer all the same."""
FEWEST_REPEATED_CHARACTERS = 60
"""People say short things twice."""
ALIKE = 0.9
_DIGITS = re.compile(r"\d+")


def due_event(session: Session, quiet_s: float = 0) -> DeskEvent | None:
    """The oldest message whose turn may run: a thread's messages are answered one after the other.

    `quiet_s`: seconds without a further message that a thread must have had.
    """
    if not quiet_s:
        return oldest_due(session, DeskEvent)
    now, quiet = datetime.now(UTC), timedelta(seconds=quiet_s)
    other = aliased(DeskEvent)
    later = select(other.id).where(
        other.desk == DeskEvent.desk, other.thread == DeskEvent.thread, other.received_at > now - quiet
    )
    enough = DeskEvent.received_at <= now - LONGEST_COLLECTION * quiet
    return oldest_due(session, DeskEvent, ~later.exists() | enough)


def collect(session: Session, event: DeskEvent) -> None:
    """Put what the customer wrote after `event`, and nobody has answered, into it: in the order of writing."""
    query = select(DeskEvent).where(
        DeskEvent.desk == event.desk,
        DeskEvent.thread == event.thread,
        DeskEvent.id > event.id,
        DeskEvent.status == EventStatus.WAITING,
    )
    together = [event]
    for further in session.scalars(query.order_by(DeskEvent.id)):
        if further.for_assistant != event.for_assistant:
            break  # somebody at the desk took the thread, or gave it back, in between
        together.append(further)
        further.status = EventStatus.DONE
    together.sort(key=lambda one: (one.written_at, _number(one.key)))
    texts = [one.text for one in together]
    said = [text for text in dict.fromkeys(texts) if text != ATTACHMENT] or texts[:1]
    event.text = storable("\n".join(said))
    event.written_at = together[-1].written_at


def repeats(session: Session, event: DeskEvent) -> bool:
    """Whether the message is an answered one over again, but for figures: only machines write so.

    Short messages do not count, nor those to which there was no reply.
    """
    before = session.scalar(
        select(DeskEvent)
        .where(
            DeskEvent.desk == event.desk,
            DeskEvent.thread == event.thread,
            DeskEvent.id < event.id,
            DeskEvent.id.in_(select(DeskPost.event_id)),
            func.length(DeskEvent.text) >= FEWEST_REPEATED_CHARACTERS,
        )
        .order_by(DeskEvent.id.desc())
        .limit(1)
    )
    if before is None or len(event.text) < FEWEST_REPEATED_CHARACTERS:
        return False
    one, other = (_DIGITS.sub("", text).split() for text in (before.text, event.text))
    return difflib.SequenceMatcher(None, one, other).ratio() >= ALIKE


def _number(key: str) -> tuple[int, str]:
    """Desks count their messages."""
    return (int(key), key) if key.isascii() and key.isdigit() else (0, key)
