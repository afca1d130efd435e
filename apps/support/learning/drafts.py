"""Drafts as they were offered and as they were sent: the replies that the desk would have liked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.learning.pseudonyms import Pseudonyms
from apps.support.replies.facts import Fact
from apps.support.replies.language import Language
from apps.support.replies.sentences import Note
from apps.support.shop.models import Draft, Message


@dataclass(frozen=True)
class SentDraft:
    """What was to be said, and what a person sent, with invented values in place of the customer's."""

    id: int  # of the message that was sent: a draft can wait long
    language: Language
    message: str
    notes: tuple[Note, ...]
    offered: str
    sent: str

    @property
    def accepted(self) -> bool:
        """Whether it was sent as it was offered."""
        return self.offered == self.sent


def sent_drafts(session: Session, after: int) -> list[SentDraft]:
    """The drafts that were sent since the message `after`, in that order, without the customers' data."""
    query = select(Draft, Message).join(Message, Message.id == Draft.sent_id).where(Message.id > after)
    found = []
    for draft, sent in session.execute(query.order_by(Message.id)):
        if not draft.notes:
            continue
        names = Pseudonyms.of(session, draft.conversation_id, draft.language, f"draft {draft.id}")
        found.append(
            SentDraft(
                sent.id,
                draft.language,
                names.replace(draft.message),
                tuple(_note(note, names) for note in draft.notes),
                names.replace(draft.text.strip()),
                names.replace(sent.text.strip()),
            )
        )
    return found


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
