"""What changes in the shop between a proposal and its yes is neither charged nor left unsaid."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from apps.support.shop.models import Variant
from tests.support.conftest import OpenChat
from tests.support.small_shop import Chat, order_of


def set_variant(chat: Chat, sku: str, **fields: object) -> None:
    with chat.database.write() as session:
        found = session.scalars(select(Variant).where(Variant.sku == sku)).one()
        for field, value in fields.items():
            setattr(found, field, value)


@pytest.mark.parametrize("answer", ["yes; with 2", "with 2"])
@pytest.mark.parametrize(
    "change", [{"price": 99900}, {"stock": 0}, {"available": False}, {"currency": "EUR"}]
)
def test_an_option_with_another_price_is_not_taken_with_another_method(
    any_chat: OpenChat, answer: str, change: dict[str, object]
) -> None:
    chat = any_chat()
    chat("swap c | b")
    set_variant(chat, "Mug-2", **change)
    refused = chat(answer)
    assert refused.actions == []
    assert "Order #1007 has changed in the meantime" in refused.reply
    assert chat("yes").actions == []
    assert order_of(chat.database, "1007").total == 800


def test_what_is_left_of_a_proposal_is_asked_again_before_it_is_done(chat: OpenChat) -> None:
    conversation = chat()
    conversation("swap b c | Smart Thermostat: b / Mug: b")
    set_variant(conversation, "Mug-2", price=99900)
    asked = conversation("yes; with 2")
    assert asked.actions == [{"name": "change_item", "status": "proposed"}]
    assert "Order #1007 has changed in the meantime" in asked.reply
    assert order_of(conversation.database, "1002").total == 29000
    assert conversation("yes").actions == [{"name": "change_item", "status": "done"}]
    assert order_of(conversation.database, "1002").total == 28000


def test_what_no_longer_stands_is_said_when_another_wish_joins(chat: OpenChat) -> None:
    conversation = chat()
    conversation("swap c | b")
    set_variant(conversation, "Mug-2", price=99900)
    asked = conversation("return e")
    assert asked.actions == [{"name": "return", "status": "proposed"}]
    assert "Order #1007 has changed in the meantime" in asked.reply
