"""Wishes and questions about orders and their items, and messages that name nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from apps.support.reading.commands import Command
from evaluation.reader_data.drawing import (
    ALL,
    FITTING,
    ITEM_VERBS,
    Drawing,
    Filled,
    Reading,
    UnfitError,
    with_method,
)
from evaluation.reader_data.scenes import Item

NOT_ORDERED = 0.1
"""How often the thing that is named is in none of the customer's orders."""


def about_items(verb: str, slots: Sequence[str] = ("item",), *, either: bool = True) -> Reading:
    """A wish about the things that are named: items for some verbs, the orders that hold them for others."""

    def read(drawing: Drawing) -> Filled:
        if not drawing.scene.known:
            for slot in slots:
                product = drawing.rng.choice(drawing.catalog.products)
                drawing.slots[slot] = product.called(drawing.language, drawing.rng)
            anybody = Item("a", product, product.variant(drawing.rng), "P")
            drawing.option_slots(anybody)
            return drawing.fill([Command(verb)])
        if len(slots) == 1 and drawing.rng.random() < NOT_ORDERED:
            product = drawing.other_product()
            drawing.slots[slots[0]] = product.called(drawing.language, drawing.rng)
            drawing.option_slots(Item("a", product, product.variant(drawing.rng), "P"))
            return drawing.fill([Command(verb, unknown=True)])
        chosen: list[Item] = []
        meant: list[Item] = []
        for slot in slots:
            item, candidates = drawing.item(verb, besides=chosen)
            if any(item.product.words & other.product.words for other in chosen):
                raise UnfitError
            drawing.slots[slot], left = drawing.call(item, candidates)
            if len(left) > 1 and (len(slots) > 1 or not either):
                raise UnfitError
            chosen.append(item)
            meant += left
        drawing.option_slots(chosen[0])
        return drawing.fill([_command(drawing, verb, meant, len(slots) == 1 and len(meant) > 1)])

    return read


def only(verb: str, *, together: bool = False) -> Reading:
    """One thing, and another one named that is to stay as it is; `together`: of one order."""

    def read(drawing: Drawing) -> Filled:
        if not drawing.scene.known:
            for slot in ("item", "item2"):
                drawing.slots[slot] = drawing.rng.choice(drawing.catalog.products).called(
                    drawing.language, drawing.rng
                )
            return drawing.fill([Command(verb)])
        item, candidates = drawing.item(verb)
        drawing.slots["item"], meant = drawing.call(item, candidates)
        kept, _ = drawing.item(verb, besides=[item])
        if len(meant) > 1 or kept.product.words & item.product.words:
            raise UnfitError
        if together and kept.order != item.order:
            raise UnfitError
        drawing.slots["item2"] = kept.product.called(drawing.language, drawing.rng)
        command = Command(verb, items=(item.handle,))
        if drawing.rng.random() < 0.5:
            return drawing.fill([command])
        proposed = [kept.handle] if drawing.rng.random() < 0.5 else sorted([item.handle, kept.handle])
        opened = f"cancel {item.order}" if verb == "drop" else f"{verb} {' '.join(proposed)}"
        return drawing.fill([command], opened=opened, last=opened, takes_context=False)

    return read


def _command(drawing: Drawing, verb: str, items: Sequence[Item], alternatives: bool) -> Command:
    if verb in ITEM_VERBS:
        return Command(verb, items=tuple(item.handle for item in items), alternatives=alternatives)
    orders = tuple(dict.fromkeys(item.order for item in items))
    return Command(verb, orders=orders, alternatives=alternatives and len(orders) > 1)


