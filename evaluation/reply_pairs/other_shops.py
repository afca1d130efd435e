"""What makes a seeded shop another one: its products' names, its currency, its numbers, states that it has none of."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

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

CURRENCIES = ("USD", "USD", "EUR", "GBP", "CNY")


def rename_products(session: Session, rng: random.Random, products: Sequence[tuple[str, str]]) -> None:
    """Give the products other (English, Chinese) names, where there are any."""
    if not products:
        return
    stored = list(session.scalars(select(Product).order_by(Product.id)))
    for product, (name, name_zh) in zip(stored, rng.sample(list(products), len(stored)), strict=True):
        product.name, product.name_zh = name, name_zh
    for item in session.scalars(select(OrderItem).order_by(OrderItem.id)):
        if item.variant is not None:
            item.name = item.variant.product.name


def vary(session: Session, rng: random.Random, today: date) -> None:
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
