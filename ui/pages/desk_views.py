"""What the desk shows of tickets and conversations, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from sqlalchemy.orm import Session

from apps.support.conversations import records
from apps.support.conversations.turn import TurnResult
from apps.support.shop.models import Conversation, ConversationStatus, Role, Ticket
from ui.pages.labels import Language, named, text
from ui.pages.order_card import day_text, order_card
from ui.pages.transcript import Bubble, transcript
from ui.pages.turn_view import TurnView, trace_details

MOST_SHOWN = 1_000
"""Messages of a conversation; its beginning is left out beyond that."""


def ticket_list(tickets: Sequence[Ticket], selected: int, reader: Language, now: datetime) -> str:
    """A button for each ticket; `data-ticket` holds its number."""
    if not tickets:
        return f'<p class="no-tickets">{escape(text("desk.none", reader))}</p>'
    rows = "".join(_entry(ticket, ticket.id == selected, reader, now) for ticket in tickets)
    return f'<div class="tickets">{rows}</div>'


def conversation_view(session: Session, conversation: Conversation, reader: Language) -> str:
    """All messages; under each of the customer's, what the assistant made of it."""
    traces = {trace.message_id: trace for trace in records.traces_of(session, conversation.id)}
    messages = records.recent_messages(session, conversation.id, MOST_SHOWN)
    bubbles = [
        Bubble.of(message, trace_details(traces[message.id], reader) if message.id in traces else "")
        for message in messages
    ]
    earlier = records.count_messages(session, conversation.id) - len(messages)
    return transcript(conversation.id, bubbles, reader, mine=Role.AGENT, earlier=earlier)


def ticket_head(ticket: Ticket, reader: Language, now: datetime) -> str:
    customer = _customer(ticket, reader)
    about = [named("reason", ticket.reason, reader)]
    if ticket.intent:
        about.append(named("intent", ticket.intent, reader))
    about += [ticket.conversation.channel, when(ticket.created_at, reader, now)]
    number = f"{escape(text('desk.ticket', reader))} T{ticket.id}"
    words = "".join(f"<span>{escape(part)}</span>" for part in about)
    return (
        f'<div class="ticket-head"><h2>{number}{_badge(ticket, reader)}</h2>'
        f'<p class="customer" translate="no">{escape(customer)}</p><p>{words}</p></div>'
    )


def ticket_side(session: Session, ticket: Ticket, reader: Language) -> str:
    """The order and the summary."""
    proven = records.order_in_question(session, ticket.conversation)
    order = proven or ticket.order
    card = order_card(order, reader, proven=order is proven) if order else ""
    summary = escape(text("desk.summary", reader))
    folded = f"<details><summary>{summary}</summary><pre>{escape(ticket.summary)}</pre></details>"
    return f'{card}<section class="card summary">{folded}</section>'


def draft_details(draft: TurnResult, reader: Language) -> str:
    """What a draft stands on, folded up."""
    view = TurnView()
    view.take(draft)
    summary = escape(text("desk.draft_basis", reader))
    return f"<details><summary>{summary}</summary>{view.html(reader)}</details>"


def ticket_version(session: Session, ticket: Ticket) -> str:
    """Differs when what is shown of a ticket and its conversation has changed."""
    conversation = ticket.conversation
    messages = records.count_messages(session, conversation.id)
    return f"{ticket.id} {ticket.updated_at} {conversation.status} {conversation.version} {messages}"


def who_speaks(conversation: Conversation, reader: Language) -> str:
    key = {
        ConversationStatus.BOT: "desk.bot_speaks",
        ConversationStatus.HUMAN: "desk.bot_silent",
        ConversationStatus.CLOSED: "desk.ended",
    }[conversation.status]
    person = " person" if conversation.status == ConversationStatus.HUMAN else ""
    return f'<p class="who-answers{person}">{escape(text(key, reader))}</p>'


def when(moment: datetime, reader: Language, now: datetime) -> str:
    """How long ago, or the day. Moments without a zone are UTC, as SQLite gives them back."""
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    minutes = int((now - moment).total_seconds()) // 60
    if minutes < 1:
        return text("time.now", reader)
    if minutes < 60:
        return text("time.minutes", reader, count=minutes)
    if minutes < 24 * 60:
        return text("time.hours", reader, count=minutes // 60)
    return day_text(moment.date(), reader)


def _entry(ticket: Ticket, selected: bool, reader: Language, now: datetime) -> str:
    current = ' aria-current="true"' if selected else ""
    reason = named("reason", ticket.reason, reader)
    assignee = ticket.assignee or text("desk.unassigned", reader)
    return (
        f'<button type="button" data-ticket="{ticket.id}"{current}>'
        f"<span><b>T{ticket.id}</b> {escape(reason)}</span>{_badge(ticket, reader)}"
        f"<span>{escape(_customer(ticket, reader))}</span>"
        f"<small>{escape(when(ticket.created_at, reader, now))} · {escape(assignee)}</small></button>"
    )


def _customer(ticket: Ticket, reader: Language) -> str:
    return ticket.customer.email if ticket.customer else text("desk.guest", reader)


def _badge(ticket: Ticket, reader: Language) -> str:
    status = ticket.status.value
    return f'<span class="badge {status}">{escape(text(f"ticket.{status}", reader))}</span>'
