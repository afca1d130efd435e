"""Playbook about products: price, options in stock, warranty."""

from __future__ import annotations

from apps.support.descriptions import describe_variant, product_name
from apps.support.facts import Money
from apps.support.models import Product
from apps.support.playbooks.case import Case, Outcome
from apps.support.sentences import Note, write

MOST_OPTIONS = 6


def product_question(case: Case) -> Outcome:
    """About the products that the message names (the two named most exactly)."""
    notes: list[Note] = []
    product_ids = case.entities.product_ids[:2] or case.state.product_ids
    case.state.product_ids = list(product_ids)
    for product_id in product_ids:
        product = case.session.get(Product, product_id)
        if product is not None:
            notes.extend(_about(case, product))
    return Outcome(notes, looked_up={"products": list(product_ids)})


def _about(case: Case, product: Product) -> list[Note]:
    language, name = case.language, product_name(product, case.language)
    if "warranty" in case.entities.wishes and product.warranty_months:
        months = str(product.warranty_months)
        return [write("product_warranty", language, must=("months",), product=name, months=months)]
    variants = [
        variant
        for variant in product.variants
        if variant.available
        and set(case.entities.options) <= {str(value) for value in variant.options.values()}
    ]
    if not variants:
        return [write("product_sold_out", language, product=name)]
    low, high = (pick(variants, key=lambda variant: variant.price) for pick in (min, max))
    options = "; ".join(describe_variant(variant) for variant in variants[:MOST_OPTIONS])
    notes = []
    if low.price == high.price:
        price = Money(low.price, low.currency)
        notes.append(write("product_price", language, must=("price",), product=name, price=price))
    else:
        ends = {"low": Money(low.price, low.currency), "high": Money(high.price, high.currency)}
        notes.append(write("product_price_range", language, must=("low", "high"), product=name, **ends))
    if options:
        notes.append(write("product_available", language, product=name, options=options))
    return notes
