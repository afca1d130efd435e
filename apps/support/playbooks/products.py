"""Playbook about products: price, options in stock, warranty."""

from __future__ import annotations

from apps.support.playbooks.case import Case, Outcome
from apps.support.playbooks.handbook_answers import answer_from
from apps.support.reading.product_names import mentioned_options
from apps.support.replies.descriptions import describe_variant, product_name
from apps.support.replies.facts import Money
from apps.support.replies.sentences import Note, write
from apps.support.shop.models import Product

MOST_OPTIONS = 6
_WARRANTY = answer_from("warranty", "warranty")


def product_question(case: Case) -> Outcome:
    """About the products that the message names (the two named most exactly)."""
    product_ids = case.entities.product_ids[:2] or case.state.product_ids
    case.state.product_ids = list(product_ids)
    products = [found for number in product_ids if (found := case.session.get(Product, number)) is not None]
    if "warranty" in case.entities.wishes and not any(product.warranty_months for product in products):
        return _WARRANTY(case)
    notes = [note for product in products for note in _about(case, product)]
    return Outcome(notes, looked_up={"products": list(product_ids)})


def _about(case: Case, product: Product) -> list[Note]:
    language, name = case.language, product_name(product, case.language)
    if "warranty" in case.entities.wishes and product.warranty_months:
        months = str(product.warranty_months)
        return [write("product_warranty", language, must=("months",), product=name, months=months)]
    values = {str(value) for variant in product.variants for value in variant.options.values()}
    wanted = mentioned_options(case.text, (v for v in values if v.casefold() not in ("yes", "no")))
    variants = [
        variant
        for variant in product.variants
        if variant.available and wanted <= {str(value) for value in variant.options.values()}
    ]
    if not variants and wanted:
        others = "; ".join([describe_variant(v) for v in product.variants if v.available][:MOST_OPTIONS])
        option = ", ".join(sorted(wanted))
        notes = [write("option_sold_out", language, must=("product", "option"), product=name, option=option)]
        if others:
            notes.append(write("product_available", language, product=name, options=others))
        return notes
    if not variants:
        return [write("product_sold_out", language, product=name)]
    low, high = (pick(variants, key=lambda variant: variant.price) for pick in (min, max))
    options = "; ".join(describe_variant(variant) for variant in variants[:MOST_OPTIONS])
    notes = []
    if wanted:
        option = ", ".join(sorted(wanted))
        notes.append(write("option_available", language, must=("option",), product=name, option=option))
    if low.price == high.price:
        price = Money(low.price, low.currency)
        notes.append(write("product_price", language, must=("price",), product=name, price=price))
    else:
        least, most = Money(low.price, low.currency), Money(high.price, high.currency)
        must = ("low", "high")
        notes.append(write("product_price_range", language, must=must, product=name, low=least, high=most))
    if options and not wanted:
        notes.append(write("product_available", language, product=name, options=options))
    return notes
