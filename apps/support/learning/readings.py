"""Feedback on turns as readings: what a message was read as, and what it should have been read as."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from apps.support.learning.pseudonyms import Pseudonyms
from apps.support.shop.models import Feedback, TurnTrace


class Source(StrEnum):
    CONFIRMED = "confirmed"  # a thumb up: as it was read
    CORRECTED = "corrected"  # the desk wrote the commands
    INTENT = "intent"  # the desk named the intent alone: what it is about is still to be read


@dataclass(frozen=True)
class JudgedReading:
    """A reader's prompt with invented values in place of the customer's, and the judgement on its reading."""

    id: int  # of the feedback
    source: Source
    prompt: str
    read: str
    confidence: float  # of the reading that was judged
    right: str  # commands; for Source.INTENT the intent


def judged_readings(session: Session, after: int) -> list[JudgedReading]:
    """What was said of turns since the feedback `after`, oldest first; of several on one message the last.

    A correction counts from the desk only, and only the desk can say otherwise of it. A thumb down that says
    nothing else makes no row, and takes back a thumb up. What proves who writes is none of the reader's business
    to learn by heart.
    """
    of_its_turn = or_(TurnTrace.message_id == Feedback.message_id, TurnTrace.reply_id == Feedback.message_id)
    spoken_of = select(TurnTrace.id).join(Feedback, of_its_turn).where(Feedback.id > after)
    # What was said of these turns before counts still: a thumb that comes late does not stand alone.
    query = select(Feedback, TurnTrace).join(TurnTrace, of_its_turn).where(TurnTrace.id.in_(spoken_of))
    judged: dict[int, JudgedReading] = {}
    for feedback, trace in session.execute(query.order_by(Feedback.id)):
        reading = _judged(session, feedback, trace)
        previous = judged.get(trace.message_id)
        corrected = previous is not None and previous.source is not Source.CONFIRMED
        if corrected and (reading is None or not feedback.by_desk):
            continue
        judged.pop(trace.message_id, None)
        if reading is not None:
            judged[trace.message_id] = reading
    return [reading for reading in judged.values() if reading.id > after]


def _judged(session: Session, feedback: Feedback, trace: TurnTrace) -> JudgedReading | None:
    read, prompt = trace.understood["commands"], trace.understood["view"]
    if not prompt or read.startswith("identify"):
        return None
    corrected = feedback.by_desk and (feedback.corrected_commands or feedback.corrected_intent)
    if feedback.by_desk and feedback.corrected_commands:
        source, right = Source.CORRECTED, feedback.corrected_commands
    elif feedback.by_desk and feedback.corrected_intent and feedback.corrected_intent != _intent(trace):
        source, right = Source.INTENT, feedback.corrected_intent
    elif feedback.rating == 1 or corrected:
        source, right = Source.CONFIRMED, read
    else:
        return None
    names = Pseudonyms.of(
        session, trace.conversation_id, trace.understood["language"], f"turn {trace.message_id}"
    )
    return JudgedReading(
        feedback.id,
        source,
        names.replace(prompt),
        names.replace(read),
        trace.understood["confidence"] or 0.0,
        right if source is Source.INTENT else names.replace(right),
    )


def _intent(trace: TurnTrace) -> str | None:
    found: str | None = trace.understood["intent"]
    return found
