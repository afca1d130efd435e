"""An order that a message tells by another item in it: "the T-shirt from my order with the espresso machine"."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from apps.support.reading.context import Context
from apps.support.reading.naming import same_in, touched
from apps.support.reading.state import Wish
from apps.support.reading.verbatim import verbatim
from apps.support.shop.models import OrderItem


def in_the_order_that_is_told(wishes: Sequence[Wish], text: str, context: Context) -> list[Wish]:
    """The wishes with their items in the orders that other items tell, where the same products are there.

    An item tells its order if it is named word for word, in one order only, and no wish is about it or its order.
    """
    own = {item.variant.product_id for item in _items_of(wishes, context) if item.variant is not None}
    others = {order for wish in wishes if not wish.items for order in touched(wish, context)}
    orders_of = _named(text.casefold(), context)
    telling = {
        order
        for product, orders in orders_of.items()
        if product not in own and len(orders) == 1
        for order in orders - others
    }
    return [_with_items_in(wish, telling, context) for wish in wishes] if telling else list(wishes)


def _items_of(wishes: Sequence[Wish], context: Context) -> list[OrderItem]:
    numbers = [number for wish in wishes for number in (*wish.items, *wish.excluded)]
    return [item for number in numbers if (item := context.item(number)) is not None]


def _with_items_in(wish: Wish, telling: set[int], context: Context) -> Wish:
    meant = []
    for number in wish.items:
        item = context.item(number)
        there = item is None or item.order_id in telling
        meant.append(number if there else same_in(number, telling, context) or number)
    return wish.model_copy(update={"items": tuple(dict.fromkeys(meant))})


def _named(text: str, context: Context) -> dict[int, set[int]]:
    """product → the orders with it, of the products that the text names by all their name or its last word."""
    orders_of: dict[int, set[int]] = defaultdict(set)
    names: dict[int, set[str]] = {}
    for order in context.orders.values():
        for item in order.items:
            if item.variant is not None:
                product = item.variant.product
                orders_of[product.id].add(order.id)
                names[product.id] = {product.name, product.name_zh or product.name}
    last = {number: {word for name in named for word in name.split()[-1:]} for number, named in names.items()}
    return {
        number: orders_of[number]
        for number, named in names.items()
        if any(verbatim(name).search(text) for name in named | _of_one_alone(number, last))
    }


def _of_one_alone(product: int, words: dict[int, set[str]]) -> set[str]:
    """The words of the product that are none of another one."""
    others = {word.casefold() for number, found in words.items() if number != product for word in found}
    return {word for word in words[product] if word.casefold() not in others}