def about_number(verb: str, *, also_item: bool = False) -> Reading:
    def read(drawing: Drawing) -> Filled:
        if not drawing.scene.known:
            drawing.slots["order"] = drawing.number(None)
            drawing.slots["item"] = drawing.rng.choice(drawing.catalog.products).called(
                drawing.language, drawing.rng
            )
            return drawing.fill([Command(verb)])
        if drawing.rng.random() < 0.12:
            drawing.slots["order"] = drawing.number(None)
            drawing.slots["item"] = drawing.rng.choice(drawing.catalog.products).called(
                drawing.language, drawing.rng
            )
            return drawing.fill([Command(verb, unknown=True)])
        order = drawing.order(verb)
        drawing.slots["order"] = drawing.number(order)
        if not also_item:
            return drawing.fill([Command(verb, orders=(order.handle,))])
        item = drawing.rng.choice(order.items)
        drawing.slots["item"], meant = drawing.call(
            item, [i for i in order.items if i.product.words & item.product.words]
        )
        return drawing.fill([_command(drawing, verb, meant, len(meant) > 1)])

    return read


def bare(verb: str, **known: object) -> Reading:
    """A wish that names nothing, or a command that has nothing to name."""

    def read(drawing: Drawing) -> Filled:
        if drawing.has("order"):
            return about_number(verb)(drawing)
        return drawing.fill([Command(verb, **known)])  # type: ignore[arg-type]

    return read


def about_it(verb: str) -> Reading:
    def read(drawing: Drawing) -> Filled:
        if not drawing.scene.known:
            return drawing.fill([Command(verb)], last="status", takes_context=False)
        last, order, item = drawing.focus(verb)
        if item is not None and verb in ITEM_VERBS:
            command = Command(verb, items=(item.handle,))
        else:
            command = Command(verb, orders=(order.handle,))
        return drawing.fill([command], last=last, takes_context=False)

    return read


def about_city(verb: str) -> Reading:
    def read(drawing: Drawing) -> Filled:
        if not drawing.scene.known:
            drawing.slots["city"] = drawing.rng.choice(("Austin", "Boston", "Denver", "上海"))
            return drawing.fill([Command(verb)])
        order = drawing.order(verb)
        drawing.slots["city"] = order.city
        there = [o for o in drawing.scene.orders if o.city == order.city]
        fit = [o for o in there if o.status in FITTING.get(verb, ALL)]
        meant = fit if order in fit else there
        if len({o.city for o in drawing.scene.orders} | {drawing.scene.home}) < 2:
            raise UnfitError
        names = tuple(o.handle for o in meant)
        return drawing.fill([Command(verb, orders=names, alternatives=len(names) > 1)])

    return read


def all_orders(verb: str, statuses: Collection[str], **known: object) -> Reading:
    def read(drawing: Drawing) -> Filled:
        names = tuple(order.handle for order in drawing.scene.with_status(statuses))
        if drawing.scene.known and not names and verb == "status":
            return drawing.fill([Command("orders")])  # the list says that there are none
        return drawing.fill([Command(verb, orders=names, **known)])  # type: ignore[arg-type]

    return read


def whole_order(verb: str) -> Reading:
    """Everything of an order but an item."""

    def read(drawing: Drawing) -> Filled:
        if not drawing.scene.known:
            drawing.slots["item"] = drawing.rng.choice(drawing.catalog.products).called(
                drawing.language, drawing.rng
            )
            drawing.slots["order"] = drawing.number(None)
            return drawing.fill([Command(verb)])
        orders = [o for o in drawing.scene.with_status(FITTING[verb]) if len(o.items) > 1]
        if not orders:
            raise UnfitError
        order = drawing.rng.choice(orders)
        item = drawing.rng.choice(order.items)
        if any(i is not item and i.product.words & item.product.words for i in order.items):
            raise UnfitError
        drawing.slots["item"] = item.product.called(drawing.language, drawing.rng)
        drawing.slots["order"] = drawing.number(order)
        command = Command(verb, orders=(order.handle,), excluded=(item.handle,))
        if drawing.has("order"):
            return drawing.fill([command])
        elsewhere = [
            o
            for o in drawing.scene.orders
            if o is not order and any(i.product.words & item.product.words for i in o.items)
        ]
        if elsewhere:
            raise UnfitError
        return drawing.fill(
            [command], last=f"{drawing.rng.choice(('status', 'items', 'return'))} {order.handle}"
        )

    return read


