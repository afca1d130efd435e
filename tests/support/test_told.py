"""What is done to items when a message tells their order by another item in it."""

from __future__ import annotations

import pytest

from apps.support.reading.context import Context
from apps.support.reading.state import Wish
from apps.support.reading.told import in_the_order_that_is_told
from tests.support.test_naming import context, item

__all__ = ["context"]


@pytest.mark.parametrize(
    ("text", "read_as", "meant"),
    [
        ("return the mug from my order with the pet bed", "c", "f"),
        ("the desk-lamp that came with the Bed", "d", "g"),
        ("return the mug from my order with the lamp", "c", "c"),  # two orders have a lamp
        ("return the mug, please", "c", "c"),
        ("the keyboard in the order with the pet bed", "a", "a"),  # it has no keyboard
        ("the mug in the order with the keyboard", "f", "f"),
        ("my embedded mug", "c", "c"),
    ],
)
def test_another_item_tells_the_order(context: Context, text: str, read_as: str, meant: str) -> None:
    wishes = [Wish(verb="return", items=(item(context, read_as),), text=text)]
    (wish,) = in_the_order_that_is_told(wishes, text, context)
    assert wish.items == (item(context, meant),)


def test_what_another_wish_is_about_tells_nothing(context: Context) -> None:
    text = "return the mug, and when was the order with the pet bed delivered"
    mug = Wish(verb="return", items=(item(context, "c"),), text=text)
    bed = Wish(verb="price", items=(item(context, "e"),), text=text)
    status = Wish(verb="status", orders=(context.orders["S"].id,), text=text)
    for other in (bed, status):
        assert in_the_order_that_is_told([mug, other], text, context) == [mug, other]


def test_an_item_is_meant_once(context: Context) -> None:
    text = "the mugs of the order with the pet bed"
    both = Wish(verb="return", items=(item(context, "c"), item(context, "f")), text=text)
    (wish,) = in_the_order_that_is_told([both], text, context)
    assert wish.items == (item(context, "f"),)
