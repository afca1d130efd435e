"""Conversations, tickets, and the record of what the assistant did."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apps.support.shop.models.columns import Base, JsonObject, Language, LongText, ShortText, utc_now
from apps.support.shop.models.shop import Customer, Order


class ConversationStatus(StrEnum):
    BOT = "bot"
    HUMAN = "human"  # the assistant is silent until a person returns the conversation
    CLOSED = "closed"


class Role(StrEnum):
    CUSTOMER = "customer"
    ASSISTANT = "assistant"
    AGENT = "agent"


class TicketStatus(StrEnum):
    OPEN = "open"
    PENDING = "pending"
    CLOSED = "closed"


class Conversation(Base):
    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)  # unguessable
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    channel: Mapped[ShortText]
    language: Mapped[Language | None]
    status: Mapped[ConversationStatus] = mapped_column(index=True)
    state: Mapped[JsonObject]  # apps.support.reading.state.ConversationState
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    version: Mapped[int] = mapped_column()  # raised by every turn: two turns at once cannot both be stored

    customer: Mapped[Customer | None] = relationship()
    messages: Mapped[list[Message]] = relationship(back_populates="conversation", order_by="Message.id")
    tickets: Mapped[list[Ticket]] = relationship(back_populates="conversation", order_by="Ticket.id")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (SQLAlchemy reads it from the class)


class Message(Base):
    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    role: Mapped[Role]
    text: Mapped[LongText]
    intent: Mapped[ShortText | None]
    confidence: Mapped[float | None]
    complete: Mapped[bool] = mapped_column(default=True)  # False: the stream broke off
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    conversation: Mapped[Conversation] = relationship(back_populates="messages")

    __table_args__ = (Index("ix_messages_conversation_id_id", "conversation_id", "id"),)


class Feedback(Base):
    __tablename__ = "feedback"
    __table_args__ = (CheckConstraint("rating in (-1, 1)", name="rating_is_up_or_down"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id"), index=True)
    rating: Mapped[int]
    comment: Mapped[LongText | None]
    corrected_intent: Mapped[ShortText | None]
    corrected_commands: Mapped[ShortText | None]  # in the reader's language: says what the intent leaves open
    by_desk: Mapped[bool] = mapped_column(default=False)  # only a person at the desk can correct
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Ticket(Base):
    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    status: Mapped[TicketStatus] = mapped_column(index=True)
    reason: Mapped[ShortText]  # requested, low_confidence, anger, policy, failure, complaint …
    intent: Mapped[ShortText | None]
    summary: Mapped[LongText]
    assignee: Mapped[ShortText | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)

    conversation: Mapped[Conversation] = relationship(back_populates="tickets")
    customer: Mapped[Customer | None] = relationship()
    order: Mapped[Order | None] = relationship()


class AuditEntry(Base):
    """One write that the assistant made, with what was before and after. Rows are only ever added."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[ShortText]
    action_key: Mapped[ShortText] = mapped_column(unique=True)  # the same action cannot run twice
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    before: Mapped[JsonObject]
    after: Mapped[JsonObject]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class IdempotencyKey(Base):
    """A request that was answered (or is being answered), so that a repeat gets the same answer."""

    __tablename__ = "idempotency_keys"

    scope: Mapped[str] = mapped_column(String(128), primary_key=True)  # route and conversation
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    response: Mapped[JsonObject | None]  # None while the first request runs
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class TurnTrace(Base):
    """One turn: what was understood, looked up, done and said, and how long each step took."""

    __tablename__ = "turn_traces"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id"), unique=True)  # the customer's
    reply_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    understood: Mapped[JsonObject]
    looked_up: Mapped[JsonObject]
    done: Mapped[JsonObject]
    said: Mapped[JsonObject]
    milliseconds: Mapped[JsonObject]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
