"""For each kind of message: the situation it fits, what fills its slots, and how it is to be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from apps.support.reading.commands import Command, write
from evaluation.reader_data.catalog import Catalog, Product, TypedAddress
from evaluation.reader_data.noise import keep
from evaluation.reader_data.scenes import Item, Order, Scene
from evaluation.reader_data.wordings import Wording

ALL = frozenset({"pending", "processed", "shipped", "delivered", "cancelled"})
FITTING: dict[str, frozenset[str]] = {
    "cancel": frozenset({"pending"}),
    "drop": frozenset({"pending"}),
    "readdress": frozenset({"pending"}),
    "repay": frozenset({"pending"}),
    "return": frozenset({"delivered"}),
    "problem": frozenset({"delivered"}),
    "lost": frozenset({"delivered", "shipped"}),
    "swap": frozenset({"pending", "delivered"}),
    "status": frozenset({"pending", "processed", "shipped"}),
    "late": frozenset({"pending", "processed", "shipped"}),
    "tracking": frozenset({"processed", "shipped", "delivered"}),
    "refund": frozenset({"cancelled", "delivered"}),
}
"""The states in which a wish makes sense: of two orders with the same thing, that one is meant."""
ITEM_VERBS = frozenset({"return", "swap", "drop", "problem", "price"})
_DEAREST = re.compile(
    r"expensive|dear|pric(?:e|i)est|pricey|best|premium|top|highest|deluxe|fanc|luxur|most money|贵|貴|最好|高",
    re.I,
)
_CHEAPEST = re.compile(
    r"cheap|least|lowest|afford|inexpensive|budget|economical|less|save|便宜|划算|最低|省", re.I
)


class UnfitError(Exception):
    """The situation has nothing that this kind of message could be about."""


@dataclass
class Filled:
    """A message and how it is to be read."""

    text: str  # with marks around what noise must leave alone
    commands: list[Command]
    last: str = ""
    opened: str = ""
    asked: str = ""
    product: str = ""
    address: TypedAddress | None = None
    takes_context: bool = True  # it means the same whatever is open or was said before


@dataclass
class Drawing:
    """One drawing of a message for a scene."""

    scene: Scene
    catalog: Catalog
    wording: Wording
    rng: Random
    slots: dict[str, str] = field(default_factory=dict)

    @property
    def language(self) -> str:
        return self.wording.language

    def has(self, slot: str) -> bool:
        return f"{{{slot}}}" in self.wording.text

    # -- things of the scene ------------------------------------------------------------------------------

    def item(self, verb: str, *, besides: Collection[Item] = ()) -> tuple[Item, list[Item]]:
        """An item that the wish fits, and all that its name could mean within what fits."""
        fitting = FITTING.get(verb, ALL)
        pool = [item for item in self.scene.items if item not in besides]
        likely = [item for item in pool if self.scene.order_of(item).status in fitting]
        if likely and self.rng.random() < 0.88:
            pool = likely
        if not pool:
            raise UnfitError
        chosen = self.rng.choice(pool)
        named = [other for other in self.scene.same(chosen) if other not in besides]
        fit = [other for other in named if self.scene.order_of(other).status in fitting]
        return chosen, fit if chosen in fit else named

    def call(self, item: Item, meant: list[Item]) -> tuple[str, list[Item]]:
        """A name for the item, more exact where several could be meant (mostly), and what it leaves open."""
        name = item.product.called(self.language, self.rng)
        if len(meant) == 1:
            return name, meant
        own = [
            (o, v)
            for o, v in item.variant.items()
            if all(other.variant.get(o) != v for other in meant if other is not item)
        ]
        if own and self.rng.random() < 0.65:
            option, value = self.rng.choice(own)
            said = self.catalog.say_value(option, value, self.language, self.rng)
            return (f"{said}的{name}" if self.language == "zh" else f"{said} {name}"), [item]
        if any(other.product is not item.product for other in meant):
            raise UnfitError  # "shoes" may be two things: too doubtful to teach
        return name, meant

    def order(self, verb: str) -> Order:
        fitting = self.scene.with_status(FITTING.get(verb, ALL))
        pool = fitting if fitting and self.rng.random() < 0.85 else self.scene.orders
        if not pool:
            raise UnfitError
        return self.rng.choice(pool)

    def other_product(self) -> Product:
        """A product that the customer has not ordered."""
        product = self.rng.choice(self.catalog.products)
        if any(item.product.words & product.words for item in self.scene.items):
            raise UnfitError
        return product

    def number(self, order: Order | None) -> str:
        """An order's number as the reader sees it."""
        if not self.scene.known:
            return keep("#")
        return keep(f"#{order.handle}" if order else "#?")

    def focus(self, verb: str) -> tuple[str, Order, Item | None]:
        """What was talked about before: the line `last`, its order, and the item where it was one."""
        order = self.order(verb)
        if verb in ITEM_VERBS and self.rng.random() < 0.5:
            item = self.rng.choice(order.items)
            before = self.rng.choice(("price", "problem", "swap", "return"))
            return f"{before if before != verb else 'price'} {item.handle}", order, item
        before = self.rng.choice(("status", "tracking", "items", "total", "placed"))
        return f"{before} {order.handle}", order, None

    # -- filling ------------------------------------------------------------------------------------------

    def fill(self, commands: Sequence[Command], **more: object) -> Filled:
        text = re.sub(r"\{(\w+)\??\}", lambda match: self._slot(match[1]), self.wording.text)
        text = text.replace("##", "#").replace("#\ue000#", "\ue000#")
        return Filled(text, list(commands), **more)  # type: ignore[arg-type]

    def _slot(self, name: str) -> str:
        if name not in self.slots:
            raise UnfitError
        return self.slots[name]

    def say_value(self, option: str, value: str) -> str:
        return self.catalog.say_value(option, value, self.language, self.rng)

    def describe(self, values: dict[str, str]) -> str:
        """Several values in one phrase."""
        said = [self.say_value(option, value) for option, value in values.items()]
        self.rng.shuffle(said)
        if self.language == "zh":
            return "、".join(said)
        joint = self.rng.choice((", ", ", ", " and ", " "))
        return (
            joint.join(said[:-1])
            + (joint if joint != ", " else " and " if self.rng.random() < 0.4 else ", ")
            + said[-1]
            if len(said) > 1
            else said[0]
        )

    def option_slots(self, item: Item, suffix: str = "") -> None:
        """{options}, {new}, {old}, {dim} about another variant of the item; UnfitError where it has no options."""
        free = [option for option, values in item.product.options.items() if len(values) > 1]
        needed = [slot for slot in ("options", "new", "old", "dim", "new2") if self.has(slot)]
        if not needed:
            return
        if not free:
            raise UnfitError
        option = self.rng.choice(free)
        new = self.rng.choice([v for v in item.product.options[option] if v != item.variant[option]])
        self.slots.setdefault("new", self.say_value(option, new))
        self.slots.setdefault("old", self.say_value(option, item.variant[option]))
        self.slots.setdefault("new2", self.say_value(option, self.rng.choice(item.product.options[option])))
        others = [o for o in free if o != option]
        self.slots.setdefault("dim", self.rng.choice(others or free))
        wanted = dict(item.variant)
        for o in self.rng.sample(free, self.rng.randint(1, len(free))):
            wanted[o] = self.rng.choice(item.product.options[o])
        shown = {o: wanted[o] for o in self.rng.sample(free, self.rng.randint(1, min(3, len(free))))}
        self.slots.setdefault("options", self.describe(shown))
        del suffix

    def method_slot(self) -> tuple[str, ...] | None:
        """Set {method}; the handles it means, None where the customer has no such method."""
        kind = self.rng.choice(("paypal", "card", "gift card", *(kind for kind, _ in self.scene.methods)))
        zh = self.language == "zh"
        cards = [
            n for n, (k, _) in enumerate(self.scene.methods, 1) if k in ("visa", "mastercard", "amex", "card")
        ]
        if kind in ("visa", "mastercard", "amex") and self.rng.random() < 0.6:
            self.slots["method"] = self.rng.choice((kind, kind.title(), f"{kind} card"))
            found = [n for n, (k, _) in enumerate(self.scene.methods, 1) if k == kind]
        elif kind in ("visa", "mastercard", "amex", "card"):
            digits = [label.split()[-1] for _, label in self.scene.methods if label.split()[-1].isdigit()]
            if digits and self.rng.random() < 0.35:
                last = self.rng.choice(digits)
                self.slots["method"] = (
                    f"尾号{last}的卡" if zh else self.rng.choice((f"card ending in {last}", f"{last} card"))
                )
                found = [n for n, (_, label) in enumerate(self.scene.methods, 1) if label.endswith(last)]
            else:
                self.slots["method"] = self.rng.choice(
                    ("信用卡", "银行卡", "卡") if zh else ("credit card", "card", "debit card")
                )
                found = cards
        elif kind == "gift card":
            self.slots["method"] = self.rng.choice(
                ("礼品卡", "gift card") if zh else ("gift card", "giftcard", "GC", "store gift card")
            )
            found = [n for n, (k, _) in enumerate(self.scene.methods, 1) if k == kind]
        else:
            names = {
                "paypal": ("PayPal", "paypal"),
                "alipay": ("Alipay", "支付宝"),
                "wechat": ("WeChat Pay", "微信"),
            }
            self.slots["method"] = self.rng.choice(names[kind])
            found = [n for n, (k, _) in enumerate(self.scene.methods, 1) if k == kind]
        return tuple(map(str, found)) or None


