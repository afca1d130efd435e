"""The shop's products and their options as messages name them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.shop.models import Product

MOST_PRODUCTS = 3

_NO_KIND = frozenset({"order", "card", "case", "book", "light", "set", "kit", "cover", "delivery", "time"})
_NO_CHINESE_KIND = frozenset({"套装", "用品", "礼品", "产品", "商品", "订单", "包裹", "地址", "支架"})
_CHINESE_OPTIONS = {
    "black": "黑", "white": "白", "red": "红", "blue": "蓝", "green": "绿", "grey": "灰", "gray": "灰",
    "yellow": "黄", "silver": "银", "gold": "金色", "purple": "紫", "pink": "粉", "orange": "橙", "brown": "棕",
    "navy": "藏青", "olive": "橄榄", "leather": "皮", "cotton": "棉", "metal": "金属", "steel": "钢",
    "wood": "木", "glass": "玻璃", "plastic": "塑料", "small": "小号", "medium": "中号", "large": "大号",
}  # fmt: skip


def find_products(session: Session, text: str) -> list[Product]:
    """The products named in the text, longest name first; a plural or a missing space still counts."""
    wanted = _squeeze(text)
    named: list[tuple[int, Product]] = []
    for product in session.scalars(select(Product)):
        for name in filter(None, (product.name, product.name_zh)):
            squeezed = _squeeze(name)
            singular = squeezed.removesuffix("s")
            if len(squeezed) >= 2 and (singular if len(singular) > 3 else squeezed) in wanted:
                named.append((len(squeezed), product))
                break
    named.sort(key=lambda item: -item[0])
    return [product for _, product in named[:MOST_PRODUCTS]] or _named_by_kind(session, text)


def find_options(products: list[Product], text: str) -> tuple[str, ...]:
    """Values of the named products' options that the text mentions: colours, sizes, capacities."""
    variants = [variant for product in products for variant in product.variants]
    return tuple(sorted(mentioned_options(text, (v for one in variants for v in one.options.values()))))


def mentioned_options(text: str, values: Iterable[Any]) -> set[str]:
    """The options' values that the text names as words of their own, or by their Chinese names.

    "Wi-Fi + Cellular" does not mention "Wi-Fi": what a longer value has taken names no shorter one.
    """
    rest, found = text.casefold(), set()
    for value in sorted(set(map(str, values)), key=lambda value: (-len(value), value)):
        folded = value.casefold()
        # "what's" names no size S, "T-shirt" no size T.
        named = re.compile(rf"(?<![a-z0-9'’-]){re.escape(folded)}(?![a-z0-9'’-])")
        chinese = _CHINESE_OPTIONS.get(folded)
        if named.search(rest) or (chinese is not None and chinese in rest):
            found.add(value)
            rest = named.sub(" ", rest)
    return found


def _named_by_kind(session: Session, text: str) -> list[Product]:
    """The products whose last word the text has: "the kettle" is the Electric Kettle, 帐篷 the 露营帐篷."""
    words = {word.removesuffix("s") for word in re.findall(r"[a-z]{4,}", text.casefold())} - _NO_KIND
    found = [
        product
        for product in session.scalars(select(Product).order_by(Product.id))
        if (" " in product.name and product.name.casefold().split()[-1].removesuffix("s") in words)
        or ((kind := _chinese_kind(product.name_zh or "")) and kind in text)
    ]
    return found[:MOST_PRODUCTS]


def _chinese_kind(name: str) -> str:
    """The last two characters of a longer Chinese name; "" where they name no kind."""
    kind = name[-2:]
    is_chinese = len(name) > 2 and re.fullmatch(r"[\u3400-\u9fff]{2}", kind) is not None
    return kind if is_chinese and kind not in _NO_CHINESE_KIND else ""


def _squeeze(text: str) -> str:
    return re.sub(r"[\s-]+", "", text.casefold())
