"""The writes of an open proposal planned once more: with another payment method, or as the shop is by now."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from apps.support.errors import ActionRefusedError
from apps.support.playbooks.actions import address_of
from apps.support.playbooks.addresses import plan_address, plan_home
from apps.support.playbooks.case import Case, Planned
from apps.support.playbooks.changes import (
    paid_already,
    plan_cancel,
    plan_newsletter,
    plan_payment,
    plan_return,
)
from apps.support.playbooks.options import can_have
from apps.support.playbooks.order_rules import (
    check_state,
    check_swap,
    covers,
    paid_otherwise,
    paid_with,
    refusal,
)
from apps.support.playbooks.payments import difference_method, too_small
from apps.support.playbooks.swaps import plan_swap
from apps.support.reading.state import Step
from apps.support.replies.facts import Money
from apps.support.replies.sentences import Note
from apps.support.shop.models import Order, OrderItem, PaymentMethod, Variant


def replan(case: Case, step: Step, notes: list[Note]) -> Planned | None:
    """The step as it would be proposed now; None where the shop's rules forbid it by now.

    `notes` gets why, what stands against the method that is asked for, and that the money is not as it was.
    """
    try:
        planned = _PLANS[step.name](case, step, notes)
    except ActionRefusedError as error:
        notes.append(_why(case, step, error.reason))
        return None
    if planned.step.arguments.get("amount") != step.arguments.get("amount"):
        notes.append(_why(case, step, "changed_meanwhile"))
    return planned


def _why(case: Case, step: Step, reason: str) -> Note:
    order = case.context.order(step.order_id)
    if order is None:
        return case.write("not_done")
    numbers = {*step.arguments.get("item_ids", ()), step.arguments.get("item_id")}
    items = [item for item in order.items if item.id in numbers]
    return refusal(reason, order, case.language, case.policy, items)


def _order(case: Case, step: Step) -> Order:
    order = case.context.order(step.order_id)
    if order is None:
        raise ActionRefusedError("changed_meanwhile")
    return order


def _items(order: Order, numbers: Sequence[int]) -> list[OrderItem]:
    found = [item for item in order.items if item.id in numbers]
    if len(found) < len(numbers):
        raise ActionRefusedError("changed_meanwhile")
    return found


def _return(case: Case, step: Step, notes: list[Note]) -> Planned:
    order = _order(case, step)
    return plan_return(case, order, _items(order, step.arguments["item_ids"]), notes)


def _swap(case: Case, step: Step, notes: list[Note]) -> Planned:
    order, exchange = _order(case, step), step.name == "exchange"
    (item,) = _items(order, [step.arguments["item_id"]])
    check_swap(item, exchange, case.today, case.policy)
    variant = case.session.get(Variant, step.arguments["variant_id"])
    if variant is None or not can_have(variant, item.quantity) or variant.currency != order.currency:
        raise ActionRefusedError("changed_meanwhile")
    difference = Money((variant.price - item.unit_price) * item.quantity, order.currency)
    method, _ = difference_method(case, order, difference.minor)
    if method is not None and not covers(method, difference, case.policy):
        raise ActionRefusedError("changed_meanwhile")
    return plan_swap(case, item, variant, exchange, notes)


def _payment(case: Case, step: Step, notes: list[Note]) -> Planned:
    order = _order(case, step)
    check_state("payment", order, case.policy)
    agreed = case.session.get(PaymentMethod, step.arguments["method_id"])
    for method in dict.fromkeys((case.method, agreed)):
        if method is None:
            continue
        amount = Money(sum(share for _, share in paid_otherwise(order, method)), order.currency)
        if not amount.minor and paid_with(order) is method:
            notes.append(paid_already(case, order, method))
        elif not covers(method, amount, case.policy):
            notes.append(too_small(case, method, amount))
        else:
            return plan_payment(case, order, method)
    raise ActionRefusedError("changed_meanwhile")


def _address(case: Case, step: Step, notes: list[Note]) -> Planned:
    order = _order(case, step)
    check_state("address", order, case.policy)
    return plan_address(case, order, address_of(step.arguments))


_PLANS: dict[str, Callable[[Case, Step, list[Note]], Planned]] = {
    "cancel": lambda case, step, notes: plan_cancel(case, _order(case, step), notes),
    "return": _return,
    "exchange": _swap,
    "change_item": _swap,
    "change_payment": _payment,
    "change_address": _address,
    "default_address": lambda case, step, notes: plan_home(case, address_of(step.arguments)),
    "newsletter": lambda case, step, notes: plan_newsletter(case, step.arguments["subscribe"]),
}
