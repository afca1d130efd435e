"""Whose order it is: whole turns on real databases, from the number to the proof."""

from __future__ import annotations

from apps.support.conversations import records
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.shop.models import (
    OrderStatus,
)
from tests.support.conftest import ANNA, WEI
from tests.support.stored import Begin, OrderOf, order


def test_an_order_is_shown_only_after_proof(
    assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = assistant.database
    number = order_of(database, ANNA, OrderStatus.SHIPPED)
    parcel = order(database, number).shipments[0]
    conversation = begin(database)
    asked = assistant.answer(conversation, f"Where is my order {number}?")
    assert asked.intent.name == "track_order"
    assert parcel.tracking_number not in asked.reply
    wrong = assistant.answer(conversation, "it is mallory@example.com")
    assert parcel.tracking_number not in wrong.reply
    assert "status" not in wrong.facts
    shown = assistant.answer(conversation, f"sorry, {ANNA}")
    assert shown.facts["tracking"] == parcel.tracking_number
    assert parcel.tracking_number in shown.reply
    assert number in shown.reply


def test_the_postcode_of_the_order_is_proof_as_well(
    assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = assistant.database
    number = order_of(database, WEI, OrderStatus.SHIPPED)
    found = order(database, number)
    conversation = begin(database)
    assistant.answer(conversation, f"订单 {number} 到哪了？")
    shown = assistant.answer(conversation, f"邮编 {found.address.postcode}")
    assert shown.language == "zh"
    assert found.shipments[0].tracking_number in shown.reply


def test_a_vague_question_about_an_order_waits_for_its_proof(
    sqlite_assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = sqlite_assistant.database
    number = order_of(database, ANNA, OrderStatus.DELIVERED)
    conversation = begin(database)
    sqlite_assistant.answer(conversation, f"xyzzy {number} plugh")
    told = sqlite_assistant.answer(conversation, f"my email is {ANNA}")
    assert number in told.reply
    assert "total" in told.facts


def test_an_order_that_does_not_exist_gets_the_answer_of_an_order_of_somebody_else(
    sqlite_assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = sqlite_assistant.database
    theirs = order_of(database, ANNA, OrderStatus.SHIPPED)
    seen = []
    for number in (theirs, "W0000001"):
        conversation = begin(database)
        first = sqlite_assistant.answer(conversation, f"where is order {number}?")
        second = sqlite_assistant.answer(conversation, "mallory@example.com")
        with database.read() as session:
            notes = [trace.looked_up["notes"] for trace in records.traces_of(session, conversation)]
        facts = [
            {name: value.replace(number, "N") for name, value in turn.facts.items()}
            for turn in (first, second)
        ]
        seen.append((notes, facts, second.reply.replace(number, "N")))
    assert seen[0] == seen[1]


def test_a_customer_named_by_a_trusted_caller_needs_no_proof_but_sees_only_their_own(
    sqlite_assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = sqlite_assistant.database
    conversation = begin(database, WEI)
    own = sqlite_assistant.answer(
        conversation, f"where is order {order_of(database, WEI, OrderStatus.SHIPPED)}?"
    )
    assert "tracking" in own.facts
    theirs = order_of(database, ANNA, OrderStatus.SHIPPED)
    other = sqlite_assistant.answer(conversation, f"and where is order {theirs}? I am {ANNA}")
    assert "tracking" not in other.facts


def test_guessing_proofs_ends_with_a_person(
    sqlite_assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = sqlite_assistant.database
    conversation = begin(database)
    sqlite_assistant.answer(conversation, f"where is order {order_of(database, ANNA, OrderStatus.SHIPPED)}?")
    results = [
        sqlite_assistant.answer(conversation, f"the postcode is {code}") for code in range(10001, 10007)
    ]
    assert [result.handed_over for result in results] == [False] * 4 + [True, True]
