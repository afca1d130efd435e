"""What the assistant does to orders and accounts: proposed, agreed to, done once, or refused."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import select

from apps.support.conversations.pipeline import SupportPipeline
from apps.support.errors import ConflictError
from apps.support.shop.models import (
    AuditEntry,
    Customer,
    Order,
    OrderItem,
    OrderStatus,
    PaymentKind,
    Return,
    Variant,
)
from tests.support.conftest import ANNA
from tests.support.stored import Begin, OrderOf, count, order


def test_a_pending_order_is_cancelled_after_a_yes_and_once(
    assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = assistant.database
    number = order_of(database, ANNA, OrderStatus.PENDING)
    total = order(database, number).total
    conversation = begin(database)
    asked = assistant.answer(conversation, f"please cancel my order {number}, {ANNA}")
    assert asked.actions == [{"name": "cancel", "status": "proposed"}]
    assert f"#{number}" in asked.reply
    assert asked.facts["amount"] in asked.reply
    assert order(database, number).status == OrderStatus.PENDING
    done = assistant.answer(conversation, "yes")
    assert done.actions == [{"name": "cancel", "status": "done"}]
    again = assistant.answer(conversation, "yes")
    assert again.actions == []
    assert again.reply == done.reply
    cancelled = order(database, number)
    assert cancelled.status == OrderStatus.CANCELLED
    assert [p.amount for p in cancelled.payments if p.kind == PaymentKind.REFUND] == [total]
    with database.read() as session:
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.before, entry.conversation_id) == (
            "cancel",
            {"status": "pending"},
            conversation,
        )


def test_anything_but_a_yes_cancels_nothing(
    sqlite_assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = sqlite_assistant.database
    number = order_of(database, ANNA, OrderStatus.PENDING)
    for answer in ("no", "yes but tell me the price first", "thanks", "are you sure?"):
        conversation = begin(database)
        sqlite_assistant.answer(conversation, f"please cancel my order {number}, {ANNA}")
        sqlite_assistant.answer(conversation, answer)
    assert order(database, number).status == OrderStatus.PENDING
    assert count(database, AuditEntry) == 0


@pytest.mark.parametrize("status", [OrderStatus.PROCESSED, OrderStatus.SHIPPED, OrderStatus.DELIVERED])
def test_only_pending_orders_can_be_cancelled(
    sqlite_assistant: SupportPipeline, begin: Begin, order_of: OrderOf, status: OrderStatus
) -> None:
    database = sqlite_assistant.database
    number = order_of(database, ANNA, status)
    conversation = begin(database)
    refused = sqlite_assistant.answer(conversation, f"cancel order {number}, {ANNA}")
    assert refused.actions == []
    assert status.value in refused.reply
    sqlite_assistant.answer(conversation, "yes")
    assert order(database, number).status == status


def test_an_order_that_changed_before_the_yes_is_left_alone(
    assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = assistant.database
    number = order_of(database, ANNA, OrderStatus.PENDING)
    conversation = begin(database)
    assistant.answer(conversation, f"cancel order {number}, {ANNA}")
    with database.write() as session:
        session.scalars(select(Order).where(Order.number == number)).one().status = OrderStatus.SHIPPED
    refused = assistant.answer(conversation, "yes")
    assert refused.actions[0]["status"] == "refused"
    assert order(database, number).status == OrderStatus.SHIPPED
    assert count(database, AuditEntry) == 0


def test_the_address_of_a_pending_order_is_changed(
    assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = assistant.database
    number = order_of(database, ANNA, OrderStatus.PENDING)
    conversation = begin(database)
    assistant.answer(conversation, f"I moved, change the shipping address of order {number}, {ANNA}")
    asked = assistant.answer(conversation, "12 Oak Street, Springfield, IL 62704, USA")
    assert "12 Oak Street, Springfield, IL 62704, USA" in asked.reply
    assistant.answer(conversation, "yes")
    assert order(database, number).address.one_line() == "12 Oak Street, Springfield, IL 62704, USA"


def test_delivered_items_are_returned_and_not_twice(
    assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = assistant.database
    number = order_of(database, ANNA, OrderStatus.DELIVERED)
    with database.write() as session:
        found = session.scalars(select(Order).where(Order.number == number)).one()
        for parcel in found.shipments:
            parcel.delivered_on = date.today()
        for back in session.scalars(select(Return).where(Return.order_id == found.id)):
            for item in back.items:
                session.delete(item)
            session.delete(back)
    conversation = begin(database)
    asked = assistant.answer(conversation, f"I want to return everything from order {number}, {ANNA}")
    assert asked.actions == [{"name": "return", "status": "proposed"}]
    done = assistant.answer(conversation, "yes please")
    assert done.facts["number"] in done.reply
    again = assistant.answer(conversation, f"I want to return everything from order {number}")
    assert again.actions == []
    with database.read() as session:
        returned = session.scalars(select(Return).where(Return.number == done.facts["number"])).one()
        assert returned.refund == returned.order.total


def test_items_delivered_too_long_ago_are_not_taken_back(
    sqlite_assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = sqlite_assistant.database
    number = order_of(database, ANNA, OrderStatus.DELIVERED)
    with database.write() as session:
        found = session.scalars(select(Order).where(Order.number == number)).one()
        found.shipments[0].delivered_on = date(2020, 1, 1)
    refused = sqlite_assistant.answer(
        begin(database), f"I want to return everything from order {number}, {ANNA}"
    )
    assert refused.actions == []
    assert "30 days" in refused.reply


def test_an_item_of_a_pending_order_is_changed_to_another_option(
    sqlite_assistant: SupportPipeline, begin: Begin, order_of: OrderOf
) -> None:
    database = sqlite_assistant.database
    number = order_of(database, ANNA, OrderStatus.PENDING)
    with database.write() as session:
        item = session.scalars(select(OrderItem).join(Order).where(Order.number == number)).first()
        other = next(v for v in item.variant.product.variants if v.id != item.variant_id)
        for variant in session.scalars(select(Variant).where(Variant.product_id == other.product_id)):
            variant.stock, variant.available = 9, True
        words, name, wanted = " ".join(other.options.values()), item.name, other.id
        item_id, old = item.id, item.unit_price * item.quantity
    conversation = begin(database)
    text = f"change the {name} in order {number} to {words}, {ANNA}"
    asked = sqlite_assistant.answer(conversation, text)
    assert asked.actions == [{"name": "change_item", "status": "proposed"}], asked
    before = order(database, number).total
    sqlite_assistant.answer(conversation, "yes")
    changed = order(database, number)
    item = next(item for item in changed.items if item.id == item_id)
    assert item.variant_id == wanted
    assert changed.total == before - old + item.unit_price * item.quantity


def test_the_newsletter_is_changed_for_a_known_customer(
    sqlite_assistant: SupportPipeline, begin: Begin
) -> None:
    database = sqlite_assistant.database
    with database.write() as session:
        session.scalars(select(Customer).where(Customer.email == ANNA)).one().newsletter = True
    conversation = begin(database, ANNA)
    sqlite_assistant.answer(conversation, "unsubscribe me from the newsletter")
    sqlite_assistant.answer(conversation, "yes")
    with database.read() as session:
        assert not session.scalars(select(Customer).where(Customer.email == ANNA)).one().newsletter


def test_two_yeses_at_once_cancel_once(assistant: SupportPipeline, begin: Begin, order_of: OrderOf) -> None:
    database = assistant.database
    number = order_of(database, ANNA, OrderStatus.PENDING)
    conversation = begin(database)
    assistant.answer(conversation, f"cancel order {number}, {ANNA}")
    others = [
        SupportPipeline(database, assistant.intents, assistant.replies),
        SupportPipeline(database, assistant.intents, assistant.replies),
    ]
    failures: list[Exception] = []

    def say_yes(pipeline: SupportPipeline) -> None:
        try:
            pipeline.answer(conversation, "yes")
        except ConflictError as error:
            failures.append(error)

    threads = [threading.Thread(target=say_yes, args=(pipeline,)) for pipeline in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refunds = [p for p in order(database, number).payments if p.kind == PaymentKind.REFUND]
    assert len(refunds) == 1
    assert count(database, AuditEntry) == 1
