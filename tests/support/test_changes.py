"""What is done to orders and accounts: cancelled, returned, sent elsewhere, paid otherwise, or refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from apps.support.shop.models import Customer, Order, OrderStatus, PaymentKind, Variant
from apps.support.shop.policy import PACKAGED, load_policy
from tests.support.conftest import OpenChat
from tests.support.small_shop import AUSTIN, BOSTON, HOME, MAX, ZOE, order_of, statuses
from tests.support.small_shop import method_of as zoes


@pytest.mark.parametrize("order", ["R", "S"])
def test_only_pending_orders_are_cancelled_and_the_way_out_is_said(chat: OpenChat, order: str) -> None:
    conversation = chat()
    refused = conversation(f"cancel {order}")
    assert refused.actions == []
    assert "cannot be cancelled" in refused.reply
    assert "within 30 days" in refused.reply
    conversation("yes")
    assert "cancelled" not in statuses(conversation.database).values()


def test_a_number_of_nobody_is_never_taken_for_another_order(chat: OpenChat) -> None:
    """1003 is somebody else's: who says it means neither of two others, not even the one that is talked about."""
    for message in ("cancel 1003", "status 1003", "return 1003", "swap #1003", "readdress #1003 to home"):
        conversation = chat()
        conversation("status P")
        answer = conversation(message)
        assert "?" in answer.commands
        assert answer.actions == []
        assert "1003" not in answer.reply
        assert "I don't find that in your orders" in answer.reply
    named = chat()("cancel 1002")
    assert "#1002" in named.reply
    assert "#1007" not in named.reply


def test_a_wish_read_about_another_order_than_the_unknown_one_is_not_followed(chat: OpenChat) -> None:
    """The reader may err; the number that was written stands."""
    for command in ("cancel P", "cancel", "status P", "status", "swap a | b"):
        conversation = chat()
        conversation("status P")
        answer = conversation(f"Cancel 1003 please = {command}")
        assert answer.actions == []
        assert "I don't find that" in answer.reply


@pytest.mark.parametrize("command", ["drop b", "drop P not b", "drop"])
def test_one_item_is_not_taken_out_of_an_order_and_what_is_possible_is_said(
    chat: OpenChat, command: str
) -> None:
    conversation = chat()
    answer = conversation(command)
    assert answer.actions == []
    assert "a single item cannot be taken out" in answer.reply
    assert "whole order" in answer.reply
    assert statuses(conversation.database)["1002"] == "pending"


def test_money_back_for_an_order_that_never_left_is_a_cancellation(chat: OpenChat) -> None:
    assert chat()("return Q").actions == [{"name": "cancel", "status": "proposed"}]


def test_all_but_one_item_is_returned(any_chat: OpenChat) -> None:
    chat = any_chat()
    asked = chat("return S not e")
    assert "Pet Bed" not in asked.reply
    chat("yes")
    (back,) = order_of(chat.database, "1001").returns
    assert back.refund == 900 + 4000


def test_what_was_returned_is_not_returned_again(any_chat: OpenChat) -> None:
    chat = any_chat()
    chat("return e", "yes")
    assert chat("return e").actions == []
    assert chat("return S").actions == []
    assert chat("return f").actions == [{"name": "return", "status": "proposed"}]


@pytest.mark.parametrize(("pick", "price"), [("cheapest", "$9.00"), ("dearest", "$60.00")])
def test_the_cheapest_or_dearest_item_of_an_order_is_meant(chat: OpenChat, pick: str, price: str) -> None:
    assert price in chat()(f"return S {pick}").reply
    assert price in chat()(f"return e or f or g {pick}").reply


def test_the_cheapest_is_picked_among_what_is_talked_about(chat: OpenChat) -> None:
    conversation = chat()
    conversation("return e g", "no")
    assert "$40.00" in conversation("return cheapest").reply
    alone = chat()
    alone("problem e")
    assert "$9.00" in alone("return cheapest").reply


