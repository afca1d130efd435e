"""Whole turns on real databases with the real small model: answers, hand-over, streaming, memory."""

from __future__ import annotations

from datetime import UTC, date

import pytest
from sqlalchemy import select

from apps.support.conversations import records
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.turn import FactsFound, IntentFound, Token, TurnResult
from apps.support.errors import ConflictError, NotFoundError
from apps.support.replies.facts import Money, missing
from apps.support.replies.grounding import unsupported
from apps.support.replies.sentences import write
from apps.support.replies.writer import ReplyWriter
from apps.support.shop.database import Database
from apps.support.shop.models import (
    AuditEntry,
    Conversation,
    ConversationStatus,
    Message,
    OrderStatus,
    Payment,
    Role,
    Ticket,
)
from apps.support.shop.policy import load_policy
from apps.support.words import Language
from tests.support.conftest import ANNA
from tests.support.stored import Begin, OrderOf, count


def test_a_turn_is_streamed_in_order_and_leaves_a_trace(
    assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = assistant.database
    conversation = begin(database, ANNA)
    number = order_of(database, ANNA, OrderStatus.SHIPPED)
    events = list(assistant.stream(conversation, f"where is order {number}? = status {number}"))
    assert isinstance(events[0], IntentFound)
    assert isinstance(events[1], FactsFound)
    assert all(isinstance(event, Token) for event in events[2:-1])
    result = events[-1]
    assert isinstance(result, TurnResult)
    assert "".join(event.text for event in events[2:-1]) == result.reply
    with database.read() as session:
        trace = records.traces_of(session, conversation)[0]
        assert trace.understood["intent"] == "track_order"
        assert trace.looked_up["order"] == number
        assert trace.said["source"] in ("model", "second_draw", "last_resort")
        assert {"read", "playbook", "act", "reply", "store"} <= set(trace.milliseconds)
        assert [m.role for m in records.messages_of(session, conversation)] == [Role.CUSTOMER, Role.ASSISTANT]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_the_model_says_is_supported_and_says_what_must_be_heard(
    replies: ReplyWriter, language: Language
) -> None:
    due, amount = date(2026, 11, 24), Money(129900, "USD")
    turns = [
        [
            write("order_shipped", language, must=("order",), order="#W1234567"),
            write("tracking", language, must=("tracking",), tracking="573723227049"),
            write("expected", language, must=("expected",), expected=due),
        ],
        [write("refunded", language, must=("amount",), amount=amount, method="PayPal")],
        [
            write(
                "cancel_refused",
                language,
                must=("order",),
                policy=load_policy(),
                order="#AB-991",
                status="shipped",
            )
        ],
        [write("invoice", language, must=("invoice",), order="#W7", invoice="INV-2001", total=amount)],
    ]
    for notes in turns:
        for _ in range(2):
            speech = replies.stream(notes, "Order W9999999 cost $5.00, right? 12 items", language, [])
            text = "".join(speech)
            assert unsupported(text, notes) is None
            assert not missing([fact for note in notes for fact in note.facts], text)


def test_leaving_in_mid_stream_stores_what_was_said_as_incomplete(
    sqlite_assistant: SupportPipeline, begin: Begin
) -> None:
    conversation = begin(sqlite_assistant.database)
    events = sqlite_assistant.stream(conversation, "ask payment_methods")
    for event in events:
        if isinstance(event, Token):
            break
    events.close()
    with sqlite_assistant.database.read() as session:
        reply = records.messages_of(session, conversation)[-1]
        assert (reply.role, reply.complete) == (Role.ASSISTANT, False)
    assert sqlite_assistant.answer(conversation, "greet").reply


def test_one_conversation_has_one_turn_at_a_time(sqlite_assistant: SupportPipeline, begin: Begin) -> None:
    conversation = begin(sqlite_assistant.database)
    running = sqlite_assistant.stream(conversation, "greet")
    next(running)
    with pytest.raises(ConflictError):
        sqlite_assistant.answer(conversation, "greet")
    running.close()
    assert sqlite_assistant.answer(conversation, "greet").reply


def test_an_unknown_conversation_is_refused(sqlite_assistant: SupportPipeline) -> None:
    with pytest.raises(NotFoundError):
        sqlite_assistant.answer("nobody", "greet")


def test_the_order_named_first_is_known_many_turns_later(
    sqlite_assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = sqlite_assistant.database
    number = order_of(database, ANNA, OrderStatus.SHIPPED)
    conversation = begin(database)
    sqlite_assistant.answer(conversation, f"where is {number}? {ANNA} = status")
    for _ in range(40):
        sqlite_assistant.answer(conversation, "thanks")
    result = sqlite_assistant.answer(conversation, "status")
    assert number in result.reply
    with database.read() as session:
        state = records.get_conversation(session, conversation).state
    assert len(str(state)) < 6_000


def test_a_draft_answers_and_leaves_nothing_behind(
    sqlite_assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = sqlite_assistant.database
    conversation = begin(database, ANNA)
    number = order_of(database, ANNA, OrderStatus.PENDING)
    before = [count(database, table) for table in (Message, Ticket, AuditEntry)]
    draft = sqlite_assistant.draft(conversation, f"cancel {number}")
    assert f"#{number}" in draft.reply
    assert draft.actions == []
    assert [count(database, table) for table in (Message, Ticket, AuditEntry)] == before
    with database.read() as session:
        assert session.get(Conversation, conversation).status == ConversationStatus.BOT
    assert sqlite_assistant.answer(conversation, "yes").actions == []


def test_times_are_kept_in_utc(database: Database) -> None:
    with database.read() as session:
        moment = session.scalars(select(Payment.created_at).where(Payment.created_at.is_not(None))).first()
    assert moment.tzinfo == UTC
