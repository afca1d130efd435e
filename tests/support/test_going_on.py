"""A yes beside other wishes, changes that come to nothing, and what waits."""

from __future__ import annotations

from sqlalchemy import select

from apps.support.reading.state import MOST_WAITING
from apps.support.shop.models import Order, OrderItem, PaymentMethod, Variant
from tests.support.conftest import OpenChat
from tests.support.small_shop import order_of, statuses
from tests.support.test_swaps import keyboard


def test_a_method_beside_the_yes_is_for_what_is_open(any_chat: OpenChat) -> None:
    chat = any_chat()
    chat("swap c | b")
    done = chat("yes; with 2; cancel P")
    assert done.actions == [
        {"name": "change_item", "status": "done"},
        {"name": "cancel", "status": "proposed"},
    ]
    assert order_of(chat.database, "1007").payments[-1].method.kind == "paypal"
    assert statuses(chat.database)["1002"] == "pending"


def test_a_method_beside_the_other_wish_is_for_that(chat: OpenChat) -> None:
    conversation = chat()
    conversation("swap c | b")
    done = conversation("yes; return e; with 3")
    assert [action["status"] for action in done.actions] == ["done", "proposed"]
    assert "$60.00 goes back to the gift card" in done.reply
    assert order_of(conversation.database, "1007").payments[-1].method.kind == "credit_card"


def test_a_method_that_is_refused_lets_the_other_wish_wait(chat: OpenChat) -> None:
    conversation = chat()
    conversation("return e")
    refused = conversation("yes; with 2; cancel P")
    assert refused.actions == [{"name": "return", "status": "proposed"}]
    assert "original payment method or to a gift card only" in refused.reply
    assert conversation("yes").actions == [
        {"name": "return", "status": "done"},
        {"name": "cancel", "status": "proposed"},
    ]


def test_a_change_that_comes_to_nothing_leaves_the_proposal(chat: OpenChat) -> None:
    conversation = chat()
    asked = conversation("cancel P")
    refused = conversation("cancel R")
    assert "#1005 cannot be cancelled" in refused.reply
    assert refused.reply.endswith(asked.reply)
    assert conversation("yes").actions == [{"name": "cancel", "status": "done"}]
    assert statuses(conversation.database)["1002"] == "cancelled"


def test_an_option_that_nothing_fits_leaves_the_one_that_is_proposed(chat: OpenChat) -> None:
    conversation = chat()
    with conversation.database.write() as session:
        session.scalars(select(Variant).where(Variant.sku == "Mug-1")).one().stock = 0
    asked = conversation("swap c | b")
    refused = conversation("swap c | a")
    assert "Mug is not available like that" in refused.reply
    assert refused.reply.endswith(asked.reply)
    conversation("yes")
    assert order_of(conversation.database, "1007").items[0].options == {"color": "green"}


def test_a_yes_to_the_only_method_takes_it(chat: OpenChat) -> None:
    conversation = chat()
    conversation("repay Q with 3", "yes")
    with conversation.database.write() as session:
        session.scalars(select(PaymentMethod).where(PaymentMethod.kind == "gift_card")).one().balance = 100
        paypal = select(PaymentMethod).join(PaymentMethod.customer).where(PaymentMethod.kind == "paypal")
        session.delete(session.scalars(paypal.order_by(PaymentMethod.id)).first())
    assert len(conversation("swap c | b").choices) == 1
    proposed = conversation("yes")
    assert proposed.actions == [{"name": "change_item", "status": "proposed"}]
    assert "$4.00 more, paid with the Visa card" in proposed.reply


def test_all_items_left_out_is_asked_about(chat: OpenChat) -> None:
    for command in ("return S not e f g", "swap S not e f g", "problem S not e f g"):
        asked = chat()(command)
        assert not asked.handed_over
        assert [choice.label.split(" (")[0] for choice in asked.choices] == ["Pet Bed", "Mug", "Desk Lamp"]


def test_an_order_without_items_is_no_failure(chat: OpenChat) -> None:
    conversation = chat()
    with conversation.database.write() as session:
        order = session.scalars(select(Order).where(Order.number == "1007")).one()
        for item in session.scalars(select(OrderItem).where(OrderItem.order_id == order.id)):
            session.delete(item)
    for command in ("swap Q", "return Q", "price Q cheapest", "problem Q"):
        answer = conversation(command)
        assert not answer.handed_over
        assert answer.actions == []
        assert "I don't find that in your orders" in answer.reply


def test_a_yes_that_was_followed_is_no_failure(chat: OpenChat) -> None:
    conversation = chat()
    conversation("unclear", "cancel P")
    assert conversation("yes; unclear").actions == [{"name": "cancel", "status": "done"}]
    assert conversation.state.failures == 0


def test_more_wishes_than_can_wait_are_said(chat: OpenChat) -> None:
    conversation = chat()
    conversation("home to P")
    wishes = ["cancel Q", *(f"return {item}" for item in "efg"), *(f"swap {item}" for item in "ab")]
    more = ["readdress P to home", "repay P with 2", "ask newsletter_on", "repay R with 2"]
    done = conversation("; ".join(["yes", *wishes, *more]))
    assert done.actions[0] == {"name": "default_address", "status": "done"}
    assert "more than I can keep in mind" in done.reply
    assert len(conversation.state.waiting) == MOST_WAITING - 1  # the first of them is proposed
    fewer = chat()
    fewer("home to P")
    assert "keep in mind" not in fewer("; ".join(["yes", *wishes])).reply


def test_a_correction_is_paid_as_what_it_corrects(chat: OpenChat) -> None:
    conversation = chat()
    assert "paid with PayPal" in conversation(f"swap a; with 2 | {keyboard(conversation, 'linear')}").reply
    corrected = conversation(f"no; swap a | {keyboard(conversation, 'linear', 'white')}")
    assert corrected.actions[-1] == {"name": "change_item", "status": "proposed"}
    assert "PayPal" in corrected.reply


def test_what_is_said_twice_is_proposed_once(chat: OpenChat) -> None:
    conversation = chat()
    asked = conversation("swap c; swap c | b")
    assert asked.actions == [{"name": "change_item", "status": "proposed"}]
    assert "all of this" not in asked.reply


def test_what_waits_is_asked_once_however_often_it_was_said(chat: OpenChat) -> None:
    conversation = chat()
    conversation("cancel P; swap c", "cancel P; swap c")
    asked = conversation("yes")
    assert [action["status"] for action in asked.actions] == ["done"]
    assert conversation("swap c | b").actions == [{"name": "change_item", "status": "proposed"}]
    assert conversation("yes").actions == [{"name": "change_item", "status": "done"}]
    assert "other request" not in conversation("thanks").reply