def test_which_one_is_asked_where_several_cost_the_same(chat: OpenChat) -> None:
    conversation = chat()
    with conversation.database.write() as session:
        order = session.scalars(select(Order).where(Order.number == "1001")).one()
        order.items[1].unit_price = order.items[0].unit_price
    asked = conversation("return S dearest")
    assert asked.actions == []
    assert [choice.label for choice in asked.choices] == ["Pet Bed (large)", "Mug (blue)"]
    assert "$40.00" in conversation("return S cheapest").reply


def test_which_items_is_asked_and_all_of_them_can_be_answered(chat: OpenChat) -> None:
    conversation = chat()
    asked = conversation("status S", "return")
    assert len(asked.choices) == 3
    assert conversation("return e f g").actions == [{"name": "return", "status": "proposed"}]


def test_items_delivered_too_long_ago_are_not_taken_back(chat: OpenChat) -> None:
    conversation = chat()
    with conversation.database.write() as session:
        found = session.scalars(select(Order).where(Order.number == "1001")).one()
        found.shipments[0].delivered_on = date(2020, 1, 1)
    for command in ("return S", "swap f | c", "problem f"):
        refused = conversation(command)
        assert refused.actions == []
        assert "30 days" in refused.reply


def test_what_is_wrong_with_an_item_is_asked_into_and_nothing_proposed(chat: OpenChat) -> None:
    conversation = chat()
    told = conversation("problem f")
    assert "I can exchange it" in told.reply
    assert told.actions == []
    assert conversation("return").actions == [{"name": "return", "status": "proposed"}]


class TestAddresses:
    def test_an_order_goes_to_a_given_address(self, any_chat: OpenChat) -> None:
        chat = any_chat()
        asked = chat("readdress P to given | 445 Maple Drive | Suite 394 | Fort Worth | Texas | 76165 | USA")
        line = "445 Maple Drive, Suite 394, Fort Worth, Texas 76165, USA"
        assert asked.actions == [{"name": "change_address", "status": "proposed"}]
        chat("yes")
        changed = order_of(chat.database, "1002").address
        assert (changed.line1, changed.line2, changed.postcode) == ("445 Maple Drive", "Suite 394", "76165")
        assert changed.one_line() in asked.reply
        assert line.split(",")[0] in asked.reply

    def test_several_orders_go_to_the_accounts_address(self, chat: OpenChat) -> None:
        conversation = chat()
        conversation("readdress P Q to home", "yes")
        for number in ("1002", "1007"):
            assert order_of(conversation.database, number).address == HOME

    def test_an_order_goes_where_another_one_went(self, chat: OpenChat) -> None:
        conversation = chat()
        conversation("readdress P to S", "yes")
        assert order_of(conversation.database, "1002").address == BOSTON

    def test_the_account_gets_the_address_of_an_order(self, chat: OpenChat) -> None:
        conversation = chat()
        conversation("home to P", "yes")
        with conversation.database.read() as session:
            assert session.scalars(select(Customer).where(Customer.email == ZOE)).one().address == AUSTIN

    def test_order_and_account_change_with_one_yes(self, chat: OpenChat) -> None:
        conversation = chat()
        given = "| 1 Ash Lane | - | Bath | - | BA1 1AA | UK"
        asked = conversation(f"readdress P to given; home to given {given}")
        assert [action["name"] for action in asked.actions] == ["change_address", "default_address"]
        conversation("yes")
        assert order_of(conversation.database, "1002").address.city == "Bath"

    def test_what_is_lacking_is_asked_for_and_the_order_remembered(self, chat: OpenChat) -> None:
        conversation = chat()
        lacking = conversation("readdress P to given | 445 Maple Drive | - | Fort Worth | - | - | -")
        assert "the postcode" in lacking.reply
        assert "the city" not in lacking.reply
        assert lacking.actions == []
        whole = conversation("readdress P to given | 445 Maple Drive | - | Fort Worth | TX | 76165 | -")
        assert "Fort Worth" in whole.reply
        assert whole.actions == [{"name": "change_address", "status": "proposed"}]

    def test_without_an_address_the_whole_one_is_asked_for(self, chat: OpenChat) -> None:
        asked = chat()("readdress P")
        assert "the whole new address" in asked.reply

    def test_a_flat_alone_changes_only_the_flat(self, chat: OpenChat) -> None:
        conversation = chat()
        conversation("readdress P to given | - | Apt 9 | - | - | - | -", "yes")
        assert order_of(conversation.database, "1002").address.one_line() == (
            AUSTIN.one_line().replace("Apt 3", "Apt 9")
        )

    def test_the_same_address_again_is_no_change(self, chat: OpenChat) -> None:
        conversation = chat()
        conversation("home to P", "yes")
        answer = conversation("readdress P to home")
        assert answer.actions == []
        assert "already" in answer.reply

    def test_a_sent_order_is_not_redirected(self, chat: OpenChat) -> None:
        assert chat()("readdress R to home").actions == []


