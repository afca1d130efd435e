"""Items, variants and payment methods as customers know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.support.replies.facts import Fact
from apps.support.replies.sentences import method_words, status_word
from apps.support.shop.models import Order, OrderItem, PaymentMethod, Variant
from apps.support.shop.names import clip, item_name
from apps.support.words import Language, listing, words_of


def describe_item(item: OrderItem, language: Language, *, counted: bool = True) -> str:
    """`2 × T-Shirt (navy, M)`."""
    name = item_name(item, language)
    return _with_options(f"{item.quantity} × {name}" if counted else name, item.options)


def describe_variant(variant: Variant) -> str:
    return clip(", ".join(str(value) for value in variant.options.values()))


def item_list(items: Sequence[OrderItem], language: Language) -> str:
    return listing([describe_item(item, language) for item in items], language)


def describe_order(order: Order, language: Language) -> str:
    """`#W1234567 (T-Shirt and Jeans, pending)`."""
    return (
        words_of(language)
        .phrases["order_line"]
        .format(
            number=order.number,
            items=item_names(order.items, language),
            status=status_word(order.status, language),
        )
    )


def item_names(items: list[OrderItem], language: Language) -> str:
    """The names alone, of all items: one that is left out may be the one that is meant."""
    return listing(list(dict.fromkeys(item_name(item, language) for item in items)), language)


def item_facts(items: list[OrderItem], language: Language) -> tuple[Fact, ...]:
    """Each item's name as a fact that the customer must hear."""
    names = dict.fromkeys(item_name(item, language) for item in items)
    return tuple(Fact(f"item_{place}", name, (), True) for place, name in enumerate(names, start=1))


def method_of(method: PaymentMethod | None, language: Language) -> str:
    if method is None:
        return method_words(None, None, language)
    return method_words(method.kind, method.last_four, language, method.brand)


def methods_of(methods: Sequence[PaymentMethod | None], language: Language) -> str:
    """Several payment methods; of none how something is paid that is not known."""
    return listing([method_of(method, language) for method in methods or [None]], language)


def _with_options(name: str, options: dict[str, Any]) -> str:
    values = clip(", ".join(str(value) for value in options.values()))
    return f"{name} ({values})" if values else name