Reading = Callable[[Drawing], Filled]


def with_method(drawing: Drawing, verb: str, orders: tuple[str, ...] = ()) -> Command:
    """`with 2`, or what is left of it where it is unclear or not there."""
    found = drawing.method_slot()
    if not drawing.scene.known:
        return Command(verb)
    if found is None:
        return Command(verb, orders=orders, unknown=True)
    return Command(verb, orders=orders, methods=found, alternatives=len(found) > 1)


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
        if len(slots) == 1 and drawing.rng.random() < 0.06:
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


def address_change(place: str | None, *, by_item: bool = False) -> Reading:
    """An order's address: given in the message, the account's, another order's, or not said."""

    def read(drawing: Drawing) -> Filled:
        address = drawing.rng.choice(drawing.catalog.addresses)
        if place == "given":
            drawing.slots["address"] = keep(address.text)
        known: dict[str, object] = {"to": place} if place else {}
        if by_item:
            filled = about_items("readdress", either=False)(drawing)
            filled.commands = [replace(filled.commands[0], to=place)]
        elif drawing.has("order"):
            filled = about_number("readdress")(drawing)
            filled.commands = [replace(filled.commands[0], to=place)]
        elif drawing.scene.known and drawing.rng.random() < 0.5:
            last, order, _ = drawing.focus("readdress")
            last = last if last[-1].isupper() else f"status {order.handle}"
            filled = drawing.fill([Command("readdress", **known)], last=last)  # type: ignore[arg-type]
        else:
            filled = drawing.fill([Command("readdress", **known)])  # type: ignore[arg-type]
        filled.address = address if place == "given" else None
        return filled

    return read


