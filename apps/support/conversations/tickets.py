"""Tickets: conversations that a person takes over, and gives back."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.conversations import outbox
from apps.support.conversations.records import (
    count_messages,
    get_conversation,
    load_state,
    one_page,
    recent_messages,
    save_state,
)
from apps.support.errors import ConflictError, NotFoundError
from apps.support.reading.commands import INTENTS
from apps.support.reading.state import ConversationState
from apps.support.shop.models import (
    AuditEntry,
    Conversation,
    ConversationStatus,
    Order,
    Ticket,
    TicketStatus,
)
from apps.support.shop.models.columns import utc_now

SUMMARY_MESSAGES = 6


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
