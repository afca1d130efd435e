"""How an order's money moves: what is done at once, and what is left to the shop's accounting."""

from __future__ import annotations

from datetime import UTC, datetime

from apps.support.errors import ActionRefusedError
from apps.support.playbooks.order_rules import covers
from apps.support.replies.facts import Money
from apps.support.shop.models import Order, Payment, PaymentKind, PaymentMethod, PaymentStatus
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