class TestPayment:
    def test_a_yes_with_another_method_is_replanned_and_run(self, any_chat: OpenChat) -> None:
        chat = any_chat()
        chat("return e")
        done = chat("yes; with 3")
        assert done.actions == [{"name": "return", "status": "done"}]
        assert "the gift card" in done.reply

    def test_a_method_alone_proposes_again_and_is_kept_when_something_joins(self, chat: OpenChat) -> None:
        conversation = chat()
        conversation("return e")
        assert "goes back to the gift card" in conversation("with 3").reply
        assert "goes back to the gift card" in conversation("cancel P").reply

    def test_a_method_that_is_refused_is_told_and_the_proposal_made_again(self, chat: OpenChat) -> None:
        conversation = chat()
        conversation("return e")
        refused = conversation("yes; with 2")
        assert "original payment method or to a gift card only" in refused.reply
        assert refused.actions == [{"name": "return", "status": "proposed"}]
        assert order_of(conversation.database, "1001").returns == []
        assert conversation("yes").actions == [{"name": "return", "status": "done"}]

    def test_a_cancellation_goes_back_where_it_came_from(self, chat: OpenChat) -> None:
        conversation = chat()
        conversation("cancel P")
        told = conversation("yes; with 3")
        assert "original payment method" in told.reply
        assert statuses(conversation.database)["1002"] == "pending"

    def test_a_method_beside_the_wish_is_taken_at_once(self, chat: OpenChat) -> None:
        assert "to the gift card" in chat()("return e; with 3").reply

    def test_another_method_pays_a_pending_order(self, any_chat: OpenChat) -> None:
        chat = any_chat()
        asked = chat("repay P with 2")
        assert asked.actions == [{"name": "change_payment", "status": "proposed"}]
        chat("yes")
        order = order_of(chat.database, "1002")
        charged = [p for p in order.payments if p.kind == PaymentKind.PAYMENT and p.method.kind == "paypal"]
        assert [p.amount for p in charged] == [29000]

    def test_after_a_change_of_payment_a_cancellation_goes_back_to_the_new_method(
        self, any_chat: OpenChat
    ) -> None:
        chat = any_chat()
        for handle, way in (("3", "the gift card"), ("2", "PayPal")):
            order = {"3": "Q", "2": "P"}[handle]
            chat(f"repay {order} with {handle}", "yes")
            assert "already" in chat(f"repay {order} with {handle}").reply
            asked = chat(f"cancel {order}")
            assert f"goes back to {way}" in asked.reply
            chat("yes")
        assert zoes(chat.database, "gift_card").balance == 5000

    def test_a_gift_card_pays_what_its_balance_covers(self, any_chat: OpenChat) -> None:
        chat = any_chat()
        small = chat("repay P with 3")
        assert "does not cover $290.00" in small.reply
        assert small.actions == []
        chat("repay Q with 3", "yes")
        assert zoes(chat.database, "gift_card").balance == 5000 - 800

    def test_the_method_that_is_asked_for_is_answered(self, chat: OpenChat) -> None:
        conversation = chat()
        asked = conversation("repay Q")
        assert [choice.label for choice in asked.choices] == [
            "the Visa card ending in 4242",
            "PayPal",
            "the gift card",
        ]
        assert conversation("with 2").actions == [{"name": "change_payment", "status": "proposed"}]

    def test_a_method_without_a_wish_is_asked_about(self, chat: OpenChat) -> None:
        assert chat()("with 2").reply == "What would you like to do with it?"
        assert "Which one do you mean" in chat()("with 1 or 2").reply
        assert "no such payment method" in chat()("with ?").reply

    def test_the_way_of_paying_that_it_has_is_no_change(self, chat: OpenChat) -> None:
        assert "already" in chat()("repay P with 1").reply
        assert chat()("repay R with 2").actions == []

    def test_an_order_paid_by_gift_card_gets_another_method_for_what_it_does_not_cover(
        self, chat: OpenChat
    ) -> None:
        conversation = chat()
        conversation("repay Q with 3", "yes")
        with conversation.database.write() as session:
            found = session.scalars(select(Order).where(Order.number == "1007")).one()
            found.payments[-1].method.balance = 100
        asked = conversation("swap c | b")
        assert "does not cover $4.00" in asked.reply
        planned = conversation("with 2")
        assert "$4.00 more, paid with PayPal" in planned.reply
        assert conversation("yes").actions == [{"name": "change_item", "status": "done"}]

    def test_the_shop_may_refund_to_the_original_method_only(self, chat: OpenChat, tmp_path: Path) -> None:
        text = PACKAGED.read_text("utf-8").replace('"original_or_gift_card"', '"original"')
        (tmp_path / "policy.toml").write_text(text, encoding="utf-8")
        conversation = chat(policy=load_policy(tmp_path / "policy.toml"))
        assert "stays with the Visa card" in conversation("return e; with 3").reply


