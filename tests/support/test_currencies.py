"""Amounts in different currencies are neither compared nor added to one another."""

from __future__ import annotations

from sqlalchemy import select

from apps.support.shop.models import Order, PaymentMethod, Variant
from tests.support.conftest import OpenChat
from tests.support.small_shop import Chat, method_of, order_of


def in_euros(chat: Chat, *skus: str) -> None:
    with chat.database.write() as session:
        for variant in session.scalars(select(Variant).where(Variant.sku.in_(skus))):
            variant.currency = "EUR"


def euros_on_gift_card(chat: Chat) -> None:
    with chat.database.write() as session:
        query = select(PaymentMethod).where(PaymentMethod.kind == "gift_card")
        session.scalars(query).one().currency = "EUR"


def test_only_options_in_the_orders_currency_are_offered(chat: OpenChat) -> None:
    conversation = chat()
    in_euros(conversation, "Mug-2")
    asked = conversation("swap c")
    assert "blue" in asked.reply
    assert "green" not in asked.reply
    assert conversation("swap c | cheapest").actions == [{"name": "change_item", "status": "proposed"}]
    in_euros(conversation, "Mug-1")
    assert "There is no other option of Mug" in conversation("no; swap c").reply


def test_an_option_that_has_another_currency_by_now_is_not_charged(any_chat: OpenChat) -> None:
    chat = any_chat()
    chat("swap c | b")
    in_euros(chat, "Mug-2")
    assert chat("yes").actions[0]["status"] == "refused"
    assert order_of(chat.database, "1007").total == 800


def test_a_gift_card_pays_nothing_in_another_currency(chat: OpenChat) -> None:
    conversation = chat()
    euros_on_gift_card(conversation)
    paying = conversation("repay Q with 3")
    assert paying.actions == []
    assert "€50.00" in paying.reply
    assert "the gift card cannot be used for that" in conversation("swap c; with 3 | b").reply
    assert "stays with the Visa card" in conversation("no; return e; with 3").reply


def test_a_gift_card_that_has_another_currency_by_now_is_not_charged(any_chat: OpenChat) -> None:
    chat = any_chat()
    chat("repay Q with 3")
    euros_on_gift_card(chat)
    assert chat("yes").actions[0]["status"] == "refused"
    assert method_of(chat.database, "gift_card").balance == 5000


def test_a_refund_in_another_currency_is_not_added_to_a_gift_card(any_chat: OpenChat) -> None:
    chat = any_chat()
    chat("repay Q with 3", "yes")
    euros_on_gift_card(chat)
    chat("cancel Q", "yes")
    assert method_of(chat.database, "gift_card").balance == 5000 - 800
    assert [p.status for p in order_of(chat.database, "1007").payments][-1] == "pending"


def test_the_cheapest_of_several_currencies_is_asked(chat: OpenChat) -> None:
    conversation = chat()
    with conversation.database.write() as session:
        session.scalars(select(Order).where(Order.number == "1005")).one().currency = "EUR"
    asked = conversation("return d or f cheapest")
    assert asked.actions == []
    assert "Which item do you mean" in asked.reply
    assert len(asked.choices) == 2
    assert "Which item do you mean" in conversation("no; price R S cheapest").reply


def test_a_product_names_its_prices_in_each_currency(chat: OpenChat) -> None:
    conversation = chat()
    in_euros(conversation, "Mug-2")
    told = conversation("product Mug").reply
    assert "from $8.00 to $9.00" in told
    assert "Mug costs €12.00" in told
    picked = conversation("product Mug | cheapest").reply
    assert "The cheapest" not in picked
    assert "$8.00" in picked


def test_what_goes_back_and_what_was_spent_is_summed_in_each_currency(chat: OpenChat) -> None:
    conversation = chat()
    with conversation.database.write() as session:
        session.scalars(select(Order).where(Order.number == "1007")).one().currency = "EUR"
    conversation("cancel P Q")
    told = conversation("sum").reply
    assert "Altogether $290.00 goes back" in told
    assert "Altogether €8.00 goes back" in told
    assert "298" not in told
    spent = conversation("spent").reply
    assert "1 orders come to €8.00" in spent
    assert "3 orders come to $439.00" in spent
