"""The desk: conversations, messages, traces, feedback. What people and other programs see."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from apps.support.conversations import outbox
from apps.support.errors import NotFoundError
from apps.support.reading.state import ConversationState
from apps.support.shop.models import (
    Conversation,
    ConversationStatus,
    Customer,
    Draft,
    Feedback,
    Message,
    Order,
    Role,
    TurnTrace,
)
from apps.support.shop.models.columns import utc_now

MOST_PER_PAGE = 100
Row = TypeVar("Row")


def open_conversation(
    session: Session, *, channel: str, language: str | None, trusted_email: str | None, opened_by: str = ""
) -> Conversation:
    """A new conversation. A trusted caller may name the customer (`trusted_email`): no proof is asked.

    `opened_by` names the key: its conversations share their wrong guesses at proofs.

    Raises NotFoundError where no customer has this e-mail.
    """
    customer = None
    if trusted_email is not None:
        customer = session.scalar(select(Customer).where(Customer.email == trusted_email.strip().lower()))
        if customer is None:
            raise NotFoundError(f"no customer with the e-mail {trusted_email}")
    state = ConversationState(opened_by=opened_by, trusted_customer_id=customer.id if customer else None)
    conversation = Conversation(
        id=secrets.token_urlsafe(18),
        customer=customer,
        channel=channel,
        language=language,
        status=ConversationStatus.BOT,
        state=state.model_dump(mode="json"),
    )
    session.add(conversation)
    session.flush()
    return conversation


def get_conversation(session: Session, conversation_id: str, *, lock: bool = False) -> Conversation:
    """`lock`: others' changes wait until the transaction ends. Raises NotFoundError."""
    conversation = session.get(Conversation, conversation_id, with_for_update=True if lock else None)
    if conversation is None:
        raise NotFoundError(f"no conversation {conversation_id!r}")
    return conversation


def load_state(conversation: Conversation) -> ConversationState:
    return ConversationState.model_validate(conversation.state)


def save_state(conversation: Conversation, state: ConversationState) -> None:
    conversation.state = state.model_dump(mode="json")
    conversation.updated_at = utc_now()


def list_conversations(
    session: Session, *, status: ConversationStatus | None, limit: int, before: str | None
) -> tuple[list[Conversation], str | None]:
    """A page, newest first, and the cursor of the next page (None at the end)."""
    query = select(Conversation).order_by(Conversation.created_at.desc(), Conversation.id.desc())
    if status is not None:
        query = query.where(Conversation.status == status)
    if before is not None:
        last = get_conversation(session, before)
        query = query.where(
            (Conversation.created_at < last.created_at)
            | ((Conversation.created_at == last.created_at) & (Conversation.id < last.id))
        )
    page, last_one = one_page(session.scalars(query.limit(limit + 1)).all(), limit)
    return page, last_one.id if last_one else None


def say_as_agent(
    session: Session, conversation: Conversation, text: str, draft_id: int | None = None
) -> Message:
    """A person's message to the customer; `draft_id` is the draft that it was made from.

    Raises NotFoundError where the conversation has no such draft.
    """
    draft = session.get(Draft, draft_id) if draft_id is not None else None
    if draft_id is not None and (draft is None or draft.conversation_id != conversation.id):
        raise NotFoundError(f"the conversation has no draft {draft_id}")
    message = Message(conversation_id=conversation.id, role=Role.AGENT, text=text)
    session.add(message)
    session.flush()
    if draft is not None:
        draft.sent_id = message.id
    outbox.say(session, conversation.id, text)
    return message


def add_feedback(
    session: Session,
    message_id: int,
    conversation_id: str | None = None,
    *,
    rating: int,
    comment: str | None,
    corrected_intent: str | None,
    corrected_commands: str | None = None,
    by_desk: bool = False,
) -> Feedback:
    """Raises NotFoundError where there is no such message, or not in the conversation that is named."""
    message = session.get(Message, message_id)
    if message is None or conversation_id not in (None, message.conversation_id):
        raise NotFoundError(f"no message {message_id}")
    feedback = Feedback(
        message_id=message_id,
        rating=rating,
        comment=comment,
        corrected_intent=corrected_intent,
        corrected_commands=corrected_commands,
        by_desk=by_desk,
    )
    session.add(feedback)
    session.flush()
    return feedback


def messages_of(
    session: Session, conversation_id: str, *, after: int = 0, limit: int = MOST_PER_PAGE
) -> list[Message]:
    query = select(Message).where(Message.conversation_id == conversation_id, Message.id > after)
    return list(session.scalars(query.order_by(Message.id).limit(limit)))


def recent_messages(session: Session, conversation_id: str, limit: int) -> list[Message]:
    """The last `limit` messages, oldest first."""
    query = select(Message).where(Message.conversation_id == conversation_id)
    return list(session.scalars(query.order_by(Message.id.desc()).limit(limit)))[::-1]


def count_messages(session: Session, conversation_id: str) -> int:
    query = select(func.count()).select_from(Message).where(Message.conversation_id == conversation_id)
    return session.scalar(query) or 0


def order_in_question(session: Session, conversation: Conversation) -> Order | None:
    """The order that the conversation is about, once the customer has proven to be its owner."""
    state = load_state(conversation)
    order = session.get(Order, state.order_id) if state.order_id is not None else None
    if order is None:
        return None
    proven = order.customer_id == state.trusted_customer_id or order.number in state.proven
    return order if proven else None


def last_customer_text(session: Session, conversation_id: str) -> str:
    """Raises NotFoundError where the customer has not written yet."""
    query = select(Message.text).where(
        Message.conversation_id == conversation_id, Message.role == Role.CUSTOMER
    )
    text = session.scalar(query.order_by(Message.id.desc()).limit(1))
    if text is None:
        raise NotFoundError("the conversation has no message of the customer to answer")
    return text


def traces_of(
    session: Session, conversation_id: str, *, after: int = 0, since: int = 0, limit: int | None = None
) -> Sequence[TurnTrace]:
    """The turns behind the trace `after`, of the messages from `since` on."""
    query = select(TurnTrace).where(
        TurnTrace.conversation_id == conversation_id, TurnTrace.id > after, TurnTrace.message_id >= since
    )
    return session.scalars(query.order_by(TurnTrace.id).limit(limit)).all()


def one_page(rows: Sequence[Row], limit: int) -> tuple[list[Row], Row | None]:
    """The first `limit` of the rows, and the last of them where more follow: what the next page begins after."""
    page = list(rows[:limit])
    return page, page[-1] if len(rows) > limit else None


def get_trace(session: Session, message_id: int) -> TurnTrace | None:
    """The turn that a customer's message began, once it is stored."""
    return session.scalar(select(TurnTrace).where(TurnTrace.message_id == message_id))
