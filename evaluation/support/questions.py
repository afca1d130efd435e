"""Factual questions built from a shop's database, each with the answer that the database gives."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.playbooks.order_rules import amount_to_refund, paid_with
from apps.support.replies.descriptions import describe_variant
from apps.support.replies.facts import Money
from apps.support.replies.sentences import Note
from apps.support.shop.models import (
    Order,
    OrderItem,
    OrderStatus,
    PaymentKind,
    PolicySection,
    Product,
    Variant,
)
from apps.support.shop.names import product_name
from apps.support.shop.policy import Policy, load_policy
from apps.support.words import Language
from evaluation.support.expected import (
    Expected,
    expect,
    expect_refusal,
    expect_status,
    facts_note,
    policies,
    truth_of,
)
from evaluation.support.policy_questions import POLICY_QUESTIONS
from evaluation.support.wording import OPENERS, ORDER_QUESTIONS, PRODUCT_PRICE, PRODUCT_STOCK, PROOFS

CHINESE_SHARE = 0.25
POLICY_EVERY = 7  # one question in so many is about the handbook, one about a product
_METHODS = {"gift_card": ("gift card", "礼品卡"), "paypal": ("PayPal",), "credit_card": ("card", "银行卡")}


@dataclass(frozen=True)
class Question:
    """A conversation whose last message is the question; `trusted` is the customer whom a trusted key names."""

    key: str
    kind: str
    language: Language
    turns: tuple[str, ...]
    says: tuple[Expected, ...]
    truth: list[Note]
    trusted: str | None = None
    status: OrderStatus | None = None  # no reply may claim another
    proposes: str | None = None  # the action that must be proposed
    cites: str | None = None
    never: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class _Rules:
    """What the shop has laid down: its handbook and its policy."""

    sections: list[PolicySection]
    policy: Policy


def build_questions(session: Session, count: int, seed: int, policy: Policy | None = None) -> list[Question]:
    """`count` questions about orders, products and policies; the same shop and seed give the same ones.

    `policy` is what the shop's assistant goes by; without it the demonstration shop's.
    """
    rng = random.Random(seed)
    handbook = _Rules(list(session.scalars(select(PolicySection))), policy or load_policy())
    orders = list(session.scalars(select(Order).order_by(Order.id)))
    rng.shuffle(orders)
    sources: list[Iterator[Question]] = [_about_orders(orders, handbook, rng)] * (POLICY_EVERY - 2)
    sources.append(_about_products(session, handbook, rng))
    sources.append(_about_policies(handbook, rng) if handbook.sections else sources[0])
    return [next(source) for source in islice(cycle(sources), count)]


def _about_orders(orders: list[Order], handbook: _Rules, rng: random.Random) -> Iterator[Question]:
    kinds = cycle(_KINDS)
    number = 0
    while True:
        kind = next(kinds)
        fits, expects = _KINDS[kind]
        for _ in range(len(orders)):
            order = orders[number % len(orders)]
            number += 1
            if fits(order):
                yield _order_question(f"order-{number}-{kind}", kind, order, expects, handbook, rng)
                break


def _order_question(
    key: str,
    kind: str,
    order: Order,
    expects: Callable[[Order, OrderItem, Language], dict[str, object]],
    handbook: _Rules,
    rng: random.Random,
) -> Question:
    language: Language = "zh" if rng.random() < CHINESE_SHARE else "en"
    item = rng.choice([item for item in order.items if item.variant is not None] or order.items)
    name = product_name(item.variant.product, language) if item.variant else item.name
    values = {
        "order": rng.choice((f"#{order.number}", order.number)),
        "email": order.customer.email,
        "postcode": order.address.postcode,
        "item": name,
    }
    style = rng.choice(("one", "two", "two", "follow", "trusted", "trusted_follow"))
    wording = ORDER_QUESTIONS[kind]
    named, vague = rng.choice(wording.named[language]), rng.choice(wording.vague[language])
    opener, proof = rng.choice(OPENERS[language]), rng.choice(PROOFS[rng.choice(sorted(PROOFS))][language])
    turns = {
        "one": (f"{named} {proof}",),
        "two": (named, proof),
        "follow": (f"{opener} {proof}", vague),
        "trusted": (named,),
        "trusted_follow": (opener, vague),
    }[style]
    return Question(
        key=key,
        kind=kind,
        language=language,
        turns=tuple(turn.format(**values) for turn in turns),
        truth=[*truth_of(order, language), *policies(handbook.sections, language, handbook.policy)],
        trusted=order.customer.email if style.startswith("trusted") else None,
        status=order.status,
        **expects(order, item, language),  # type: ignore[arg-type]
    )


def _status(order: Order, _item: OrderItem, language: Language) -> dict[str, object]:
    return {"says": (expect("order", f"#{order.number}", language), expect_status(order.status))}


def _tracking(order: Order, _item: OrderItem, language: Language) -> dict[str, object]:
    numbers = [parcel.tracking_number for parcel in order.shipments if parcel.tracking_number]
    return {"says": tuple(expect("tracking", number, language) for number in numbers)}


def _items(order: Order, _item: OrderItem, language: Language) -> dict[str, object]:
    names = {
        product_name(item.variant.product, language) if item.variant else item.name for item in order.items
    }
    return {"says": tuple(Expected("item", (name,)) for name in sorted(names))}


def _total(order: Order, _item: OrderItem, language: Language) -> dict[str, object]:
    return {"says": (expect("total", Money(order.total, order.currency), language),)}


def _item_price(order: Order, item: OrderItem, language: Language) -> dict[str, object]:
    return {"says": (expect("price", Money(item.unit_price * item.quantity, order.currency), language),)}


def _address(order: Order, _item: OrderItem, language: Language) -> dict[str, object]:
    address = order.address
    return {
        "says": tuple(
            Expected("address", (part,)) for part in (address.line1, address.city, address.postcode)
        )
    }


def _payment(order: Order, _item: OrderItem, language: Language) -> dict[str, object]:
    paid = [payment for payment in order.payments if payment.kind == PaymentKind.PAYMENT]
    says = [expect("amount", Money(payment.amount, payment.currency), language) for payment in paid]
    says += [
        Expected("method", _METHODS[payment.method.kind])
        for payment in paid
        if payment.method is not None and payment.method.kind in _METHODS
    ]
    return {"says": tuple(says)}


def _refund(order: Order, _item: OrderItem, language: Language) -> dict[str, object]:
    refunds = [payment for payment in order.payments if payment.kind == PaymentKind.REFUND]
    return {
        "says": tuple(expect("refund", Money(refund.amount, refund.currency), language) for refund in refunds)
    }


def _cancel(order: Order, _item: OrderItem, language: Language) -> dict[str, object]:
    if order.status == OrderStatus.PENDING:
        amount = Money(amount_to_refund(order), order.currency)
        return {
            "says": (expect("order", f"#{order.number}", language), expect("amount", amount, language)),
            "proposes": "cancel",
        }
    if order.status == OrderStatus.CANCELLED:
        return {"says": (expect_status(order.status),)}
    return {"says": (expect_refusal(), expect_status(order.status))}


def _return(order: Order, _item: OrderItem, language: Language) -> dict[str, object]:
    if order.status != OrderStatus.DELIVERED:
        return {"says": (expect_refusal(), expect_status(order.status))}
    amount = Money(sum(item.unit_price * item.quantity for item in order.items), order.currency)
    return {"says": (expect("amount", amount, language),), "proposes": "return"}


def _placed(order: Order, _item: OrderItem, language: Language) -> dict[str, object]:
    assert order.placed_at is not None
    return {"says": (expect("placed", order.placed_at.date(), language),)}


def _invoice(order: Order, _item: OrderItem, language: Language) -> dict[str, object]:
    number = order.invoice_number or ""
    return {"says": (expect("invoice", number, language),)}


def _returnable(order: Order) -> bool:
    if order.status == OrderStatus.DELIVERED:
        # What was sent back already, or came too long ago, has another answer.
        late = any(parcel.delivered_on for parcel in order.shipments)
        return len(order.items) == 1 and not order.returns and not late
    return order.status in (OrderStatus.PROCESSED, OrderStatus.SHIPPED)


def _tracked(order: Order) -> bool:
    on_the_road = order.status in (OrderStatus.PROCESSED, OrderStatus.SHIPPED, OrderStatus.DELIVERED)
    return on_the_road and any(parcel.tracking_number for parcel in order.shipments)


def _refunded(order: Order) -> bool:
    return any(payment.kind == PaymentKind.REFUND for payment in order.payments)


def _one_of_each(order: Order) -> bool:
    names = [item.variant.product_id for item in order.items if item.variant is not None]
    return len(names) == len(order.items) > 1 and len(set(names)) == len(names)


_KINDS: dict[
    str, tuple[Callable[[Order], bool], Callable[[Order, OrderItem, Language], dict[str, object]]]
] = {
    "status": (lambda order: True, _status),
    "total": (lambda order: True, _total),
    "items": (lambda order: True, _items),
    "tracking": (_tracked, _tracking),
    "address": (lambda order: True, _address),
    "payment": (
        lambda order: any(p.kind == PaymentKind.PAYMENT and p.method for p in order.payments),
        _payment,
    ),
    "cancel": (lambda order: paid_with(order) is not None, _cancel),
    "refund": (_refunded, _refund),
    "item_price": (_one_of_each, _item_price),
    "return": (_returnable, _return),
    "placed": (lambda order: order.placed_at is not None, _placed),
    "invoice": (lambda order: order.invoice_number is not None, _invoice),
}


def _about_products(session: Session, handbook: _Rules, rng: random.Random) -> Iterator[Question]:
    products = list(session.scalars(select(Product).order_by(Product.id)))
    number = 0
    while True:
        product = rng.choice(products)
        available = [variant for variant in product.variants if variant.available]
        if not available:
            continue
        number += 1
        language: Language = "zh" if rng.random() < CHINESE_SHARE else "en"
        name = product_name(product, language)
        values = {str(value) for variant in available for value in variant.options.values()}
        asked = rng.choice(sorted(values - {"yes", "no"}) or [""])
        by_price = number % 2 == 0 or not asked
        text = rng.choice((PRODUCT_PRICE if by_price else PRODUCT_STOCK)[language])
        fitting = [v for v in available if by_price or asked in map(str, v.options.values())]
        prices = [Money(pick(v.price for v in fitting), fitting[0].currency) for pick in (min, max)]
        says = [expect("price", price, language) for price in dict.fromkeys(prices)]
        if not by_price:
            says.append(Expected("option", (asked,)))
        yield Question(
            key=f"product-{number}",
            kind="product",
            language=language,
            turns=(text.format(product=name, option=asked),),
            says=tuple(says),
            truth=[
                _product_truth(product, available, language),
                *policies(handbook.sections, language, handbook.policy),
            ],
            never=("sold out", "缺货"),
        )


def _product_truth(product: Product, variants: list[Variant], language: Language) -> Note:
    prices = {f"price_{v.id}": Money(v.price, v.currency) for v in variants}
    sentences = [
        product_name(product, language),
        str(len(variants)),  # how many options there are
        *(describe_variant(variant) for variant in product.variants),
    ]
    return facts_note(dict(prices), language, sentences)


def _about_policies(handbook: _Rules, rng: random.Random) -> Iterator[Question]:
    questions = list(POLICY_QUESTIONS)
    rng.shuffle(questions)
    for number, asked in enumerate(cycle(questions)):
        yield Question(
            key=f"policy-{number}",
            kind="policy",
            language=asked.language,
            turns=(asked.text,),
            says=tuple(Expected("policy", forms) for forms in asked.says),
            truth=policies(handbook.sections, asked.language, handbook.policy),
            cites=asked.citation,
        )
