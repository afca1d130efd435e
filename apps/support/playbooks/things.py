"""The orders and items that a wish is about: named, talked about, or the only ones it can mean."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from apps.support.playbooks.case import Case, Outcome, asking, said
from apps.support.reading.state import Wish
from apps.support.replies.descriptions import describe_item, describe_order
from apps.support.shop.models import Order, OrderItem, OrderStatus
from apps.support.words import listing

MOST_ORDERS_NAMED = 6


def orders_meant(case: Case, statuses: Collection[OrderStatus]) -> list[Order] | Outcome:
    """The orders of the wish, or the question which one.

    Where none is named it is the one that is talked about, if the wish makes sense for it, or the only one in
    one of the `statuses`.
    """
    wish, context = case.wish, case.context
    if wish.unknown and not wish.orders and not wish.items:
        return unknown(case)
    named = [order for order_id in wish.orders if (order := context.order(order_id)) is not None]
    named += [item.order for item_id in wish.items if (item := context.item(item_id)) is not None]
    named = list({order.id: order for order in named}.values())
    if wish.alternatives and len(named) > 1:
        fitting = [order for order in named if order.status in statuses]
        return fitting if len(fitting) == 1 else which_order(case, fitting or named)
    if named:
        return named
    focus = context.order(case.state.order_id)
    if focus is not None and focus.status in statuses:
        return [focus]
    fitting = context.latest(case.session, statuses)
    if len(fitting) == 1:
        return fitting
    if focus is not None and not fitting:
        return [focus]
    choices = fitting or context.latest(case.session)
    if not choices:
        return said(case.write("no_orders"))
    return choices if len(choices) == 1 else which_order(case, choices)


def items_meant(
    case: Case, statuses: Collection[OrderStatus], *, whole_order: bool
) -> list[OrderItem] | Outcome:
    """The items of the wish, at least one, or the question which ones.

    `whole_order`: an order's name means all in it.
    """
    wish, context = case.wish, case.context
    items = [item for item_id in wish.items if (item := context.item(item_id)) is not None]
    if wish.pick is not None and items:
        return by_price(case, items, wish.pick)
    if wish.alternatives and len(items) > 1:
        fitting = [item for item in items if item.order.status in statuses]
        return fitting if len(fitting) == 1 else which_item(case, fitting or items)
    if items:
        return items
    if wish.unknown and not wish.orders:
        return unknown(case)
    if not wish.orders and case.state.item_ids:
        focus = [item for i in case.state.item_ids if (item := context.item(i)) is not None]
        if focus and all(item.order.status in statuses for item in focus):
            if wish.pick is None:
                return focus
            if len(focus) > 1:
                return by_price(case, focus, wish.pick)  # of one alone it says nothing: the order's is meant
    orders = orders_meant(case, statuses)
    if isinstance(orders, Outcome):
        return orders
    there = [item for order in orders for item in order.items]
    if not there:
        return unknown(case)
    items = [item for item in there if item.id not in wish.excluded]
    if not items:
        return which_item(case, there)
    if wish.pick is not None:
        return by_price(case, items, wish.pick)
    if len(items) == 1 or wish.excluded or (whole_order and wish.orders):
        return items
    return which_item(case, items)


def by_price(case: Case, items: Sequence[OrderItem], pick: str) -> list[OrderItem] | Outcome:
    """The cheapest or dearest; asked where several cost the same, or different currencies, which do not compare."""
    if len({item.order.currency for item in items}) > 1:
        return which_item(case, items)
    price = (min if pick == "cheapest" else max)(item.unit_price for item in items)
    found = [item for item in items if item.unit_price == price]
    alike = {(item.order_id, item.variant_id, describe_item(item, case.language)) for item in found}
    return found[:1] if len(alike) == 1 else which_item(case, found)


def which_order(case: Case, orders: Sequence[Order]) -> Outcome:
    """Ask which of the orders is meant."""
    return _ask_order(case, "ask_which_order", orders, case.wish, "or")


def which_item(case: Case, items: Sequence[OrderItem]) -> Outcome:
    """Ask which of the items are meant."""
    names = {item.id: describe_item(item, case.language, counted=False) for item in items}
    listed = listing(list(names.values()), case.language, "or")
    return asking("item", case.wish, names, case.write("ask_item", must=("items",), items=listed))


def unknown(case: Case) -> Outcome:
    """The message names an order or a thing that is not there: nothing else is taken in its place."""
    orders = case.context.latest(case.session)
    if not orders:
        return said(case.write("no_orders"))
    return _ask_order(case, "unknown_thing", orders, case.wish.model_copy(update={"unknown": False}), "and")


def _ask_order(
    case: Case, key: str, orders: Sequence[Order], wish: Wish, joint: Literal["and", "or"]
) -> Outcome:
    names = {order.id: describe_order(order, case.language) for order in orders[:MOST_ORDERS_NAMED]}
    listed = listing(list(names.values()), case.language, joint)
    return asking("order", wish, names, case.write(key, must=("orders",), orders=listed))


def talk_about(case: Case, orders: Sequence[Order], items: Sequence[OrderItem] = ()) -> None:
    """What "it" means in the next message."""
    if orders:
        case.state.order_id = orders[0].id
    case.state.item_ids = [item.id for item in items]
