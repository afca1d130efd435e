"""Items, variants and payment methods as customers know them.

Names come from outside (imports, the shop's staff): each is cut to one short line before it reaches a prompt.
"""

from __future__ import annotations

from typing import Any

from apps.support.language import Language
from apps.support.models import OrderItem, PaymentMethod, Product, Variant
from apps.support.sentences import listing, method_words


def describe_item(item: OrderItem, language: Language, *, counted: bool = True) -> str:
    """`2 × T-Shirt (navy, M)`."""
    name = product_name(item.variant.product, language) if item.variant is not None else clip(item.name)
    return _with_options(f"{item.quantity} × {name}" if counted else name, item.options)


def describe_variant(variant: Variant) -> str:
    return clip(", ".join(str(value) for value in variant.options.values()))


def item_list(items: list[OrderItem], language: Language) -> str:
    return listing([describe_item(item, language) for item in items], language)


def clip(text: str) -> str:
    """One line of at most 80 characters."""
    return " ".join(str(text).split())[:80]


def method_of(method: PaymentMethod | None, language: Language) -> str:
    return method_words(method.kind if method else None, method.last_four if method else None, language)


def product_name(product: Product, language: Language) -> str:
    return clip(product.name_zh if language == "zh" and product.name_zh else product.name)


def _with_options(name: str, options: dict[str, Any]) -> str:
    values = clip(", ".join(str(value) for value in options.values()))
    return f"{name} ({values})" if values else name