def address_of_other_order(drawing: Drawing) -> Filled:
    if not drawing.scene.known:
        drawing.slots["order"] = drawing.number(None)
        return drawing.fill([Command("readdress")])
    pending = drawing.scene.with_status({"pending"})
    if not pending or len(drawing.scene.orders) < 2:
        raise UnfitError
    order = drawing.rng.choice(pending)
    others = [o for o in drawing.scene.orders if o is not order]
    if drawing.has("order"):
        other = drawing.rng.choice(others)
        drawing.slots["order"] = drawing.number(other)
    elif len(others) == 1:
        other = others[0]
    else:
        raise UnfitError
    return drawing.fill(
        [Command("readdress", orders=(order.handle,), to=other.handle)],
        last=f"status {order.handle}",
        takes_context=False,
    )


def address_by_cities(drawing: Drawing) -> Filled:
    """My Austin order should go to my Boston address."""
    pending = drawing.scene.with_status({"pending"})
    if not pending:
        raise UnfitError
    order = drawing.rng.choice(pending)
    places = {o.city: o.handle for o in drawing.scene.orders if o.city != order.city}
    if drawing.scene.home and drawing.scene.home != order.city:
        places[drawing.scene.home] = "home"
    if not places or sum(o.city == order.city for o in pending) != 1:
        raise UnfitError
    city, place = drawing.rng.choice(sorted(places.items()))
    drawing.slots |= {"city": order.city, "city2": city}
    return drawing.fill([Command("readdress", orders=(order.handle,), to=place)])


