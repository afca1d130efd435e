"""The desk: conversations, messages and traces, tickets, feedback. What people and other programs see."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from apps.support.conversations import outbox
from apps.support.errors import ConflictError, NotFoundError
from apps.support.reading.commands import INTENTS
from apps.support.reading.state import ConversationState
from apps.support.shop.models import (
    AuditEntry,
    Conversation,
    ConversationStatus,
    Customer,
    Draft,
    Feedback,
    Message,
    Order,
    Role,
    Ticket,
    TicketStatus,
    TurnTrace,
)
from apps.support.shop.models.columns import utc_now

MOST_PER_PAGE = 100
SUMMARY_MESSAGES = 6
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


def list_tickets(
    session: Session, *, status: TicketStatus | None, limit: int, before: int | None
) -> tuple[list[Ticket], int | None]:
    """A page, newest first, and the cursor of the next page."""
    query = select(Ticket).order_by(Ticket.id.desc())
    if status is not None:
        query = query.where(Ticket.status == status)
    if before is not None:
        query = query.where(Ticket.id < before)
    page, last_one = one_page(session.scalars(query.limit(limit + 1)).all(), limit)
    return page, last_one.id if last_one else None


def get_ticket(session: Session, ticket_id: int) -> Ticket:
    """Raises NotFoundError."""
    ticket = session.get(Ticket, ticket_id)
    if ticket is None:
        raise NotFoundError(f"no ticket {ticket_id}")
    return ticket


def change_ticket(session: Session, ticket_id: int, changes: Mapping[str, object]) -> Ticket:
    """Set the fields that `changes` names (status, assignee). Raises NotFoundError."""
    ticket = get_ticket(session, ticket_id)
    for name, value in changes.items():
        setattr(ticket, name, value)
    ticket.updated_at = utc_now()
    return ticket


def open_ticket(
    session: Session, conversation: Conversation, state: ConversationState, *, reason: str, intent: str | None
) -> Ticket:
    """A ticket that says what a person must know to go on."""
    order = session.get(Order, state.order_id) if state.order_id is not None else None
    ticket = Ticket(
        conversation=conversation,
        customer_id=conversation.customer_id,
        order=order,
        status=TicketStatus.OPEN,
        reason=reason,
        intent=intent,
        summary=_summary(session, conversation, state, reason, intent),
    )
    session.add(ticket)
    session.flush()
    return ticket


def hand_over(
    session: Session, conversation: Conversation, state: ConversationState, *, reason: str, intent: str | None
) -> Ticket:
    """Open a ticket and silence the assistant until a person returns the conversation."""
    conversation.status = ConversationStatus.HUMAN
    state.leave_open_nothing()
    ticket = open_ticket(session, conversation, state, reason=reason, intent=intent)
    outbox.tell_handed_over(session, conversation.id, ticket.summary)
    return ticket


def ask_for_person(session: Session, conversation_id: str, *, reason: str) -> Ticket:
    """Hand a conversation over outside a turn. Raises NotFoundError."""
    conversation = get_conversation(session, conversation_id)
    state = load_state(conversation)
    ticket = hand_over(session, conversation, state, reason=reason, intent=intent_of(state))
    save_state(conversation, state)
    return ticket


def take_over(session: Session, conversation: Conversation) -> None:
    """Silence the assistant for a person who answers a ticket that left it speaking, such as a complaint.

    Raises ConflictError for a closed conversation.
    """
    if conversation.status == ConversationStatus.CLOSED:
        raise ConflictError("the conversation is closed")
    state = load_state(conversation)
    state.leave_open_nothing()
    conversation.status = ConversationStatus.HUMAN
    save_state(conversation, state)
    outbox.tell_handed_over(session, conversation.id)


def return_to_bot(session: Session, conversation: Conversation, *, tell_desk: bool = True) -> None:
    """Let the assistant answer again; the conversation's tickets that are open are closed.

    `tell_desk` is False where it is the desk that says so. Raises ConflictError for a closed conversation.
    """
    if conversation.status == ConversationStatus.CLOSED:
        raise ConflictError("the conversation is closed")
    conversation.status = ConversationStatus.BOT
    state = load_state(conversation)
    state.failures = state.failed_proofs = 0
    save_state(conversation, state)
    for ticket in conversation.tickets:
        if ticket.status != TicketStatus.CLOSED:
            ticket.status = TicketStatus.CLOSED
            ticket.updated_at = utc_now()
    if tell_desk:
        outbox.tell_taken_back(session, conversation.id)


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


def intent_of(state: ConversationState) -> str | None:
    """The shop intent of what the conversation is about."""
    wishes = [*(state.pending.wishes if state.pending else ()), *state.last]
    return next((found for wish in wishes if (found := INTENTS.get(wish.verb))), None)


def _summary(
    session: Session, conversation: Conversation, state: ConversationState, reason: str, intent: str | None
) -> str:
    customer = conversation.customer.email if conversation.customer else state.email or "unknown"
    talked_about = session.get(Order, state.order_id) if state.order_id is not None else None
    order = f"#{talked_about.number}" if talked_about else "none named"
    done = session.scalars(
        select(AuditEntry.action).where(AuditEntry.conversation_id == conversation.id).order_by(AuditEntry.id)
    ).all()
    count = count_messages(session, conversation.id)
    last = recent_messages(session, conversation.id, SUMMARY_MESSAGES)
    lines = [
        f"Handed over: {reason}. Intent: {intent or 'unclear'}. Language: {conversation.language or '-'}.",
        f"Customer: {customer}{'' if conversation.customer else ' (as given, not proven)'}. Order: {order}.",
        f"Done by the assistant: {', '.join(done) if done else 'nothing'}. Messages so far: {count}.",
        "Last messages:",
        *(f"- {message.role.value}: {' '.join(message.text.split())[:240]}" for message in last),
    ]
    return "\n".join(lines)