class TestStock:
    def test_a_cancelled_order_is_put_back_and_a_change_moves_it(self, any_chat: OpenChat) -> None:
        chat = any_chat()
        chat("swap c | b", "yes")
        assert _stock(chat, "Mug") == [10, 9, 8]
        chat("cancel Q", "yes")
        assert _stock(chat, "Mug") == [10, 9, 9]

    def test_the_last_one_sold_meanwhile_is_not_promised(self, any_chat: OpenChat) -> None:
        chat = any_chat()
        chat("swap c | b")
        with chat.database.write() as session:
            sold = session.scalars(select(Variant).where(Variant.sku == "Mug-2")).one()
            sold.stock = 0
        assert chat("yes").actions[0]["status"] == "refused"
        assert order_of(chat.database, "1007").items[0].options == {"color": "red"}

    def test_a_price_that_rose_meanwhile_is_not_charged(self, any_chat: OpenChat) -> None:
        chat = any_chat()
        chat("swap c | b")
        with chat.database.write() as session:
            session.scalars(select(Variant).where(Variant.sku == "Mug-2")).one().price = 99900
        assert chat("yes").actions[0]["status"] == "refused"


def test_the_newsletter_is_changed_for_a_known_customer(chat: OpenChat) -> None:
    conversation = chat()
    conversation("ask newsletter_on", "yes")
    with conversation.database.read() as session:
        assert session.scalars(select(Customer).where(Customer.email == ZOE)).one().newsletter
    assert conversation("ask newsletter_on").actions == []


def test_nobodys_order_is_touched_but_the_customers(chat: OpenChat) -> None:
    conversation = chat(MAX)
    conversation("cancel P", "yes")
    assert statuses(conversation.database) == {
        "1001": "delivered",
        "1002": "pending",
        "1003": "cancelled",
        "1005": "shipped",
        "1007": "pending",
    }
    assert order_of(conversation.database, "1003").status == OrderStatus.CANCELLED


def _stock(chat: object, name: str) -> list[int | None]:
    with chat.database.read() as session:  # type: ignore[attr-defined]
        query = select(Variant.stock).where(Variant.sku.startswith(name)).order_by(Variant.sku)
        return list(session.scalars(query))
