"""What the people at the desk do with conversations and tickets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apps.support.conversations import records, tickets
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.errors import NotFoundError
from apps.support.shop.database import Database
from apps.support.shop.models import ConversationStatus, OrderStatus, Role, TicketStatus
from tests.support.conftest import ANNA

Begin = Callable[..., str]
OrderOf = Callable[[Database, str, OrderStatus], str]


def test_the_order_in_question_is_given_only_once_it_is_proven(
    sqlite_assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = sqlite_assistant.database
    number = order_of(database, ANNA, OrderStatus.PENDING)
    conversation = begin(database)
    sqlite_assistant.answer(conversation, f"Where is my order {number}? = status")
    with database.read() as session:
        assert records.order_in_question(session, records.get_conversation(session, conversation)) is None
    sqlite_assistant.answer(conversation, f"{ANNA} = identify")
    with database.read() as session:
        order = records.order_in_question(session, records.get_conversation(session, conversation))
        assert order is not None
        assert order.number == number


@pytest.mark.parametrize("text", ["person", "law"])
def test_a_draft_is_empty_where_the_assistant_would_hand_over(
    sqlite_assistant: SupportPipeline, begin: Begin, text: str
) -> None:
    conversation = begin(sqlite_assistant.database)
    assert sqlite_assistant.answer(conversation, text).handed_over
    assert sqlite_assistant.draft(conversation, None).reply == ""


def test_a_draft_answers_a_greeting(sqlite_assistant: SupportPipeline, begin: Begin) -> None:
    conversation = begin(sqlite_assistant.database)
    sqlite_assistant.answer(conversation, "greet")
    assert "help you" in sqlite_assistant.draft(conversation, None).reply


def test_tickets_come_in_pages_and_the_last_page_says_so(database: Database) -> None:
    with database.write() as session:
        for _ in range(4):
            tickets.ask_for_person(session, begin_in(session), reason="requested")
    with database.read() as session:
        first, following = tickets.list_tickets(session, status=TicketStatus.OPEN, limit=2, before=None)
        second, end = tickets.list_tickets(session, status=TicketStatus.OPEN, limit=2, before=following)
        ids = [ticket.id for ticket in (*first, *second)]
        assert ids == sorted(ids, reverse=True)
        assert len(set(ids)) == 4
        assert end is None


def begin_in(session) -> str:  # type: ignore[no-untyped-def]
    return records.open_conversation(session, channel="test", language=None, trusted_email=None).id


def test_a_ticket_is_assigned_and_closed(database: Database) -> None:
    with database.write() as session:
        ticket = tickets.ask_for_person(session, begin_in(session), reason="requested")
        tickets.change_ticket(session, ticket.id, {"assignee": "Mia"})
        tickets.change_ticket(session, ticket.id, {"status": TicketStatus.CLOSED})
        assert (ticket.assignee, ticket.status) == ("Mia", TicketStatus.CLOSED)
        with pytest.raises(NotFoundError):
            tickets.change_ticket(session, 9_999, {"assignee": "Mia"})


def test_taking_over_silences_the_assistant_without_a_second_ticket(database: Database) -> None:
    with database.write() as session:
        conversation = records.get_conversation(session, begin_in(session))
        tickets.open_ticket(
            session, conversation, records.load_state(conversation), reason="complaint", intent=None
        )
        tickets.take_over(session, conversation)
        assert conversation.status == ConversationStatus.HUMAN
        tickets.return_to_bot(session, conversation)
        assert conversation.status == ConversationStatus.BOT
        assert [ticket.status for ticket in conversation.tickets] == [TicketStatus.CLOSED]


def test_recent_messages_are_the_last_ones_in_order(database: Database) -> None:
    with database.write() as session:
        conversation = records.get_conversation(session, begin_in(session))
        for number in range(5):
            records.say_as_agent(session, conversation, f"{number}")
        recent = records.recent_messages(session, conversation.id, 2)
        assert [message.text for message in recent] == ["3", "4"]
        assert {message.role for message in recent} == {Role.AGENT}
        assert records.count_messages(session, conversation.id) == 5
