"""Playbooks about the shop's products: price, options, what is in stock, warranty."""

from __future__ import annotations

from collections.abc import Sequence

from apps.support.playbooks.case import Case, Outcome, said, told
from apps.support.playbooks.handbook_answers import answer_from
from apps.support.playbooks.options import can_have, option_list, option_table, select_variant
from apps.support.replies.descriptions import describe_variant
from apps.support.replies.facts import Money
from apps.support.replies.sentences import Note, write
from apps.support.shop.catalog_search import find_products
from apps.support.shop.models import Product, Variant
from apps.support.shop.money import format_amount
from apps.support.shop.names import clip, product_name

_WARRANTY = answer_from("warranty", "warranty")
MOST_PRODUCTS = 2
MOST_TOLD_CHARACTERS = 200


def product_question(case: Case) -> Outcome:
    """About the products that the words name, or the one that is talked about."""
    products = products_meant(case)
    if not products:
        words = case.wish.words
        if not words:
            return Outcome(understood=False)
        return said(case.write("nothing_like_that", words=clip(words)))
    case.state.product_id = products[0].id
    notes = [note for product in products for note in _about(case, product)]
    # A long list has one good form, and a small model drops parts of it.
    tell = said if sum(len(note.text) for note in notes) > MOST_TOLD_CHARACTERS else told
    return tell(*notes, products=[product.id for product in products])


def warranty(case: Case) -> Outcome:
    """A product's own warranty where it has one, else the shop's rules."""
    products = products_meant(case)
    if not products or not products[0].warranty_months:
        return _WARRANTY(case)
    product, language = products[0], case.language
    case.state.product_id = product.id
    months = str(product.warranty_months)
    name = product_name(product, language)
    return told(case.write("product_warranty", must=("months",), product=name, months=months))


def products_meant(case: Case) -> list[Product]:
    if case.wish.words:
        return find_products(case.session, case.wish.words)[:MOST_PRODUCTS]
    if case.state.product_id is not None:
        product = case.session.get(Product, case.state.product_id)
        return [product] if product is not None else []
    items = [item for number in case.state.item_ids if (item := case.context.item(number)) is not None]
    return [item.variant.product for item in items if item.variant is not None][:1]


def _about(case: Case, product: Product) -> list[Note]:
    language, name = case.language, product_name(product, case.language)
    had = [variant for variant in product.variants if can_have(variant)]
    if not had:
        return [case.write("product_sold_out", product=name)]
    wanted = case.choose(option_table(name, product.variants, {}))
    if wanted.says_nothing:
        return _in_general(case, name, had)
    selection = select_variant(product.variants, wanted)
    described = ", ".join(value for values in wanted.values.values() for value in values[:1])
    if not selection.fitting:
        options = _options(selection.nearest, case)
        sold_out = case.write("option_sold_out", must=("product",), product=name, option=described or "-")
        return [sold_out, case.write("product_available", product=name, options=options)]
    if wanted.pick is not None and selection.is_clear:
        best = selection.fitting[0]
        pick = case.write(f"pick_{wanted.pick}").text
        price = Money(best.price, best.currency)
        option = describe_variant(best)
        return [
            case.write("product_pick", must=("price",), pick=pick, product=name, option=option, price=price)
        ]
    option = described or _options(selection.fitting, case)
    notes = [case.write("option_available", must=("option",), product=name, option=option)]
    if len(selection.fitting) > 1 or not described:
        options = _options(selection.fitting, case)
        notes.append(case.write("product_available", product=name, options=options))
    return [*notes, *_prices(name, selection.fitting, language)]


def _in_general(case: Case, name: str, had: Sequence[Variant]) -> list[Note]:
    language = case.language
    notes = _prices(name, had, language)
    if len(had) > 1:
        notes.append(case.write("product_count", must=("count",), product=name, count=len(had)))
    if any(variant.options for variant in had):
        notes.append(case.write("product_available", product=name, options=_options(had, case)))
    return notes


def _prices(name: str, variants: Sequence[Variant], language: str) -> list[Note]:
    """From the lowest to the highest price, in each currency by itself."""
    by_currency: dict[str, list[Variant]] = {}
    for variant in variants:
        by_currency.setdefault(variant.currency, []).append(variant)
    return [_price(name, group, language) for group in by_currency.values()]


def _price(name: str, variants: Sequence[Variant], language: str) -> Note:
    low, high = (pick(variants, key=lambda variant: variant.price) for pick in (min, max))
    if low.price == high.price:
        price = Money(low.price, low.currency)
        return write("product_price", language, must=("price",), product=name, price=price)
    cheap, dear = Money(low.price, low.currency), Money(high.price, high.currency)
    return write("product_price_range", language, must=("low", "high"), product=name, low=cheap, high=dear)


def _options(variants: Sequence[Variant], case: Case) -> str:
    by_price = sorted(variants, key=lambda variant: variant.price)
    return option_list(case, by_price, lambda v: format_amount(v.price, v.currency, case.language))
