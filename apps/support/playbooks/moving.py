"""How an order's money and goods move: what is done at once, and what is left to the shop."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from apps.support.errors import ActionRefusedError
from apps.support.playbooks.order_rules import covers
from apps.support.replies.facts import Money
from apps.support.shop.models import (
    Order,
    OrderItem,
    Payment,
    PaymentKind,
    PaymentMethod,
    PaymentStatus,
    Return,
    ReturnItem,
    ReturnKind,
    ReturnStatus,
    Variant,
)
from apps.support.shop.policy import Policy


def refund(order: Order, method: PaymentMethod | None, amount: int, policy: Policy) -> None:
    """What the policy refunds at once is done here; everything else is paid back by the shop's accounting."""
    if amount <= 0:
        return
    card = method is not None and method.kind == "gift_card" and method.currency == order.currency
    at_once = card and policy.refunds.gift_card == "at_once"
    if method is not None and at_once:
        method.balance = (method.balance or 0) + amount
    _pay(order, method, PaymentKind.REFUND, amount, done=at_once)


def charge(order: Order, method: PaymentMethod | None, amount: int, policy: Policy) -> None:
    """A gift card pays at once, and must cover it where the policy says so; the rest is the accounting's."""
    by_card = method is not None and method.kind == "gift_card"
    if method is not None and by_card:
        if not covers(method, Money(amount, order.currency), policy):
            raise ActionRefusedError("changed_meanwhile")
        method.balance = (method.balance or 0) - amount
    _pay(order, method, PaymentKind.PAYMENT, amount, done=by_card)


def _pay(order: Order, method: PaymentMethod | None, kind: PaymentKind, amount: int, *, done: bool) -> None:
    payment = Payment(
        method=method,
        kind=kind,
        status=PaymentStatus.COMPLETED if done else PaymentStatus.PENDING,
        amount=amount,
        currency=order.currency,
        created_at=datetime.now(UTC),
    )
    order.payments.append(payment)


def move_stock(old: Variant | None, new: Variant, quantity: int) -> None:
    if new.stock is not None:
        if new.stock < quantity:
            raise ActionRefusedError("changed_meanwhile")
        new.stock -= quantity
    if old is not None and old.stock is not None:
        old.stock += quantity


def send_back(
    order: Order,
    kind: ReturnKind,
    method: PaymentMethod | None,
    amount: int,
    items: list[tuple[OrderItem, Variant | None]],
) -> Return:
    back = Return(
        number=f"{'R' if kind == ReturnKind.RETURN else 'X'}{secrets.randbelow(9 * 10**8) + 10**8}",
        kind=kind,
        status=ReturnStatus.REQUESTED,
        refund=amount,
        method=method if amount else None,
        currency=order.currency,
        items=[ReturnItem(order_item=item, replacement=new, quantity=item.quantity) for item, new in items],
    )
    order.returns.append(back)
    return back