def home_city(drawing: Drawing) -> Filled:
    orders = [o for o in drawing.scene.orders if o.city != drawing.scene.home]
    if not orders:
        raise UnfitError
    order = drawing.rng.choice(orders)
    first = next(o for o in drawing.scene.orders if o.city == order.city)
    drawing.slots["city"] = order.city
    return drawing.fill([Command("home", to=first.handle)])


def home_change(place: str | None) -> Reading:
    def read(drawing: Drawing) -> Filled:
        if place == "given":
            address = drawing.rng.choice(drawing.catalog.addresses)
            drawing.slots["address"] = keep(address.text)
            return drawing.fill([Command("home", to="given")], address=address)
        if place is None:
            return drawing.fill([Command("home")])
        if not drawing.scene.known:
            return drawing.fill([Command("home")])
        order = drawing.rng.choice(drawing.scene.orders)
        last = f"{drawing.rng.choice(('status', 'shipsto', 'readdress'))} {order.handle}"
        return drawing.fill([Command("home", to=order.handle)], last=last, takes_context=False)

    return read


def all_addresses(drawing: Drawing) -> Filled:
    pending = tuple(order.handle for order in drawing.scene.with_status({"pending"}))
    if drawing.wording.tag == "given":
        address = drawing.rng.choice(drawing.catalog.addresses)
        drawing.slots["address"] = keep(address.text)
        return drawing.fill([Command("readdress", orders=pending, to="given")], address=address)
    return drawing.fill([Command("readdress", orders=pending, to="home")])


