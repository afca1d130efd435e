"""What the shop's policy allows with an order, and why not."""

from __future__ import annotations

from datetime import date, timedelta

from apps.support.errors import ActionRefusedError
from apps.support.replies.descriptions import item_list
from apps.support.replies.language import Language
from apps.support.replies.sentences import Note, status_word, write
from apps.support.shop.models import (
    Order,
    OrderItem,
    OrderStatus,
    PaymentKind,
    PaymentMethod,
    PaymentStatus,
    Return,
    ReturnKind,
    ReturnStatus,
)
from apps.support.shop.policy import Deed, Policy


def check_cancel(order: Order, policy: Policy) -> None:
    if order.status == OrderStatus.CANCELLED:
        raise ActionRefusedError("already_cancelled")
    _check_state("cancel", order, policy)


def check_change_address(order: Order, policy: Policy) -> None:
    _check_state("address", order, policy)


def check_change_item(order: Order, policy: Policy) -> None:
    _check_state("change", order, policy)


def check_change_payment(order: Order, policy: Policy) -> None:
    _check_state("payment", order, policy)


def states_of(deed: Deed, policy: Policy) -> frozenset[OrderStatus]:
    """In which states an order may be when it is asked for."""
    return frozenset(policy.states.of(deed))


def check_send_back(order: Order, kind: ReturnKind, today: date, policy: Policy) -> None:
    """Whether items of the order may be returned or exchanged."""
    _check_state("return" if kind == ReturnKind.RETURN else "exchange", order, policy)
    delivered = delivered_on(order)
    if delivered is not None and today - delivered > timedelta(days=policy.returns.days):
        raise ActionRefusedError("return_late")


def check_not_sent_back(order: Order, items: list[OrderItem]) -> None:
    taken = {entry.order_item_id for back in order.returns if _counts(back) for entry in back.items}
    if any(item.id in taken for item in items):
        raise ActionRefusedError("returned_already")


def refusal(
    reason: str, order: Order, language: Language, policy: Policy, items: list[OrderItem] | None = None
) -> Note:
    """Why the policy forbids something, in words."""
    number = f"#{order.number}"
    if reason == "return_late":
        day = delivered_on(order)
        return write(reason, language, must=("order",), policy=policy, order=number, delivered=day or "")
    if reason == "returned_already":
        return write(reason, language, must=("items",), items=item_list(items or [], language))
    if reason == "already_cancelled" or reason.endswith("_never"):
        return write(reason, language, must=("order",), order=number)
    status = status_word(order.status, language)
    return write(reason, language, must=("order", "status"), policy=policy, order=number, status=status)


def delivered_on(order: Order) -> date | None:
    days = [parcel.delivered_on for parcel in order.shipments if parcel.delivered_on is not None]
    return max(days, default=None)


def paid_with(order: Order) -> PaymentMethod | None:
    """The method that holds most of what was paid, if it is known: after a change of payment the new one."""
    kept: dict[int, int] = {}
    methods: dict[int, PaymentMethod] = {}
    for entry in order.payments:
        if entry.method is None or entry.status == PaymentStatus.FAILED:
            continue
        sign = 1 if entry.kind == PaymentKind.PAYMENT else -1
        kept[entry.method.id] = kept.get(entry.method.id, 0) + sign * entry.amount
        methods[entry.method.id] = entry.method
    return methods[max(kept, key=lambda number: kept[number])] if kept else None


def amount_to_refund(order: Order) -> int:
    """What was paid and not given back yet, in minor units.

    Of an order that was paid, charges that are under way count as well: its payment was changed.
    """
    payments = [p for p in order.payments if p.kind == PaymentKind.PAYMENT]
    if not any(p.status == PaymentStatus.COMPLETED for p in payments):
        return 0
    paid = sum(p.amount for p in payments if p.status != PaymentStatus.FAILED)
    back = sum(
        p.amount for p in order.payments if p.kind == PaymentKind.REFUND and p.status != PaymentStatus.FAILED
    )
    return max(0, paid - back)


def _check_state(deed: Deed, order: Order, policy: Policy) -> None:
    if not policy.allows(deed, order.status):
        raise ActionRefusedError(f"{deed}_{'refused' if policy.states.of(deed) else 'never'}")


def _counts(back: Return) -> bool:
    return back.status != ReturnStatus.REJECTED
