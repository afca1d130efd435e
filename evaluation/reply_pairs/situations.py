"""What there is to say: the playbooks run over seeded shops, and the notes that they leave to the model.

Every shop has its own products, currency and forms of numbers: the adapter is to learn to repeat what it is
given, not what a certain shop's figures look like.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from apps.support.reading.entities import find_entities
from apps.support.reading.intents import example_messages
from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.playbooks import Case, playbook_for
from apps.support.reading.state import ConversationState
from apps.support.replies.language import Language
from apps.support.replies.sentences import Note, write
from apps.support.shop.database import Database
from apps.support.shop.models import (
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    PaymentKind,
    PaymentStatus,
    Product,
    ReturnStatus,
    Shipment,
    ShipmentStatus,
    Variant,
)
from apps.support.shop.policy import Policy, load_policy
from apps.support.shop.seed import seed

FIRST_DAY, DAYS = date(2024, 1, 1), 1_400
CURRENCIES = ("USD", "USD", "EUR", "GBP", "CNY")
SHARE_CHINESE = 0.4

# How often a customer comes with which wish: what leaves much to the model comes more often.
_WEIGHTS = {
    "track_order": 9,
    "cancel_order": 5,
    "change_shipping_address": 4,
    "change_order": 6,
    "get_refund": 6,
    "track_refund": 7,
    "get_invoice": 4,
    "check_invoice": 2,
    "payment_issue": 5,
    "out_of_scope": 4,
    "delivery_period": 3,
    "delivery_options": 2,
    "check_refund_policy": 2,
    "contact_customer_service": 2,
    "newsletter_subscription": 2,
    "complaint": 2,
    "product": 8,
    "policy": 4,
    "order_question": 16,
}
_INTENTS = {"product": "place_order", "policy": "out_of_scope", "order_question": "out_of_scope"}
_ORDER_QUESTIONS: dict[Language, tuple[str, ...]] = {
    "en": (
        "What is in order {number}?",
        "remind me what I bought with {number}",
        "how much was order {number} altogether",
        "what did I pay for the {item} in {number}?",
        "which address does {number} go to",
        "when did I place order {number}?",
        "I need the tracking number of {number}",
        "which card did I use for {number}",
        "has {number} been sent yet, and what is in it?",
        "total and delivery address of {number} please",
        "did I get my money back for {number}?",
    ),
    "zh": (
        "订单{number}里有什么商品？",
        "订单 {number} 一共多少钱",
        "{number} 里的{item}是多少钱",
        "订单{number}寄到哪里",
        "{number}是什么时候下单的？",
        "{number} 的运单号是多少",
        "订单 {number} 是用什么支付的",
        "{number}发货了吗，里面有哪些商品",
        "订单{number}的退款到了吗",
    ),
}
_PRODUCT_QUESTIONS: dict[Language, tuple[str, ...]] = {
    "en": (
        "how much is the {product}?",
        "Do you have the {product} in {option}?",
        "price of {product} please",
        "is the {product} in stock",
        "What warranty does the {product} have?",
        "do u sell {product}? what does it cost",
    ),
    "zh": (
        "{product}多少钱？",
        "{product}有{option}的吗，有货吗",
        "请问{product}的价格",
        "{product}有现货吗",
        "{product}保修多久？",
        "你们有卖{product}吗",
    ),
}
_ITEM_WISHES: dict[Language, tuple[str, ...]] = {
    "en": (
        "I want to exchange the {product} for {option}",
        "can i swap my {product}, i need it in {option}",
        "I'd like to return the {product}",
        "send the {product} back please",
        "the {product} does not fit, can I exchange it for {option}?",
    ),
    "zh": (
        "{product}想换成{option}",
        "我要退货，{product}不合适",
        "{product}可以换货吗，换成{option}",
        "我想把{product}退掉",
    ),
}
_POLICY_QUESTIONS: dict[Language, tuple[str, ...]] = {
    "en": (
        "how long can I return something",
        "do you deliver to Canada?",
        "my parcel is lost, what now",
        "my item arrived broken",
        "what warranty do you give on electronics",
        "can I exchange an item for another size",
        "when is customer service open",
    ),
    "zh": (
        "多久之内可以退货",
        "可以送到香港吗",
        "包裹丢失了怎么办",
        "收到的商品坏了",
        "家电保修多久",
        "怎么换货",
        "客服几点上班",
    ),
}
_MENTIONS: dict[Language, tuple[str, ...]] = {
    "en": (
        "{text} #{number}",
        "{text} Order {number}.",
        "{text} it is {number}, {email}",
        "{number}: {text}",
    ),
    "zh": ("{text}，订单 {number}", "订单{number}，{text}", "{text} {number} {email}"),
}


@dataclass(frozen=True)
class Situation:
    """One turn at the point where the model is asked to speak."""

    language: Language
    intent: str
    message: str
    notes: tuple[Note, ...]
    heading: str = ""
    """Of the handbook's section, where the note is a passage of it."""
    figures: Mapping[str, str] = field(default_factory=dict)
    """The passage's own figures, each with the one that stands in its place in the note."""


