"""One drawing of a message for a situation: what it names, what fills its slots, and how it is to be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from random import Random

from apps.support.reading.commands import Command
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

    def option_slots(self, item: Item) -> None:
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
