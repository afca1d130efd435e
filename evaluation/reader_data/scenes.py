"""A customer's situation: orders with items, ways to pay, and what was said before."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from random import Random

from apps.support.reading.view import ITEM_HANDLES, ORDER_HANDLES, ItemView, OrderView, View
from evaluation.reader_data.catalog import Catalog, Product

STATUSES = ("pending", "processed", "shipped", "delivered", "cancelled")
_STATUS_WEIGHTS = (34, 8, 14, 36, 8)
CITIES = (
    "Austin", "Boston", "Chicago", "Denver", "Houston", "Seattle", "Phoenix", "New York", "Los Angeles",
    "San Diego", "Washington", "Fort Worth", "Jacksonville", "Charlotte", "Columbus", "Dallas", "London",
    "Leeds", "Berlin", "Hamburg", "Vienna", "Zurich", "Mumbai", "Pune", "Singapore", "Sydney", "Toronto",
    "上海", "北京", "深圳", "杭州", "成都", "台北", "香港",
)  # fmt: skip
_CARDS = ("visa", "mastercard", "amex", "card")


@dataclass
class Item:
    handle: str
    product: Product
    variant: dict[str, str]
    order: str


@dataclass
class Order:
    handle: str
    status: str
    city: str
    items: list[Item]


@dataclass
class Scene:
    """One customer at one moment."""

    known: bool
    language: str
    orders: list[Order] = field(default_factory=list)
    methods: list[tuple[str, str]] = field(default_factory=list)  # (kind, as the view names it)
    home: str = ""

    @property
    def items(self) -> list[Item]:
        return [item for order in self.orders for item in order.items]

    def order_of(self, item: Item) -> Order:
        return next(order for order in self.orders if order.handle == item.order)

    def same(self, item: Item) -> list[Item]:
        """The items that the item's name could mean, itself among them."""
        return [other for other in self.items if other.product.words & item.product.words]

    def with_status(self, statuses: Collection[str]) -> list[Order]:
        return [order for order in self.orders if order.status in statuses]

    def view(self, *, last: str = "", opened: str = "", asked: str = "", product: str = "") -> View:
        if not self.known:
            return View(last=last, open=opened, asked=asked, product=product)
        cities = {order.city for order in self.orders} | {self.home}
        orders = tuple(
            OrderView(
                order.handle,
                order.status,
                order.city if len(cities) > 1 else "",
                tuple(ItemView(item.handle, self._name(item), self._options(item)) for item in order.items),
            )
            for order in self.orders
        )
        methods = tuple(label for _, label in self.methods)
        home = self.home if len(cities) > 1 else ""
        return View(True, orders, methods, home, last, opened, asked, product)

    def _name(self, item: Item) -> str:
        return item.product.name_zh if self.language == "zh" and item.product.name_zh else item.product.name

    def _options(self, item: Item) -> str:
        twins = [other for other in self.items if other.product is item.product]
        return ", ".join(item.variant.values()) if len(twins) > 1 else ""


def draw_scene(catalog: Catalog, language: str, rng: Random, *, known: bool) -> Scene:
    """A customer with one to six orders, most of them with different things in them."""
    if not known:
        return Scene(False, language)
    count = rng.choices((1, 2, 3, 4, 5, 6), (20, 28, 24, 15, 8, 5))[0]
    letters = iter(ITEM_HANDLES)
    products = rng.sample(catalog.products, 30)
    orders: list[Order] = []
    left = len(ITEM_HANDLES)
    cities = rng.sample(CITIES, 3)
    for handle in ORDER_HANDLES[:count]:
        wanted = min(left, rng.choices((1, 2, 3, 4, 5), (35, 27, 20, 11, 7))[0])
        items: list[Item] = []
        for _ in range(wanted):
            product = products.pop()
            earlier = [item.product for order in orders for item in order.items] + [i.product for i in items]
            if earlier and rng.random() < 0.08:
                product = rng.choice(earlier)  # bought twice, perhaps in another colour
            items.append(Item(next(letters), product, product.variant(rng), handle))
        left -= len(items)
        status = rng.choices(STATUSES, _STATUS_WEIGHTS)[0]
        city = cities[0] if rng.random() < 0.65 else rng.choice(cities)
        if items:
            orders.append(Order(handle, status, city, items))
    return Scene(True, language, orders, _draw_methods(rng), cities[0] if rng.random() < 0.7 else cities[1])


def _draw_methods(rng: Random) -> list[tuple[str, str]]:
    methods: list[tuple[str, str]] = []
    for _ in range(rng.choices((0, 1, 2), (20, 60, 20))[0]):
        brand = rng.choice(_CARDS)
        methods.append((brand, f"{brand} {rng.randrange(1000, 10_000)}"))
    if rng.random() < 0.55:
        methods.append(("paypal", "PayPal"))
    if rng.random() < 0.45:
        methods.append(("gift card", "gift card"))
    if rng.random() < 0.1:
        methods.append(rng.choice((("alipay", "Alipay"), ("wechat", "WeChat Pay"))))
    rng.shuffle(methods)
    return methods or [("card", f"card {rng.randrange(1000, 10_000)}")]
