"""Names as they may be shown to a model: they come from outside, and each is cut to one short line."""

from __future__ import annotations

from apps.support.shop.models import OrderItem, Product
from apps.support.words import Language


def clip(text: str) -> str:
    """One line of at most 80 characters."""
    return " ".join(str(text).split())[:80]


def product_name(product: Product, language: Language) -> str:
    return clip(product.name_zh if language == "zh" and product.name_zh else product.name)


def item_name(item: OrderItem, language: Language) -> str:
    """The product's name in the language, or the order's own where the shop lists it no more."""
    return product_name(item.variant.product, language) if item.variant is not None else clip(item.name)
