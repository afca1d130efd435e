"""What the desk shows of tickets and conversations, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from markupsafe import Markup
from sqlalchemy.orm import Session

from apps.support.conversations import records
from apps.support.conversations.turn import TurnResult
from apps.support.shop.models import Conversation, ConversationStatus, LearningRun, Role, Ticket
from ui.pages.labels import Language, named, text
from ui.pages.order_card import day_text, order_card
from ui.pages.rendering import render
from ui.pages.transcript import Bubble, transcript
from ui.pages.turn_view import TurnView, trace_details, turn_details

MOST_SHOWN = 1_000
"""Messages of a conversation; its beginning is left out beyond that."""


def ticket_list(tickets: Sequence[Ticket], selected: int, reader: Language, now: datetime) -> Markup:
    """A button for each ticket; `data-ticket` holds its number."""
    ages = partial(when, reader=reader, now=now)
    return render("ticket_list", reader, tickets=tickets, selected=selected, when=ages)


def conversation_view(session: Session, conversation: Conversation, reader: Language) -> Markup:
    """All messages; under each of the customer's, what the assistant made of it."""
    traces = {trace.message_id: trace for trace in records.traces_of(session, conversation.id)}
    messages = records.recent_messages(session, conversation.id, MOST_SHOWN)
    bubbles = [
        Bubble.of(message, trace_details(traces[message.id], reader) if message.id in traces else Markup())
        for message in messages
    ]
    earlier = records.count_messages(session, conversation.id) - len(messages)
    return transcript(conversation.id, bubbles, reader, mine=Role.AGENT, earlier=earlier)


def ticket_head(ticket: Ticket, reader: Language, now: datetime) -> Markup:
    about = [named("reason", ticket.reason, reader)]
    if ticket.intent:
        about.append(named("intent", ticket.intent, reader))
    about += [ticket.conversation.channel, when(ticket.created_at, reader, now)]
    return render("ticket_head", reader, ticket=ticket, about=about)


def ticket_side(session: Session, ticket: Ticket, reader: Language) -> Markup:
    """The order and the summary."""
    proven = records.order_in_question(session, ticket.conversation)
    order = proven or ticket.order
    card = order_card(order, reader, proven=order is proven) if order else ""
    return render("ticket_side", reader, ticket=ticket, order=card)


def draft_details(draft: TurnResult, reader: Language) -> Markup:
    """What a draft stands on, folded up."""
    view = TurnView()
    view.take(draft)
    return turn_details(view, text("desk.draft_basis", reader), reader)


def ticket_version(session: Session, ticket: Ticket) -> str:
    """Differs when what is shown of a ticket and its conversation has changed."""
    conversation = ticket.conversation
    messages = records.count_messages(session, conversation.id)
    return f"{ticket.id} {ticket.updated_at} {conversation.status} {conversation.version} {messages}"


def who_speaks(conversation: Conversation, reader: Language) -> Markup:
    key = {
        ConversationStatus.BOT: "desk.bot_speaks",
        ConversationStatus.HUMAN: "desk.bot_silent",
        ConversationStatus.CLOSED: "desk.ended",
    }[conversation.status]
    person = conversation.status == ConversationStatus.HUMAN
    return render("who_answers", reader, words=text(key, reader), person=person)


def learnt_view(learnt: Sequence[LearningRun], reader: Language, now: datetime) -> Markup:
    """What the assistant learnt from the desk: each training with its figures and what became of it."""
    return render("learnt", reader, runs=learnt, when=partial(when, reader=reader, now=now))


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