def two_orders(drawing: Drawing) -> Filled:
    if drawing.has("order2"):
        if not drawing.scene.known:
            drawing.slots |= {"order": drawing.number(None), "order2": drawing.number(None)}
            return drawing.fill([Command("cancel")])
        if len(drawing.scene.orders) < 2:
            raise UnfitError
        first, second = drawing.rng.sample(drawing.scene.orders, 2)
        drawing.slots |= {"order": drawing.number(first), "order2": drawing.number(second)}
        return drawing.fill([Command("cancel", orders=(first.handle, second.handle))])
    return about_items("cancel", ("item", "item2"))(drawing)


def the_other_order(drawing: Drawing) -> Filled:
    pending = drawing.scene.with_status({"pending", "cancelled"})
    if len(pending) < 2:
        raise UnfitError
    before = drawing.rng.choice(pending)
    others = [o for o in drawing.scene.with_status({"pending"}) if o is not before]
    if not others:
        raise UnfitError
    names = tuple(o.handle for o in others)
    return drawing.fill(
        [Command("cancel", orders=names, alternatives=len(names) > 1)],
        last=f"cancel {before.handle}",
        takes_context=False,
    )


def like_another(drawing: Drawing) -> Filled:
    item, _ = drawing.item("swap")
    twins = [other for other in drawing.scene.items if other.product is item.product and other is not item]
    if len(twins) != 1 or twins[0].order == item.order:
        raise UnfitError
    target, model = item, twins[0]
    # "like the one I already received": the one that is delivered is the model, the other is changed.
    said = drawing.wording.text.lower()
    delivered = [i for i in (item, model) if drawing.scene.order_of(i).status == "delivered"]
    if re.search(r"receiv|got|deliver|arriv|收到|已经有|已有", said):
        if len(delivered) != 1:
            raise UnfitError
        model = delivered[0]
        target = twins[0] if model is item else item
    elif re.search(r"pending|on its way|coming|还没", said):
        raise UnfitError
    else:
        raise UnfitError
    drawing.slots["item"] = item.product.called(drawing.language, drawing.rng)
    return drawing.fill([Command("swap", items=(target.handle,), like=model.handle)])


def dearer_of_two(drawing: Drawing) -> Filled:
    item, _ = drawing.item("return")
    twins = [other for other in drawing.scene.items if other.product is item.product]
    if len(twins) < 2:
        raise UnfitError
    drawing.slots["item"] = item.product.called(drawing.language, drawing.rng)
    pick = "cheapest" if drawing.wording.tag == "cheapest" else "dearest"
    return drawing.fill(
        [Command("return", items=tuple(t.handle for t in twins), alternatives=True, pick=pick)]
    )


def dearest_price(drawing: Drawing) -> Filled:
    if not drawing.scene.known or drawing.rng.random() < 0.5:
        return drawing.fill([Command("price", pick="dearest")])
    order = drawing.rng.choice(drawing.scene.orders)
    return drawing.fill(
        [Command("price", orders=(order.handle,), pick="dearest")],
        last=f"items {order.handle}",
        takes_context=False,
    )


def price_of_each(drawing: Drawing) -> Filled:
    if not drawing.scene.known or drawing.rng.random() < 0.3:
        return drawing.fill([Command("price")])
    last, order, _ = drawing.focus("items")
    return drawing.fill([Command("price", orders=(order.handle,))], last=last, takes_context=False)


def all_but_one_order(drawing: Drawing) -> Filled:
    pending = drawing.scene.with_status({"pending"})
    if len(pending) < 2:
        raise UnfitError
    kept = drawing.rng.choice(pending)
    item = drawing.rng.choice(kept.items)
    if len({other.order for other in drawing.scene.same(item)}) > 1:
        raise UnfitError
    drawing.slots["item"] = item.product.called(drawing.language, drawing.rng)
    return drawing.fill([Command("cancel", orders=tuple(o.handle for o in pending if o is not kept))])


def repayment(drawing: Drawing) -> Filled:
    if not drawing.scene.known:
        drawing.slots["order"] = drawing.number(None)
        drawing.method_slot()
        return drawing.fill([Command("repay")])
    order = drawing.order("repay")
    drawing.slots["order"] = drawing.number(order)
    orders = (order.handle,) if drawing.has("order") else ()
    return drawing.fill([with_method(drawing, "repay", orders)])
