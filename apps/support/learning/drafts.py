"""Drafts as they were offered, and as they were sent: the replies that the desk would have liked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.conversations.turn import Incoming, Settled
from apps.support.learning.pseudonyms import Pseudonyms
from apps.support.reading.identifiers import without_emails
from apps.support.replies.facts import Fact
from apps.support.replies.language import Language
from apps.support.replies.sentences import Note
from apps.support.shop.models import Draft, Message


@dataclass(frozen=True)
class SentDraft:
    """What was to be said, and what a person sent, with invented values in place of the customer's."""

    id: int
    language: Language
    message: str
    notes: tuple[Note, ...]
    offered: str
    sent: str

    @property
    def accepted(self) -> bool:
        """Whether it was sent as it was offered."""
        return self.offered == self.sent


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


def sent_drafts(session: Session, after: int) -> list[SentDraft]:
    """The drafts behind number `after` that were sent, oldest first, without the customers' data."""
    query = select(Draft, Message.text).join(Message, Message.id == Draft.sent_id).where(Draft.id > after)
    found = []
    for draft, sent in session.execute(query.order_by(Draft.id)):
        if not draft.notes:
            continue
        names = Pseudonyms.of(session, draft.conversation_id, draft.language, f"draft {draft.id}")
        found.append(
            SentDraft(
                draft.id,
                cast(Language, draft.language),
                names.replace(draft.message),
                tuple(_note(note, names) for note in draft.notes),
                names.replace(draft.text.strip()),
                names.replace(sent.strip()),
            )
        )
    return found


def _stored(note: Note) -> dict[str, Any]:
    facts = [
        {"name": fact.name, "text": fact.text, "forms": list(fact.forms), "must": fact.must_be_heard}
        for fact in note.facts
    ]
    return {"key": note.key, "text": note.text, "facts": facts}


def _note(stored: dict[str, Any], names: Pseudonyms) -> Note:
    facts = tuple(
        Fact(
            fact["name"],
            names.replace(fact["text"]),
            _replaced(fact["forms"], names),
            fact["must"],
        )
        for fact in stored["facts"]
    )
    return Note(stored["key"], names.replace(stored["text"]), facts)


def _replaced(texts: Sequence[str], names: Pseudonyms) -> tuple[str, ...]:
    return tuple(map(names.replace, texts))