def situations(
    database: Database,
    number: int,
    count: int,
    products: Sequence[tuple[str, str]] = (),
    policy: Policy | None = None,
) -> Iterator[Situation]:
    """`count` turns in the shop of that number, which is seeded into the empty `database` and taken back.

    `products` are (English, Chinese) names for what the shop sells; without them it sells what the
    demonstration shop does. `policy` is the shop's; without it, the demonstration shop's. The same arguments give
    the same turns.
    """
    policy = policy or load_policy()
    rng = random.Random(number)
    today = FIRST_DAY + timedelta(days=rng.randrange(DAYS))
    with database.read() as session:
        seed(session, today, number, policy)
        _rename(session, rng, products)
        _vary(session, rng, today)
        orders = list(session.scalars(select(Order).order_by(Order.id)))
        found = 0
        while found < count:
            situation = _situation(session, rng, today, orders, policy)
            if situation is not None:
                found += 1
                yield situation


def _situation(
    session: Session, rng: random.Random, today: date, orders: Sequence[Order], policy: Policy
) -> Situation | None:
    """None where the playbook's answer is said as written, or asks for a yes."""
    language: Language = "zh" if rng.random() < SHARE_CHINESE else "en"
    wish = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    order = _order_for(wish, rng, orders)
    message = _message(session, rng, wish, language, order)
    intent = _INTENTS.get(wish, wish)
    names_order = wish not in ("product", "policy", "delivery_options", "check_refund_policy", "complaint")
    state = ConversationState(
        trusted_customer_id=order.customer_id, order_number=order.number if names_order else None
    )
    if names_order and wish != "order_question" and rng.random() < 0.6:
        shape = rng.choice(_MENTIONS[language])
        message = shape.format(text=message, number=order.number, email=order.customer.email)
    if wish == "complaint":
        number = f"T{rng.randrange(1, 9_000)}"
        note = write("complaint_filed", language, must=("ticket",), policy=policy, ticket=number)
        return Situation(language, intent, message, (note,))
    case = Case(
        session=session,
        state=state,
        language=language,
        intent=intent,
        entities=find_entities(session, message, today),
        text=message,
        today=today,
        policy=policy,
        new_proof=False,
    )
    outcome = playbook_for(case)(case)
    if outcome.exact or outcome.handover or not any(note.facts for note in outcome.notes):
        return None
    heading = outcome.citations[0].rpartition(" › ")[2] if outcome.citations else ""
    return Situation(language, intent, message, tuple(outcome.notes), heading)


def _order_for(wish: str, rng: random.Random, orders: Sequence[Order]) -> Order:
    """Mostly one that has what is asked for."""
    order = rng.choice(orders)
    for _ in range(12):
        fitting = {
            "track_refund": bool(order.returns) or order.status == OrderStatus.CANCELLED,
            "track_order": bool(order.shipments),
            "change_order": order.status in (OrderStatus.PENDING, OrderStatus.DELIVERED),
            "payment_issue": order.status == OrderStatus.PENDING,
        }.get(wish, True)
        if fitting or rng.random() < 0.1:
            break
        order = rng.choice(orders)
    return order


