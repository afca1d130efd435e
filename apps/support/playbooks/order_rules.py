"""What the shop's policy allows with an order, and why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from apps.support.errors import ActionRefusedError
from apps.support.reading.state import Step
from apps.support.replies.descriptions import item_list
from apps.support.replies.facts import Money
from apps.support.replies.sentences import Note, status_word, write
from apps.support.shop.models import (
    Order,
    OrderItem,
    OrderStatus,
    PaymentKind,
    PaymentMethod,
    PaymentStatus,
    ReturnKind,
    ReturnStatus,
)
from apps.support.shop.policy import Deed, Policy
from apps.support.words import Language


def check_cancel(order: Order, policy: Policy) -> None:
    if order.status == OrderStatus.CANCELLED:
        raise ActionRefusedError("already_cancelled")
    check_state("cancel", order, policy)


def check_state(deed: Deed, order: Order, policy: Policy) -> None:
    """Whether the order is in a state in which it may be asked for."""
    if not policy.allows(deed, order.status):
        raise ActionRefusedError(f"{deed}_{'refused' if policy.states.of(deed) else 'never'}")


def check_send_back(
    order: Order, items: Sequence[OrderItem], kind: ReturnKind, today: date, policy: Policy
) -> None:
    """Whether the order's items may be returned or exchanged."""
    check_state("return" if kind == ReturnKind.RETURN else "exchange", order, policy)
    delivered = delivered_on(order)
    if delivered is not None and today - delivered > timedelta(days=policy.returns.days):
        raise ActionRefusedError("return_late")
    if any(item.id in sent_back(order) for item in items):
        raise ActionRefusedError("returned_already")


def check_swap(item: OrderItem, exchange: bool, today: date, policy: Policy) -> None:
    """Whether the item may get another option: by an exchange, or by a change of the order."""
    if exchange:
        check_send_back(item.order, [item], ReturnKind.EXCHANGE, today, policy)
    else:
        check_state("change", item.order, policy)


def sent_back(order: Order) -> set[int]:
    """The ids of the items whose return or exchange was requested, and not rejected."""
    counted = [back for back in order.returns if back.status != ReturnStatus.REJECTED]
    return {entry.order_item_id for back in counted for entry in back.items}


def check_agreed(step: Step, amount: int) -> None:
    """Whether the money is what the customer said yes to: minor units, below 0 where it goes back."""
    if step.arguments.get("amount") != amount:
        raise ActionRefusedError("changed_meanwhile")


def check_refund_method(order: Order, method: PaymentMethod | None, policy: Policy) -> None:
    """Whether a refund may go there."""
    if _is_own(order, method):
        return
    if policy.payment.refund_to == "original":
        raise ActionRefusedError("original_only")
    if method is None or method.kind != "gift_card" or method.currency != order.currency:
        raise ActionRefusedError("refund_method_refused")


def check_difference_method(
    order: Order, method: PaymentMethod | None, difference: int, policy: Policy
) -> None:
    """Whether a price difference may be paid with it, or given back to it (below 0)."""
    if method is None or _is_own(order, method):
        return
    foreign_card = method.kind == "gift_card" and method.currency != order.currency
    if foreign_card or method.kind not in policy.payment.methods_for_difference:
        raise ActionRefusedError("method_not_taken")
    if not covers(method, Money(difference, order.currency), policy):
        raise ActionRefusedError("gift_card_too_small")


def covers(method: PaymentMethod, amount: Money, policy: Policy) -> bool:
    """Whether the method may be charged: a gift card only in its own currency, and where its balance suffices."""
    if method.kind != "gift_card" or amount.minor <= 0:
        return True
    enough = (method.balance or 0) >= amount.minor or not policy.payment.gift_card_must_cover
    return method.currency == amount.currency and enough


def refusal(
    reason: str, order: Order, language: Language, policy: Policy, items: Sequence[OrderItem] = ()
) -> Note:
    """Why the policy forbids something, in words."""
    number = f"#{order.number}"
    if reason == "return_late":
        day = delivered_on(order)
        return write(reason, language, must=("order",), policy=policy, order=number, delivered=day or "")
    if reason == "returned_already":
        taken = [item for item in items if item.id in sent_back(order)]
        return write(reason, language, must=("items",), items=item_list(taken, language))
    if reason in ("already_cancelled", "changed_meanwhile") or reason.endswith("_never"):
        return write(reason, language, must=("order",), order=number)
    status = status_word(order.status, language)
    return write(reason, language, must=("order", "status"), policy=policy, order=number, status=status)


def delivered_on(order: Order) -> date | None:
    days = [parcel.delivered_on for parcel in order.shipments if parcel.delivered_on is not None]
    return max(days, default=None)


def paid_with(order: Order) -> PaymentMethod | None:
    """The method that holds most of what was paid, if it is known: after a change of payment the new one."""
    kept, methods = _held(order)
    del kept[None]
    return methods[max(kept, key=lambda number: kept[number])] if kept else None


def paid_by(order: Order) -> list[tuple[PaymentMethod | None, int]]:
    """What each payment method holds of the order's money in minor units, most first: `amount_to_refund` in all.

    What was given back to a method that had not paid it counts against the one that paid most.
    """
    kept, methods = _held(order)
    elsewhere = -sum(amount for amount in kept.values() if amount < 0)
    shares = []
    for number, amount in kept.most_common():
        share = max(0, amount - elsewhere)
        elsewhere -= min(elsewhere, max(0, amount))
        if share:
            shares.append((methods[number], share))
    return shares if amount_to_refund(order) else []


def _held(order: Order) -> tuple[Counter[int | None], dict[int | None, PaymentMethod | None]]:
    """What each method holds of the order's money, below 0 where it got back more; None is one that is not known."""
    kept: Counter[int | None] = Counter()
    methods: dict[int | None, PaymentMethod | None] = {}
    for entry in order.payments:
        if entry.status != PaymentStatus.FAILED:
            number = entry.method.id if entry.method else None
            kept[number] += entry.amount if entry.kind == PaymentKind.PAYMENT else -entry.amount
            methods[number] = entry.method
    return kept, methods


def paid_otherwise(order: Order, method: PaymentMethod | None) -> list[tuple[PaymentMethod | None, int]]:
    """What other methods hold of the order's money: what moves where it is to be paid with this one."""
    return [(before, share) for before, share in paid_by(order) if before is not method]


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


def _is_own(order: Order, method: PaymentMethod | None) -> bool:
    """Whether the order was paid with it; None is how an order was paid whose method is not known."""
    counted = [entry for entry in order.payments if entry.status != PaymentStatus.FAILED]
    return method is None or any(
        entry.method is not None and entry.method.id == method.id for entry in counted
    )
