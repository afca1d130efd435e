"""What may be answered to the assistant's question, to be clicked: every order, item, option or method there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.conversations.results import choices_of
from apps.support.playbooks.options import can_have
from apps.support.reading.state import ConversationState, Question
from apps.support.replies.descriptions import describe_order, describe_variant, item_names
from apps.support.replies.sentences import status_word
from apps.support.shop.models import Order, OrderItem, Variant
from apps.support.shop.money import format_amount
from ui.pages.labels import Language
from ui.pages.rendering import render

MOST_ORDERS = 100
"""Of one customer; older ones can be named by their number."""


@dataclass(frozen=True)
class Offer:
    """One answer: what it shows, and what is sent when it is clicked. An order has a `badge`: its status's name."""

    says: str
    label: str
    detail: str = ""
    price: str = ""
    badge: str = ""
    status: str = ""


@dataclass(frozen=True)
class Offers:
    """`first` are those that the question names, `more` the others that there are."""

    about: str
    first: Sequence[Offer]
    more: Sequence[Offer] = ()

    def html(self, reader: Language) -> Markup:
        return render("offers", reader, offers=self)


def offers_of(
    session: Session, state: ConversationState, spoken: str | None, reader: Language
) -> Offers | None:
    """The answers to the open question; None where it has none. `spoken` is the conversation's language."""
    question = state.question
    if question is None or not question.choices or state.pending is not None:
        return None
    if question.about == "order":
        return _orders(session, state, question, spoken or reader, reader)
    if question.about == "option":
        return _options(session, question)
    if question.about == "item":
        return _items(session, state, question)
    said = choices_of(state)
    return Offers(question.about, [Offer(choice.text, choice.label) for choice in said])


def _orders(
    session: Session, state: ConversationState, question: Question, spoken: str, reader: Language
) -> Offers:
    named = {
        order.id: order for order in session.scalars(select(Order).where(Order.id.in_(question.choices)))
    }
    first = [
        _order(named[chosen], choice.text, reader)
        for chosen, choice in zip(question.choices, choices_of(state), strict=True)
        if chosen in named
    ]
    if state.trusted_customer_id is None:
        return Offers("order", first)
    own = select(Order).where(
        Order.customer_id == state.trusted_customer_id, Order.id.not_in(question.choices)
    )
    others = session.scalars(own.order_by(Order.placed_at.desc(), Order.id.desc()).limit(MOST_ORDERS))
    return Offers("order", first, [_order(order, describe_order(order, spoken), reader) for order in others])


def _order(order: Order, says: str, reader: Language) -> Offer:
    return Offer(
        says,
        f"#{order.number}",
        item_names(order.items, reader),
        format_amount(order.total, order.currency),
        order.status.value,
        status_word(order.status, reader),
    )


def _options(session: Session, question: Question) -> Offers:
    first = [variant for chosen in question.choices if (variant := session.get(Variant, chosen)) is not None]
    if not first:
        return Offers("option", [])
    items = [session.get(OrderItem, item_id) for item_id in question.wish.items] if question.wish else []
    there = {*question.choices, *(item.variant_id for item in items if item is not None)}
    others = [
        variant
        for variant in sorted(first[0].product.variants, key=lambda variant: variant.price)
        if variant.id not in there and can_have(variant)
    ]
    return Offers("option", [_option(variant) for variant in first], [_option(variant) for variant in others])


def _option(variant: Variant) -> Offer:
    name = describe_variant(variant)
    return Offer(name, name, price=format_amount(variant.price, variant.currency))


def _items(session: Session, state: ConversationState, question: Question) -> Offers:
    offers = []
    for chosen, choice in zip(question.choices, choices_of(state), strict=True):
        item = session.get(OrderItem, chosen)
        if item is not None:
            price = format_amount(item.unit_price * item.quantity, item.order.currency)
            offers.append(Offer(choice.text, choice.label, f"#{item.order.number}", price))
    return Offers("item", offers)
