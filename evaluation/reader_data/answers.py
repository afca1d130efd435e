"""Answers to what the assistant asked: which one, which option, who writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from apps.support.reading.commands import Command
from evaluation.reader_data.drawing import (
    ALL,
    FITTING,
    Drawing,
    Filled,
    Reading,
    UnfitError,
)
from evaluation.reader_data.noise import keep
from evaluation.reader_data.scenes import Item, Order, Scene


def draw_question(scene: Scene, rng: Random) -> str:
    """A question of the assistant."""
    if not scene.known:
        return "identify"
    order = rng.choice(scene.orders)
    verb = rng.choice(("cancel", "status", "return"))
    return rng.choice(
        (
            f"readdress {order.handle} to ?",
            f"swap {rng.choice(order.items).handle} ?option",
            _asked(verb, [o.handle for o in scene.orders]),
            _asked(rng.choice(("return", "swap")), [i.handle for i in order.items]),
        )
    )


def _asked_items(drawing: Drawing, count: int | None = None) -> tuple[str, list[Item]]:
    """A question "which item?" and what could be answered."""
    verb = drawing.rng.choice(("return", "return", "swap", "swap", "drop", "problem", "price"))
    orders = [o for o in drawing.scene.with_status(FITTING.get(verb, ALL)) if len(o.items) > 1]
    if count is not None:
        orders = [o for o in orders if len(o.items) == count]
    if not orders:
        raise UnfitError
    return verb, drawing.rng.choice(orders).items


def _asked_orders(drawing: Drawing, count: int | None = None) -> tuple[str, list[Order]]:
    verb = drawing.rng.choice(
        (
            "cancel",
            "cancel",
            "status",
            "status",
            "return",
            "swap",
            "readdress",
            "tracking",
            "refund",
            "items",
            "total",
            "invoice",
        )
    )
    orders = drawing.scene.with_status(FITTING.get(verb, ALL))
    if len(orders) < 2 or (count is not None and len(orders) != count):
        raise UnfitError
    return verb, orders


def _asked(verb: str, handles: Sequence[str]) -> str:
    return f"{verb} {' or '.join(handles)}"


def pick_items(slots: Sequence[str]) -> Reading:
    def read(drawing: Drawing) -> Filled:
        verb, items = _asked_items(drawing)
        if len(items) < len(slots):
            raise UnfitError
        chosen = drawing.rng.sample(items, len(slots))
        for slot, item in zip(slots, chosen, strict=True):
            same = [i for i in items if i.product.words & item.product.words]
            drawing.slots[slot], meant = drawing.call(item, same)
            if len(meant) > 1:
                raise UnfitError
        asked = _asked(verb, [item.handle for item in items])
        command = Command(verb, items=tuple(item.handle for item in chosen))
        return drawing.fill([command], asked=asked, takes_context=False)

    return read


def pick_count(count: int | None) -> Reading:
    """Both, or all of them."""

    def read(drawing: Drawing) -> Filled:
        if drawing.rng.random() < 0.6:
            verb, items = _asked_items(drawing, count)
            names = [item.handle for item in items]
            command = Command(verb, items=tuple(names))
        else:
            verb, orders = _asked_orders(drawing, count)
            names = [order.handle for order in orders]
            command = Command(verb, orders=tuple(names))
        return drawing.fill([command], asked=_asked(verb, names), takes_context=False)

    return read


def pick_nth(drawing: Drawing) -> Filled:
    place = {"1": 0, "2": 1, "last": -1}.get(drawing.wording.tag)
    if place is None:
        raise UnfitError
    if drawing.rng.random() < 0.5:
        verb, items = _asked_items(drawing)
        names = [item.handle for item in items]
        command = Command(verb, items=(names[place],))
    else:
        verb, orders = _asked_orders(drawing)
        names = [order.handle for order in orders]
        command = Command(verb, orders=(names[place],))
    return drawing.fill([command], asked=_asked(verb, names), takes_context=False)


def pick_order(how: str) -> Reading:
    def read(drawing: Drawing) -> Filled:
        verb, orders = _asked_orders(drawing)
        order = drawing.rng.choice(orders)
        if how == "item":
            item = drawing.rng.choice(order.items)
            if any(
                other.order != order.handle and other.order in {o.handle for o in orders}
                for other in drawing.scene.same(item)
            ):
                raise UnfitError
            drawing.slots["item"] = item.product.called(drawing.language, drawing.rng)
        elif how == "city":
            if sum(o.city == order.city for o in orders) > 1:
                raise UnfitError
            drawing.slots["city"] = order.city
        else:
            drawing.slots["order"] = drawing.number(order)
        asked = _asked(verb, [o.handle for o in orders])
        return drawing.fill([Command(verb, orders=(order.handle,))], asked=asked, takes_context=False)

    return read


def pick_unknown(drawing: Drawing) -> Filled:
    if not drawing.scene.known:
        return drawing.fill([Command("orders")], asked="identify", takes_context=False)
    verb, orders = _asked_orders(drawing)
    return drawing.fill(
        [Command("orders")], asked=_asked(verb, [o.handle for o in orders]), takes_context=False
    )


def option_answer(drawing: Drawing) -> Filled:
    """What is said to "which option would you like?"."""
    item, _ = drawing.item("swap")
    if not item.product.options:
        raise UnfitError
    drawing.option_slots(item)
    drawing.slots["price"] = f"${drawing.rng.randrange(5, 600)}.{drawing.rng.randrange(100):02d}"
    return drawing.fill(
        [Command("swap", items=(item.handle,))], asked=f"swap {item.handle} ?option", takes_context=False
    )


def identity(drawing: Drawing) -> Filled:
    rng = drawing.rng
    drawing.slots |= {
        "name": rng.choice(drawing.catalog.people),
        "zip": keep(
            rng.choice(
                (
                    "19122",
                    "SW1A 1AA",
                    "78712",
                    "80331",
                    "200001",
                    "75001",
                    "M5V 2T6",
                    str(rng.randrange(10_000, 99_999)),
                )
            )
        ),
        "email": keep("@"),
        "order": keep("#"),
    }
    asked = "identify" if rng.random() < 0.6 else ""
    drawing.scene = replace(drawing.scene, known=False)
    return drawing.fill([Command("identify")], asked=asked)
