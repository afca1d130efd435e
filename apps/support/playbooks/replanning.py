"""The writes of an open proposal planned once more: with another payment method, or beside a new wish."""

from __future__ import annotations

from collections.abc import Callable

from apps.support.errors import ActionRefusedError
from apps.support.playbooks.actions import address_of
from apps.support.playbooks.case import Case, Planned
from apps.support.playbooks.changes import (
    plan_address,
    plan_cancel,
    plan_home,
    plan_newsletter,
    plan_payment,
    plan_return,
)
from apps.support.playbooks.options import can_have
from apps.support.playbooks.swaps import plan_swap
from apps.support.reading.state import Step
from apps.support.replies.sentences import Note
from apps.support.shop.models import Order, OrderItem, PaymentMethod, Variant


def replan(case: Case, step: Step, notes: list[Note]) -> Planned:
    """The step as it would be proposed now; `notes` gets what stands against the method that is asked for.

    Raises ActionRefusedError where what it is about is no longer there, or no longer at the price that was named.
    """
    return _PLANS[step.name](case, step, notes)


def _order(case: Case, step: Step) -> Order:
    order = case.context.order(step.order_id)
    if order is None:
        raise ActionRefusedError("changed_meanwhile")
    return order


def _items(case: Case, step: Step, numbers: list[int]) -> list[OrderItem]:
    found = [item for item in _order(case, step).items if item.id in numbers]
    if len(found) < len(numbers):
        raise ActionRefusedError("changed_meanwhile")
    return found


def _swap(case: Case, step: Step, notes: list[Note]) -> Planned:
    (item,) = _items(case, step, [step.arguments["item_id"]])
    variant = case.session.get(Variant, step.arguments["variant_id"])
    if variant is None or not can_have(variant, item.quantity):
        raise ActionRefusedError("changed_meanwhile")
    if variant.price != step.arguments["price"] or variant.currency != item.order.currency:
        raise ActionRefusedError("changed_meanwhile")  # nobody has agreed to today's price
    return plan_swap(case, item, variant, step.name == "exchange", notes)


def _payment(case: Case, step: Step, notes: list[Note]) -> Planned:
    method = case.method or case.session.get(PaymentMethod, step.arguments["method_id"])
    if method is None:
        raise ActionRefusedError("changed_meanwhile")
    return plan_payment(case, _order(case, step), method)


_PLANS: dict[str, Callable[[Case, Step, list[Note]], Planned]] = {
    "cancel": lambda case, step, notes: plan_cancel(case, _order(case, step), notes),
    "return": lambda case, step, notes: plan_return(
        case, _order(case, step), _items(case, step, step.arguments["item_ids"]), notes
    ),
    "exchange": _swap,
    "change_item": _swap,
    "change_payment": _payment,
    "change_address": lambda case, step, notes: plan_address(
        case, _order(case, step), address_of(step.arguments)
    ),
    "default_address": lambda case, step, notes: plan_home(case, address_of(step.arguments)),
    "newsletter": lambda case, step, notes: plan_newsletter(case, step.arguments["subscribe"]),
}
