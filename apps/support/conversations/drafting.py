"""A draft as it is offered to a person, kept so that what is made of it can be learnt from."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from apps.support.conversations.turn import Incoming, Settled
from apps.support.reading.identifiers import without_emails
from apps.support.replies.sentences import Note
from apps.support.shop.models import Draft


def keep_draft(session: Session, incoming: Incoming, settled: Settled, text: str) -> Draft:
    """Store a draft. Its notes are kept where the model put one answer into words: only then there is to learn."""
    worded = [answer for answer in settled.answers if answer.outcome.notes]
    notes: list[dict[str, Any]] = []
    message = incoming.text
    if len(worded) == 1 and not settled.closing:
        (answer,) = worded
        outcome = answer.outcome
        if not outcome.exact and not outcome.citations and any(note.facts for note in outcome.notes):
            notes = [_stored(note) for note in outcome.notes]
            message = answer.wish.text
    draft = Draft(
        conversation_id=incoming.conversation_id,
        message=without_emails(message),
        language=incoming.language,
        notes=notes,
        text=text,
    )
    session.add(draft)
    session.flush()
    return draft


def _stored(note: Note) -> dict[str, Any]:
    facts = [
        {"name": fact.name, "text": fact.text, "forms": list(fact.forms), "must": fact.must_be_heard}
        for fact in note.facts
    ]
    return {"key": note.key, "text": note.text, "facts": facts}
