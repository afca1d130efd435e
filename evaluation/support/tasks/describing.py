"""How a customer names things: orders, items, options, payment methods and addresses, never by internal ids."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable, Sequence

from apps.support.shop.models import Address
from evaluation.support.tasks.customers import Customer, Item, Method, OwnOrder
from evaluation.support.tasks.hands import Hand

_OF_DEGREE = frozenset(
    ("low", "medium", "high", "large", "small", "full", "half", "light", "dark", "basic", "fixed", "standard")
)
_SHORT_NAMES = 1 / 3  # how often "Hiking Boots" are "boots"
_ALL_VALUES = 0.2
_BY_PRICE = 1 / 3
_TAILS_THAT_SAY_NOTHING = frozenset(("maker", "cleaner", "set", "kit", "bulb", "machine"))


class Descriptions:
    """One customer's way of naming. `numbers` are the order numbers that the customer knows or has read."""

    def __init__(
        self, customer: Customer, hand: Hand, rng: random.Random, numbers: Iterable[str] = ()
    ) -> None:
        self.customer, self.hand, self.rng = customer, hand, rng
        self.numbers = set(numbers)

    def order(self, number: str, *, without: Collection[str] = (), exact: bool = False) -> str:
        """An order by what is known of it: its number, what is in it (but `without`), where it goes, its state.

        `exact` says what tells it from all others.
        """
        order = self.customer.order(number)
        if number in self.numbers:
            return self.hand.say("order_number", self.rng, number=number)
        ways = []
        telling = [item for item in _different(order.items) if item.sku not in without]
        own = [item for item in telling if not self._elsewhere(item.product, number)]
        if own:
            ways.append(self.hand.say("order_items", self.rng, items=self.item(self.rng.choice(own), order)))
        others = [other for other in self.customer.orders if other.number != number]
        if order.address.city not in {other.address.city for other in others}:
            ways.append(self.hand.say("order_city", self.rng, city=order.address.city))
        if order.status not in {other.status for other in others}:
            ways.append(self.hand.say("order_only", self.rng, status=order.status.value))
        if ways and not (exact and not own and len(telling) > 1):
            return self.rng.choice(ways)
        items = self.items([item.sku for item in telling or order.items], order)
        return self.hand.say("order_items", self.rng, items=items)

    def from_order(self, number: str, skus: Collection[str]) -> str:
        return self.hand.say("from", self.rng, order=self.order(number, without=skus))

    def ambiguous(self, number: str, skus: Collection[str]) -> bool:
        """Whether other orders have such items, too."""
        products = {item.product for item in self.customer.order(number).items if item.sku in skus}
        return any(self._elsewhere(product, number) for product in products)

    def item(self, item: Item, order: OwnOrder, *, whole: bool = False) -> str:
        """By its name, and by what tells it from others of its name in the order."""
        alike = [other for other in order.items if other.product == item.product and other.sku != item.sku]
        name = item.product.lower()
        tail = name.rsplit(" ", 1)[-1]
        shared = any(
            other.product.lower().endswith(tail) for other in order.items if other.product != item.product
        )
        if (
            not whole
            and not shared
            and tail not in _TAILS_THAT_SAY_NOTHING
            and self.rng.random() < _SHORT_NAMES
        ):
            name = tail
        if alike:
            telling = [n for n, v in item.options.items() if any(o.options.get(n) != v for o in alike)]
            name = " ".join([*(self.value(item, option) for option in telling), name])
        return f"{self.hand.article}{name}"

    def items(self, skus: Sequence[str], order: OwnOrder, *, whole: bool = False) -> str:
        known = {item.sku: item for item in order.items}
        return joined([self.item(known[sku], order, whole=whole) for sku in dict.fromkeys(skus)])

    def option(self, old: Item, new: Item, *, whole: bool = False) -> str:
        """The wanted variant: by the values that differ, all values, its price, or as the same again."""
        if old.sku == new.sku:
            return self.hand.say("same", self.rng)
        offered = [i.price for i in self.customer.variants_of(new.product) if i.available or i.sku == old.sku]
        if not whole and self.rng.random() < _BY_PRICE:
            for extreme, word in ((min, "cheapest"), (max, "dearest")):
                if new.available and new.price == extreme(offered) and offered.count(new.price) == 1:
                    return self.hand.say(word, self.rng)
        differing = [name for name in new.options if new.options[name] != old.options.get(name)]
        names = list(new.options) if whole or self.rng.random() < _ALL_VALUES else differing
        values = joined([self.value(new, name) for name in names or new.options])
        if names == differing and self.rng.random() < 0.5:
            replaced = joined([self.value(old, name) for name in names if name in old.options])
            return self.hand.say("option_instead", self.rng, values=values, old=replaced)
        return self.hand.say("option", self.rng, values=values)

    def value(self, item: Item, name: str) -> str:
        """A value so that it is clear which option it is of: "clicky", "size 9", "no backlight"."""
        value = item.options[name]
        plain = value.casefold()
        if plain in ("yes", "true"):
            return name
        if plain in ("no", "false"):
            return f"no {name}" if " " in name else f"not {name}"
        if plain == "none":
            return f"no {name}"
        if value.isdigit() or len(value) <= 2:
            return f"{value} {name}" if name.endswith("s") else f"{name} {value}"
        variants = self.customer.variants_of(item.product)
        elsewhere = any(
            value == v.options.get(other) for v in variants for other in v.options if other != name
        )
        return f"{value} {name}" if elsewhere or plain in _OF_DEGREE else value

    def method(self, method_id: str) -> str:
        """Raises KeyError for a method that the customer does not have."""
        method = self.customer.methods[method_id]
        alike = [other for other in self.customer.methods.values() if other.kind == method.kind]
        kind = {"paypal": "PayPal"}.get(method.kind, method.kind.replace("_", " "))
        if len(alike) == 1:
            return f"my {kind}"
        return f"my {_brand(method, alike)}"

    def address(self, address: Address) -> str:
        return address.one_line()

    def _elsewhere(self, product: str, number: str) -> bool:
        return any(
            item.product == product
            for order in self.customer.orders
            if order.number != number
            for item in order.items
        )


def joined(parts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def numbers_in(text: str, customer: Customer) -> set[str]:
    """The customer's order numbers that a text shows."""
    return {
        o.number for o in customer.orders if re.search(rf"\b{re.escape(o.number)}\b", text, re.IGNORECASE)
    }


def _different(items: Iterable[Item]) -> list[Item]:
    return list({item.sku: item for item in items}.values())


def _brand(method: Method, alike: Sequence[Method]) -> str:
    same_brand = [other for other in alike if other.brand == method.brand]
    if method.brand and len(same_brand) == 1:
        return method.brand
    return f"{method.brand or method.kind.replace('_', ' ')} ending in {method.last_four or method.id[-4:]}"