def _message(session: Session, rng: random.Random, wish: str, language: Language, order: Order) -> str:
    if wish == "policy":
        return rng.choice(_POLICY_QUESTIONS[language])
    if wish == "order_question":
        item = rng.choice(order.items)
        name = item.variant.product.name_zh if item.variant and language == "zh" else item.name
        return rng.choice(_ORDER_QUESTIONS[language]).format(number=order.number, item=name)
    if wish == "product":
        variant = rng.choice(list(session.scalars(select(Variant).order_by(Variant.id))))
        return _fill(rng.choice(_PRODUCT_QUESTIONS[language]), variant, language)
    if wish in ("change_order", "get_refund") and rng.random() < 0.6:
        bought = rng.choice(order.items).variant
        if bought is not None:
            other = rng.choice(bought.product.variants)
            return _fill(rng.choice(_ITEM_WISHES[language]), other, language)
    return rng.choice(example_messages(wish, language))


def _fill(shape: str, variant: Variant, language: Language) -> str:
    name = variant.product.name_zh if language == "zh" else variant.product.name
    option = " ".join(str(value) for value in variant.options.values())
    return shape.format(product=name or variant.product.name, option=option)


def _rename(session: Session, rng: random.Random, products: Sequence[tuple[str, str]]) -> None:
    if not products:
        return
    stored = list(session.scalars(select(Product).order_by(Product.id)))
    for product, (name, name_zh) in zip(stored, rng.sample(list(products), len(stored)), strict=True):
        product.name, product.name_zh = name, name_zh
    for item in session.scalars(select(OrderItem).order_by(OrderItem.id)):
        if item.variant is not None:
            item.name = item.variant.product.name


def _vary(session: Session, rng: random.Random, today: date) -> None:
    """States that the demonstration shop has none of, and other forms of numbers."""
    prefix = rng.choice(("W", "W", "", "A-", "ORD", "SO-"))
    currency = rng.choice(CURRENCIES)
    for variant in session.scalars(select(Variant).order_by(Variant.id)):
        variant.price, variant.currency = variant.price + rng.choice((0, 9, 50, 95)), currency
    for order in session.scalars(select(Order).order_by(Order.id)):
        order.number, order.currency = prefix + order.number[1:], currency
        order.total += rng.choice((0, 5, 9, 1_250, 130_000))
        for payment in order.payments:
            _vary_payment(rng, payment, order)
        for parcel in order.shipments:
            _vary_tracking(rng, parcel)
            if parcel.delivered_on is None and rng.random() < 0.25:
                parcel.expected_on = today - timedelta(days=rng.randrange(1, 6))
        for back in order.returns:
            back.currency, back.refund = currency, back.refund + rng.choice((0, 9, 50))
            if rng.random() < 0.25:
                back.status = ReturnStatus.REJECTED
    session.flush()


def _vary_payment(rng: random.Random, payment: Payment, order: Order) -> None:
    payment.currency = order.currency
    if payment.kind == PaymentKind.PAYMENT:
        payment.amount = order.total
        if order.status == OrderStatus.PENDING:
            choices = (PaymentStatus.COMPLETED, PaymentStatus.FAILED, PaymentStatus.PENDING)
            payment.status = rng.choice(choices)
    elif rng.random() < 0.4:
        payment.status = PaymentStatus.PENDING


def _vary_tracking(rng: random.Random, parcel: Shipment) -> None:
    """Carriers write their numbers in many ways, and some shops keep no carrier."""
    shape = rng.choice(("digits", "digits", "letters", "express"))
    if shape == "letters":
        parcel.tracking_number = f"{rng.choice(string.ascii_uppercase)}{parcel.tracking_number}"
    elif shape == "express":
        letters = "".join(rng.choices(string.ascii_uppercase, k=2))
        parcel.tracking_number = f"{letters}{str(parcel.tracking_number)[:9]}{rng.choice(('CN', 'US', 'DE'))}"
    if rng.random() < 0.15:
        parcel.carrier = None
    if parcel.status == ShipmentStatus.IN_TRANSIT and rng.random() < 0.1:
        parcel.expected_on = None
