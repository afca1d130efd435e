"""Conversations that are held at another desk (Chatwoot, Zendesk): what came from there, what goes there."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apps.support.shop.models.columns import Base, LongText, ShortText, utc_now
from apps.support.shop.models.desk import Conversation


class DeskName(StrEnum):
    CHATWOOT = "chatwoot"
    ZENDESK = "zendesk"


class EventStatus(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class PostKind(StrEnum):
    MESSAGE = "message"
    FAREWELL = "farewell"  # a message after which nothing is left to do
    NOTE = "note"  # for people at the desk only
    HAND_OVER = "hand_over"  # people at the desk take the thread
    TAKE_BACK = "take_back"  # the assistant answers it again


class PostStatus(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class DeskLink(Base):
    """Which conversation a thread at a desk is."""

    __tablename__ = "desk_links"
    __table_args__ = (UniqueConstraint("desk", "thread"),)

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    desk: Mapped[DeskName]
    thread: Mapped[ShortText]  # the desk's name for it: Chatwoot account/conversation, Zendesk ticket
    told_at: Mapped[datetime | None]  # when the desk last learnt from here who answers

    conversation: Mapped[Conversation] = relationship()


class DeskEvent(Base):
    """A customer's message as a webhook brought it, kept until its turn is done."""

    __tablename__ = "desk_events"
    __table_args__ = (
        UniqueConstraint("desk", "key"),  # a webhook that comes twice is stored once
        Index("ix_desk_events_status_id", "status", "id"),
        Index("ix_desk_events_desk_thread_id", "desk", "thread", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[DeskName]
    thread: Mapped[ShortText]
    key: Mapped[ShortText]  # what the desk calls the message
    text: Mapped[LongText]
    for_assistant: Mapped[bool]  # whether the desk left the thread to the assistant at that time
    written_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
    status: Mapped[EventStatus] = mapped_column(default=EventStatus.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    after_message_id: Mapped[
        int | None
    ]  # the conversation's last message when the turn began; None: not begun


class DeskPost(Base):
    """Something to tell a desk: written with what it follows from, sent afterwards."""

    __tablename__ = "desk_posts"
    __table_args__ = (
        Index("ix_desk_posts_status_id", "status", "id"),
        Index("ix_desk_posts_conversation_id_id", "conversation_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("desk_links.conversation_id"))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("desk_events.id"), unique=True)  # one reply each
    kind: Mapped[PostKind]
    text: Mapped[LongText]
    status: Mapped[PostStatus] = mapped_column(default=PostStatus.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    maybe_sent: Mapped[bool] = mapped_column(default=False)  # an attempt began, and how it ended is not known
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    desk_message: Mapped[ShortText | None]  # what the desk calls it
    error: Mapped[LongText | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    link: Mapped[DeskLink] = relationship()
    event: Mapped[DeskEvent | None] = relationship()