def address_answer(drawing: Drawing) -> Filled:
    address = drawing.rng.choice(drawing.catalog.addresses)
    drawing.slots["address"] = keep(address.text)
    if drawing.rng.random() < 0.3 or not drawing.scene.known:
        return drawing.fill(
            [Command("home", to="given")], asked="home to ?", address=address, takes_context=False
        )
    order = drawing.order("readdress")
    command = Command("readdress", orders=(order.handle,), to="given")
    return drawing.fill(
        [command], asked=f"readdress {order.handle} to ?", address=address, takes_context=False
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


# -- answers to a question or a proposal ----------------------------------------------------------------------


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


_DEEDS: dict[str, re.Pattern[str]] = {
    "cancel": re.compile(r"\bcancel|\bcall (?:it |the order )?off|取消|撤单", re.I),
    "return": re.compile(r"\breturn|\bsend (?:it|them|that|those) back|refund|退货|退貨|退掉|退了", re.I),
    "swap": re.compile(r"\bexchang|\bswap|\bswitch|\breplac|更换|換貨|换货|换成|調換|换吧|换掉", re.I),
    "readdress": re.compile(r"\baddress|\bdeliver|寄到|地址", re.I),
    "newsletter": re.compile(r"newsletter|subscri|订阅|訂閱", re.I),
}


def draw_proposal(drawing: Drawing) -> str:
    """Something that the customer was asked to agree to; what the message calls it by, where it does."""
    named = [verb for verb, words in _DEEDS.items() if words.search(drawing.wording.text)]
    if not drawing.scene.known:
        return drawing.rng.choice(named or ["cancel", "return", "swap", "readdress", "newsletter"])
    verb = drawing.rng.choice(
        named or ["cancel", "return", "return", "swap", "swap", "readdress", "home", "repay", "newsletter"]
    )
    if verb == "newsletter":
        return "newsletter"
    if verb == "home":
        return f"home to {drawing.rng.choice(['given', *(o.handle for o in drawing.scene.orders)])}"
    order = drawing.order(verb)
    if verb == "readdress":
        return f"readdress {order.handle} to {drawing.rng.choice(('given', 'home'))}"
    method = f" with {drawing.rng.randint(1, len(drawing.scene.methods))}"
    if verb == "repay":
        return f"repay {order.handle}{method}"
    if verb == "cancel":
        return f"cancel {order.handle}"
    items = drawing.rng.sample(order.items, drawing.rng.randint(1, len(order.items)))
    tail = f";{method}" if drawing.rng.random() < 0.2 else ""
    return f"{verb} {' '.join(sorted(i.handle for i in items))}{tail}"


def answer(verb: str) -> Reading:
    """Yes, no, a pause, or a question about what is proposed."""

    def read(drawing: Drawing) -> Filled:
        drawing.slots["price"] = f"${drawing.rng.randrange(5, 600)}.{drawing.rng.randrange(100):02d}"
        opened = draw_proposal(drawing)
        last = opened if drawing.rng.random() < 0.6 else ""
        commands = [Command(verb)]
        if drawing.has("method"):
            method = with_method(drawing, "with")
            if drawing.scene.known:
                commands.append(method)
        return drawing.fill(commands, opened=opened, last=last, takes_context=False)

    return read


def _open_items(drawing: Drawing, least: int) -> tuple[str, Order, list[Item]]:
    verb = drawing.rng.choice(("return", "return", "swap"))
    orders = [o for o in drawing.scene.with_status(FITTING[verb]) if len(o.items) >= least]
    if not orders:
        raise UnfitError
    order = drawing.rng.choice(orders)
    names = [item.product.name for item in order.items]
    if len(set(names)) < len(names):
        raise UnfitError
    return verb, order, order.items


def correct_not(drawing: Drawing) -> Filled:
    """Several things are proposed, or just the one that is to be kept: the rest is meant."""
    verb, order, items = _open_items(drawing, 2)
    if len(items) > 2 and drawing.rng.random() < 0.5:
        proposed = drawing.rng.sample(items, drawing.rng.randint(2, len(items)))
    else:
        proposed = [drawing.rng.choice(items)]
    kept = drawing.rng.choice(proposed)
    _require_unique(drawing, kept, order)
    drawing.slots["item"] = kept.product.called(drawing.language, drawing.rng)
    opened = f"{verb} {' '.join(i.handle for i in items if i in proposed)}"
    command = Command(verb, orders=(order.handle,), excluded=(kept.handle,))
    if 1 < len(proposed) < len(items):
        command = Command(verb, items=tuple(i.handle for i in items if i in proposed and i is not kept))
    return drawing.fill([command], opened=opened, last=opened, takes_context=False)


def correct_only(drawing: Drawing) -> Filled:
    verb, order, items = _open_items(drawing, 2)
    proposed = drawing.rng.sample(items, drawing.rng.randint(2, len(items)))
    meant = drawing.rng.choice(proposed)
    _require_unique(drawing, meant, order)
    drawing.slots["item"] = meant.product.called(drawing.language, drawing.rng)
    opened = f"{verb} {' '.join(i.handle for i in items if i in proposed)}"
    return drawing.fill(
        [Command(verb, items=(meant.handle,))], opened=opened, last=opened, takes_context=False
    )


def correct_add(drawing: Drawing) -> Filled:
    verb, order, items = _open_items(drawing, 2)
    proposed = drawing.rng.sample(items, drawing.rng.randint(1, len(items) - 1))
    more = drawing.rng.choice([i for i in items if i not in proposed])
    _require_unique(drawing, more, order)
    drawing.slots["item"] = more.product.called(drawing.language, drawing.rng)
    names = [i.handle for i in items if i in proposed]
    opened = f"{verb} {' '.join(names)}"
    command = Command(verb, items=tuple(sorted([*names, more.handle])))
    return drawing.fill([command], opened=opened, last=opened, takes_context=False)


def correct_instead(drawing: Drawing) -> Filled:
    verb, order, items = _open_items(drawing, 2)
    wrong, meant = drawing.rng.sample(items, 2)
    _require_unique(drawing, meant, order)
    drawing.slots["item"] = meant.product.called(drawing.language, drawing.rng)
    opened = f"{verb} {wrong.handle}"
    return drawing.fill(
        [Command(verb, items=(meant.handle,))], opened=opened, last=opened, takes_context=False
    )


def correct_order(drawing: Drawing) -> Filled:
    verb = drawing.rng.choice(("cancel", "cancel", "readdress"))
    pending = drawing.scene.with_status({"pending"})
    if len(pending) < 2:
        raise UnfitError
    wrong = drawing.rng.choice(pending)
    names = tuple(o.handle for o in pending if o is not wrong)
    place = drawing.rng.choice(("given", "home")) if verb == "readdress" else None
    opened = f"{verb} {wrong.handle}" + (f" to {place}" if place else "")
    command = Command(verb, orders=names, alternatives=len(names) > 1, to=place)
    return drawing.fill([command], opened=opened, last=opened, takes_context=False)


def correct_option(drawing: Drawing) -> Filled:
    item, _ = drawing.item("swap")
    drawing.option_slots(item)
    opened = f"swap {item.handle}"
    return drawing.fill(
        [Command("swap", items=(item.handle,))], opened=opened, last=opened, takes_context=False
    )


def correct_method(drawing: Drawing) -> Filled:
    opened = draw_proposal(drawing)
    if opened.startswith(("newsletter", "home", "readdress")):
        raise UnfitError
    command = with_method(drawing, "with")
    return drawing.fill([command], opened=opened, last=opened, takes_context=False)


def correct_verb(verb: str) -> Reading:
    def read(drawing: Drawing) -> Filled:
        if verb == "swap" and drawing.rng.random() < 0.5:
            order = drawing.order("cancel")
            opened, command = f"cancel {order.handle}", Command("swap", orders=(order.handle,))
            if len(order.items) == 1:
                command = Command("swap", items=(order.items[0].handle,))
        else:
            item, _ = drawing.item("return")
            opened = f"{'return' if verb == 'swap' else 'swap'} {item.handle}"
            command = Command(verb, items=(item.handle,))
        return drawing.fill([command], opened=opened, last=opened, takes_context=False)

    return read


def _require_unique(drawing: Drawing, item: Item, order: Order) -> None:
    if any(other is not item and other.product.words & item.product.words for other in order.items):
        raise UnfitError


# -- products ---------------------------------------------------------------------------------------------------


def about_product(verb: str) -> Reading:
    def read(drawing: Drawing) -> Filled:
        product = drawing.rng.choice(drawing.catalog.products)
        drawing.slots["product"] = drawing.slots["item"] = keep(product.called(drawing.language, drawing.rng))
        drawing.option_slots(Item("a", product, product.variant(drawing.rng), "P"))
        if not (drawing.has("product") or drawing.has("item")):
            return drawing.fill([Command(verb)])
        return drawing.fill([Command(verb, words="…")])  # the words are taken from the message as it is typed

    return read


def about_that_product(drawing: Drawing) -> Filled:
    product = drawing.rng.choice(drawing.catalog.products)
    drawing.option_slots(Item("a", product, product.variant(drawing.rng), "P"))
    name = product.name_zh if drawing.language == "zh" else product.name
    return drawing.fill([Command("product")], product=name, last="product", takes_context=False)


def harmless(drawing: Drawing) -> Filled:
    tag, _, words = drawing.wording.tag.partition(":")
    words = words.strip()
    if tag == "product":
        if words not in drawing.wording.text or not words:
            raise UnfitError
        drawing.wording = replace(drawing.wording, text=drawing.wording.text.replace(words, keep(words), 1))
        return drawing.fill([Command("product", words="…")])
    if tag in ("status", "thanks", "return", "problem", "none", "cancel", "swap", "warranty"):
        return drawing.fill([Command(tag)])
    raise UnfitError


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


def repayment(drawing: Drawing) -> Filled:
    if not drawing.scene.known:
        drawing.slots["order"] = drawing.number(None)
        drawing.method_slot()
        return drawing.fill([Command("repay")])
    order = drawing.order("repay")
    drawing.slots["order"] = drawing.number(order)
    orders = (order.handle,) if drawing.has("order") else ()
    return drawing.fill([with_method(drawing, "repay", orders)])


def payment_wish(drawing: Drawing) -> Filled:
    command = with_method(drawing, "with")
    asked = ""
    opened = draw_proposal(drawing) if drawing.rng.random() < 0.5 else ""
    if drawing.scene.known and len(drawing.scene.methods) > 1 and drawing.rng.random() < 0.3:
        asked, opened = f"with {' or '.join(str(n) for n in range(1, len(drawing.scene.methods) + 1))}", ""
    return drawing.fill([command], opened=opened, asked=asked, takes_context=False)


def _simple() -> dict[str, Reading]:
    found: dict[str, Reading] = {}
    for verb in (
        "status",
        "tracking",
        "items",
        "total",
        "shipsto",
        "placed",
        "payment",
        "refund",
        "invoice",
    ):
        found[f"{verb}.bare"] = bare(verb)
        found[f"{verb}.number"] = about_number(verb)
        found[f"{verb}.item"] = about_items(verb)
    for how in ("bare", "item"):
        found[f"late.{how}"] = found[f"status.{how}"]  # what is late is told by its state
    for verb in (
        "greet",
        "thanks",
        "bye",
        "who",
        "person",
        "anger",
        "danger",
        "law",
        "none",
        "unclear",
        "again",
        "undo",
        "photo",
    ):
        found[verb] = bare(verb)
    for verb in ("yes", "no", "wait", "about"):
        found[verb] = answer(verb)
    return found


READINGS: dict[str, Reading] = {
    **_simple(),
    "cancel.item": about_items("cancel"),
    "cancel.number": about_number("cancel"),
    "cancel.bare": bare("cancel"),
    "cancel.it": about_it("cancel"),
    "cancel.all": all_orders("cancel", {"pending"}),
    "cancel.city": about_city("cancel"),
    "cancel.two": two_orders,
    "cancel.other": the_other_order,
    "cancel.mistake": about_items("cancel"),
    "cancel.all_but": all_but_one_order,
    "drop.item": about_items("drop"),
    "partial.possible": bare("drop"),
    "return.item": about_items("return"),
    "return.two": about_items("return", ("item", "item2")),
    "return.office": about_items("return", ("item", "item2", "item3")),
    "return.number": about_number("return"),
    "return.both_named": about_number("return", also_item=True),
    "return.bare": bare("return"),
    "return.it": about_it("return"),
    "return.all_but": whole_order("return"),
    "return.reason": about_items("return"),
    "dearest.return": dearer_of_two,
    "problem.item": about_items("problem"),
    "problem.bare": bare("problem"),
    "lost.item": about_items("lost"),
    "swap.options": about_items("swap"),
    "swap.new": about_items("swap"),
    "swap.instead": about_items("swap"),
    "swap.not": about_items("swap"),
    "swap.item": about_items("swap"),
    "swap.two": about_items("swap", ("item", "item2")),
    "swap.two_options": about_items("swap", ("item", "item2")),
    "swap.number": about_number("swap"),
    "swap.bare": bare("swap"),
    "swap.cheapest": about_items("swap"),
    "swap.dearest": about_items("swap"),
    "swap.same": about_items("swap"),
    "swap.keep": about_items("swap"),
    "swap.any": about_items("swap"),
    "swap.bigger": about_items("swap"),
    "swap.prefer": about_items("swap"),
    "swap.cheapest_new": about_items("swap"),
    "option.cheapest_new": option_answer,
    "product.cheapest_new": about_product("product"),
    "swap.like": like_another,
    "option.values": option_answer,
    "option.new": option_answer,
    "option.cheapest": option_answer,
    "option.nth": option_answer,
    "option.price": option_answer,
    "option.same": option_answer,
    "option.not": option_answer,
    "option.prefer": option_answer,
    "option.any": option_answer,
    "readdress.given": address_change("given"),
    "readdress.item": address_change("given", by_item=True),
    "readdress.bare": address_change(None),
    "readdress.profile": address_change("home"),
    "readdress.other": address_of_other_order,
    "readdress.city": address_by_cities,
    "home.given": home_change("given"),
    "home.order": home_change("order"),
    "home.bare": home_change(None),
    "home.city": home_city,
    "all.readdress": all_addresses,
    "address.only": address_answer,
    "status.city": about_city("status"),
    "status.all": bare("orders"),
    "orders.list": bare("orders"),
    "price.item": about_items("price"),
    "price.each": price_of_each,
    "price.dearest": dearest_price,
    "balance.card": bare("balance"),
    "sum.back": bare("sum"),
    "sum.spent": bare("spent"),
    "profile.show": bare("profile"),
    "repay.bare": repayment,
    "with.method": payment_wish,
    "split.payment": bare("split"),
    "product.price": about_product("product"),
    "product.stock": about_product("product"),
    "product.option": about_product("product"),
    "product.cheapest": about_product("product"),
    "product.count": about_product("product"),
    "product.recommend": about_product("product"),
    "product.it": about_that_product,
    "restock": about_product("product"),
    "warranty.product": about_product("warranty"),
    "yes.method": answer("yes"),
    "yes.price": answer("yes"),
    "yes.thanks": answer("yes"),
    "no.reason": answer("no"),
    "pick.item": pick_items(("item",)),
    "pick.two": pick_items(("item", "item2")),
    "pick.both": pick_count(2),
    "pick.all": pick_count(None),
    "pick.nth": pick_nth,
    "pick.order_item": pick_order("item"),
    "pick.order_city": pick_order("city"),
    "pick.order_number": pick_order("number"),
    "pick.any": pick_unknown,
    "correct.not_item": correct_not,
    "correct.only": correct_only,
    "correct.add": correct_add,
    "correct.instead": correct_instead,
    "correct.order": correct_order,
    "correct.option": correct_option,
    "correct.method": correct_method,
    "correct.verb_return": correct_verb("return"),
    "correct.verb_swap": correct_verb("swap"),
    "harmless.alarm": harmless,
    "identify": identity,
    "other.person": bare("other"),
    "lang": bare("language"),
    "promise": bare("exception"),
}


def reading_of(kind: str) -> Reading:
    """How messages of this kind are read. Raises KeyError for a kind that there is not."""
    if kind.startswith("ask."):
        return bare("ask", topic=kind.removeprefix("ask."))
    return READINGS[kind]


def is_dearest(text: str) -> bool:
    """Whether a message of a kind with two ends asks for the dear one."""
    return _CHEAPEST.search(text) is None and _DEAREST.search(text) is not None


__all__ = ["Drawing", "Filled", "UnfitError", "is_dearest", "reading_of", "write"]
