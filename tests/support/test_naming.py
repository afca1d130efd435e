"""What is done to items when a message names an order by its number."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from apps.support.reading.context import Context, load_context
from apps.support.reading.identifiers import find_identifiers
from apps.support.reading.naming import about_what_is_named
from apps.support.reading.state import ConversationState, Wish
from apps.support.shop.models import Customer
from tests.support.conftest import OpenChat
from tests.support.small_shop import ZOE


@pytest.fixture
def context(chat: OpenChat) -> Iterator[Context]:
    with chat().database.read() as session:
        zoe = session.scalars(select(Customer).where(Customer.email == ZOE)).one()
        yield load_context(session, ConversationState(trusted_customer_id=zoe.id))


def item(context: Context, handle: str) -> int:
    return context.items[handle].id


def read(context: Context, order: str, *wishes: Wish) -> list[Wish]:
    number = context.orders[order].number
    found = find_identifiers(f"please, order {number}", context.numbers, known=True)
    assert found.orders == (order,)
    return about_what_is_named(wishes, found, context)


def test_an_item_of_another_order_is_the_same_product_in_the_one_that_is_named(context: Context) -> None:
    (wish,) = read(context, "S", Wish(verb="return", items=(item(context, "d"),)))
    assert wish.items == (item(context, "g"),)
    assert not wish.unknown


def test_what_is_not_in_the_named_order_is_unknown(context: Context) -> None:
    (wish,) = read(context, "R", Wish(verb="return", items=(item(context, "e"),)))
    assert wish.unknown
    assert wish.items == ()


def test_what_is_in_the_named_order_stays(context: Context) -> None:
    asked = Wish(verb="return", items=(item(context, "e"), item(context, "g")))
    assert read(context, "S", asked) == [asked]


def test_another_wish_may_be_about_the_named_order(context: Context) -> None:
    wishes = [
        Wish(verb="swap", items=(item(context, "c"),)),
        Wish(verb="status", orders=(context.orders["S"].id,)),
    ]
    assert read(context, "S", *wishes) == wishes


def test_all_orders_but_the_named_one_stay_meant(context: Context) -> None:
    asked = Wish(verb="cancel", orders=(context.orders["P"].id, context.orders["Q"].id))
    assert read(context, "R", asked) == [asked]


def test_items_are_gathered_in_the_order_that_one_of_them_is_in(context: Context) -> None:
    (wish,) = read(context, "S", Wish(verb="return", items=(item(context, "d"), item(context, "e"))))
    assert wish.items == (item(context, "g"), item(context, "e"))
    (apart,) = read(context, "S", Wish(verb="return", items=(item(context, "a"), item(context, "e"))))
    assert apart.items == (item(context, "a"), item(context, "e"))


def test_a_question_beside_a_number_is_about_that_order(context: Context) -> None:
    (wish,) = read(context, "S", Wish(verb="status", orders=(context.orders["P"].id,)))
    assert wish.orders == (context.orders["S"].id,)
