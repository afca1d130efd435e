"""What changes in the shop between a proposal and its yes is neither charged nor left unsaid."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from apps.support.shop.models import (
    Order,
    OrderStatus,
    Payment,
    PaymentKind,
    PaymentMethod,
    PaymentStatus,
    Variant,
)
from tests.support.conftest import OpenChat
from tests.support.small_shop import Chat, order_of, statuses


def set_variant(chat: Chat, sku: str, **fields: object) -> None:
    with chat.database.write() as session:
        found = session.scalars(select(Variant).where(Variant.sku == sku)).one()
        for field, value in fields.items():
            setattr(found, field, value)


@pytest.mark.parametrize("answer", ["yes", "yes; with 2", "with 2"])
@pytest.mark.parametrize("change", [{"stock": 0}, {"available": False}, {"currency": "EUR"}])
def test_an_option_that_is_gone_is_said_and_not_taken(
    chat: OpenChat, answer: str, change: dict[str, object]
) -> None:
    conversation = chat()
    conversation("swap c | b")
    set_variant(conversation, "Mug-2", **change)
    refused = conversation(answer)
    assert {action["status"] for action in refused.actions} <= {"refused"}
    assert "Order #1007 has changed in the meantime" in refused.reply
    assert conversation("yes").actions == []
    assert order_of(conversation.database, "1007").total == 800


@pytest.mark.parametrize("answer", ["yes", "yes; with 2", "with 2"])
def test_another_price_is_asked_again_before_it_is_charged(chat: OpenChat, answer: str) -> None:
    conversation = chat()
    conversation("swap c | b")
    set_variant(conversation, "Mug-2", price=1500)
    asked = conversation(answer)
    assert asked.actions[-1] == {"name": "change_item", "status": "proposed"}
    assert "Order #1007 has changed in the meantime" in asked.reply
    assert "$7.00 more" in asked.reply
    assert order_of(conversation.database, "1007").total == 800
    assert conversation("yes").actions == [{"name": "change_item", "status": "done"}]
    assert order_of(conversation.database, "1007").total == 1500


def test_another_amount_than_was_agreed_is_asked_again(any_chat: OpenChat) -> None:
    chat = any_chat()
    chat("cancel P")
    with chat.database.write() as session:
        order = session.scalars(select(Order).where(Order.number == "1002")).one()
        paid = order.payments[0]
        order.payments.append(
            Payment(
                method=paid.method,
                kind=PaymentKind.REFUND,
                status=PaymentStatus.COMPLETED,
                amount=1000,
                currency="USD",
            )
        )
    asked = chat("yes")
    assert [action["status"] for action in asked.actions] == ["refused", "proposed"]
    assert "$280.00 goes back" in asked.reply
    assert statuses(chat.database)["1002"] == "pending"
    assert chat("yes").actions == [{"name": "cancel", "status": "done"}]
    assert order_of(chat.database, "1002").payments[-1].amount == 28000


def test_a_method_that_is_gone_is_not_refunded_to(any_chat: OpenChat) -> None:
    chat = any_chat()
    chat("return e; with 3")
    with chat.database.write() as session:
        session.delete(session.scalars(select(PaymentMethod).where(PaymentMethod.kind == "gift_card")).one())
    asked = chat("yes")
    assert [action["status"] for action in asked.actions] == ["refused", "proposed"]
    assert "goes back to the Visa card" in asked.reply
    assert order_of(chat.database, "1001").returns == []


def test_what_the_rules_forbid_by_now_is_left_out_and_the_rest_asked_again(any_chat: OpenChat) -> None:
    chat = any_chat()
    chat("cancel Q; return e; cancel P")
    with chat.database.write() as session:
        session.scalars(select(Order).where(Order.number == "1002")).one().status = OrderStatus.SHIPPED
    asked = chat("yes")
    assert "#1002 cannot be cancelled" in asked.reply
    assert [a["name"] for a in asked.actions if a["status"] == "proposed"] == ["cancel", "return"]
    assert statuses(chat.database)["1007"] == "pending"
    chat("yes")
    assert statuses(chat.database)["1007"] == "cancelled"
    assert len(order_of(chat.database, "1001").returns) == 1


def test_what_is_left_of_a_proposal_is_asked_again_before_it_is_done(chat: OpenChat) -> None:
    conversation = chat()
    conversation("swap b c | Smart Thermostat: b / Mug: b")
    set_variant(conversation, "Mug-2", available=False)
    asked = conversation("yes; with 2")
    assert asked.actions == [{"name": "change_item", "status": "proposed"}]
    assert "Order #1007 has changed in the meantime" in asked.reply
    assert order_of(conversation.database, "1002").total == 29000
    assert conversation("yes").actions == [{"name": "change_item", "status": "done"}]
    assert order_of(conversation.database, "1002").total == 28000


def test_what_no_longer_stands_is_said_when_another_wish_joins(chat: OpenChat) -> None:
    conversation = chat()
    conversation("swap c | b")
    set_variant(conversation, "Mug-2", available=False)
    asked = conversation("return e")
    assert asked.actions == [{"name": "return", "status": "proposed"}]
    assert "Order #1007 has changed in the meantime" in asked.reply
