"""What the assistant can learn from at the desk, and what it learnt."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from apps.support.shop.models.columns import (
    Base,
    JsonList,
    JsonObject,
    Language,
    LongText,
    ShortText,
    utc_now,
)


class LearningStatus(StrEnum):
    REFUSED = "refused"  # not better, or worse in something that is guarded
    WAITING = "waiting"  # for a person's yes
    IN_SERVICE = "in_service"
    REPLACED = "replaced"  # by a later version, or rolled back


class Draft(Base):
    """A reply that a person was offered, and what it was to say. `sent_id` is what the person sent instead of it."""

    __tablename__ = "drafts"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    message: Mapped[LongText]  # the customer's, as the model was shown it
    language: Mapped[Language]
    notes: Mapped[JsonList]  # of apps.support.replies.sentences; empty where the model had nothing to word
    text: Mapped[LongText]
    sent_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class LearningRun(Base):
    """One training of an adapter on what the desk said since the last one, and what became of it."""

    __tablename__ = "learning_runs"
    __table_args__ = (UniqueConstraint("adapter", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    adapter: Mapped[ShortText]
    version: Mapped[int]
    from_version: Mapped[int]  # that was served and trained further; 0 is the one that was delivered
    status: Mapped[LearningStatus]
    rows: Mapped[JsonObject]  # source → how many
    figures: Mapped[JsonList]  # evaluation.learning.gate.Comparison
    reasons: Mapped[JsonList]  # why it was refused
    last_seen: Mapped[int]  # the last feedback, or message from a draft, that it learnt from
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    decided_at: Mapped[datetime] = mapped_column(default=utc_now)
