"""A message that names an order by its number is about that order, and about no other one."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from apps.support.reading.commands import VERBS, Shape
from apps.support.reading.context import Context
from apps.support.reading.identifiers import Identifiers
from apps.support.reading.state import Wish

_ABOUT_ORDERS = frozenset({Shape.ORDERS, Shape.ITEMS, Shape.PLACE})


def about_what_is_named(wishes: Iterable[Wish], found: Identifiers, context: Context) -> list[Wish]:
    """The wishes as the order numbers of their message allow them.

    A number that is not there makes unknown what would be about an order. Where an order is named and no wish
    touches it, questions are about that one, and items of other orders are the same products in it, or unknown. A
    wish that touches it has its other items there, too, where that order has the same products.
    """
    wishes = [_not_about_others(wish, found) for wish in wishes]
    named = [order.id for handle, order in context.orders.items() if handle in found.orders]
    touching = [bool(touched(wish, context) & set(named)) for wish in wishes]
    if any(touching):
        return [
            _gathered(wish, named, context) if touches else wish
            for wish, touches in zip(wishes, touching, strict=True)
        ]
    return [_in_these(wish, named, context) for wish in wishes] if named else wishes


def contradict(wishes: Iterable[Wish], context: Context) -> bool:
    """Whether an order is to be cancelled and changed by one message: then it was misread."""
    changes = [wish.model_copy(update={"to_order": None}) for wish in wishes if wish.is_change]
    cancelled, changed = (
        {order for wish in changes if (wish.verb == "cancel") is cancels for order in touched(wish, context)}
        for cancels in (True, False)
    )
    return bool(cancelled & changed)


def _not_about_others(wish: Wish, found: Identifiers) -> Wish:
    # The figures of an address may look like order numbers: there they only count against an order that is read.
    given = wish.to == "given" and not wish.orders
    about_orders = VERBS[wish.verb] in _ABOUT_ORDERS or wish.verb == "repay"
    if found.unknown and not found.orders and about_orders and not given:
        return wish.model_copy(update={"orders": (), "items": (), "unknown": True})
    return wish


def touched(wish: Wish, context: Context) -> set[int]:
    """The orders that a wish is about, leaves out or takes something from."""
    things = [context.item(number) for number in (*wish.items, *wish.excluded, *filter(None, (wish.like,)))]
    orders = {*wish.orders, *filter(None, (wish.to_order,))}
    return orders | {item.order_id for item in things if item is not None}


def _gathered(wish: Wish, named: Collection[int], context: Context) -> Wish:
    """The wish with its items in these orders, as far as those have them."""
    meant = []
    for number in wish.items:
        item = context.item(number)
        there = item is not None and item.order_id in named
        meant.append(number if there else same_in(number, named, context) or number)
    return wish.model_copy(update={"items": tuple(dict.fromkeys(meant))})


def _in_these(wish: Wish, named: Collection[int], context: Context) -> Wish:
    if not wish.items:
        asks = wish.orders and not wish.is_change and VERBS[wish.verb] is Shape.ORDERS
        return wish.model_copy(update={"orders": tuple(named), "alternatives": False}) if asks else wish
    meant = [same_in(number, named, context) for number in wish.items]
    if None in meant:
        return wish.model_copy(update={"items": (), "unknown": True})
    return wish.model_copy(update={"items": tuple(dict.fromkeys(number for number in meant if number))})


def same_in(item_id: int, named: Collection[int], context: Context) -> int | None:
    """The one item of the same product in these orders; None where there is none, or where there are several."""
    item = context.item(item_id)
    if item is None or item.variant is None:
        return None
    same = [
        other.id
        for number in named
        if (order := context.order(number)) is not None
        for other in order.items
        if other.variant is not None and other.variant.product_id == item.variant.product_id
    ]
    return same[0] if len(same) == 1 else None
