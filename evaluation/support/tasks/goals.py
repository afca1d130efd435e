"""What a customer wants changed, as code derives it from a task's actions.

A goal and a proposal are both counted sets of changes, so that one can be compared with the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from apps.support.shop.models import Address, OrderStatus
from evaluation.errors import DataError
from evaluation.support.tasks.customers import Customer
from evaluation.support.tasks.task_file import Action, Task

DESTRUCTIVE = frozenset({"cancel", "return"})
_KINDS = {
    "cancel_pending_order": "cancel",
    "return_delivered_order_items": "return",
    "exchange_delivered_order_items": "exchange",
    "modify_pending_order_items": "change_item",
    "modify_pending_order_address": "change_address",
    "modify_pending_order_payment": "change_payment",
    "modify_user_address": "default_address",
}  # the benchmark's other tools look things up, calculate, or hand over: they change nothing


@dataclass(frozen=True)
class Change:
    """One change: an order cancelled, an item sent back, an item for another, an address, a payment."""

    kind: str
    order: str | None = None  # its number
    item: str | None = None  # SKU
    to: str | None = None  # the new SKU, the address's words (`address_words`), the method's id


Changes = Counter[Change]


@dataclass(frozen=True)
class Goal:
    """What the customer asks for at once. `key` names it within the task."""

    key: str
    kind: str
    changes: Changes
    orders: tuple[str, ...] = ()
    address: Address | None = None
    method: str | None = None  # the payment method to name: none where it is the original one
    reason: str | None = None  # of a cancellation

    @property
    def order(self) -> str | None:
        return self.orders[0] if self.orders else None

    @property
    def items(self) -> list[Change]:
        return list(self.changes.elements())


def goals_of(task: Task, customer: Customer) -> list[Goal]:
    """In the task's order. Raises DataError where an action names what the customer does not have."""
    goals = [
        _goal(f"{place}", action, customer)
        for place, action in enumerate(task.criteria.actions)
        if action.name in _KINDS
    ]
    return _all_pending_at_once(goals, customer)


def address_words(address: Address) -> str:
    """An address to compare: its words, however they are split over the lines."""
    text = f"{address.line1} {address.line2} {address.postcode}".casefold().replace(",", " ")
    return " ".join(sorted(text.split()))


def given_address(arguments: Any) -> Address:
    """The address that an action of the benchmark names."""
    fields = ("address1", "address2", "city", "state", "zip", "country")
    return Address(*(str(arguments.get(field) or "") for field in fields))


def total_of(goals: Iterable[Goal]) -> Changes:
    return sum((goal.changes for goal in goals), Changes())


def _goal(key: str, action: Action, customer: Customer) -> Goal:
    kind, number, arguments = _KINDS[action.name], action.order_number, action.arguments
    if kind == "default_address":
        address = given_address(arguments)
        return Goal(key, kind, Changes([Change(kind, to=address_words(address))]), address=address)
    if number is None:
        raise DataError(f"the action {action.name} names no order")
    order = customer.order(number)
    orders = (number,)
    if kind == "cancel":
        return Goal(key, kind, Changes([Change(kind, number)]), orders, reason=arguments.get("reason"))
    if kind == "change_address":
        address = given_address(arguments)
        changes = Changes([Change(kind, number, to=address_words(address))])
        return Goal(key, kind, changes, orders, address)
    method = arguments.get("payment_method_id")
    if kind == "change_payment":
        return Goal(key, kind, Changes([Change(kind, number, to=method)]), orders, method=method)
    olds = arguments.get("item_ids", [])
    news = arguments.get("new_item_ids", [None] * len(olds))
    for sku in olds:
        if sku not in {item.sku for item in order.items}:
            raise DataError(f"order {number} has no item {sku}")
    changes = Changes(Change(kind, number, old, new) for old, new in zip(olds, news, strict=True))
    return Goal(key, kind, changes, orders, method=method if method != order.paid_with else None)


def _all_pending_at_once(goals: list[Goal], customer: Customer) -> list[Goal]:
    """Who cancels every pending order says so in one wish."""
    cancelled = [goal for goal in goals if goal.kind == "cancel"]
    pending = {order.number for order in customer.orders if order.status == OrderStatus.PENDING}
    if len(cancelled) < 2 or {goal.order for goal in cancelled} != pending:
        return goals
    orders = tuple(number for goal in cancelled for number in goal.orders)
    first = cancelled[0]
    whole = Goal(first.key, "cancel", total_of(cancelled), orders, reason=first.reason)
    return [whole if goal is first else goal for goal in goals if goal is first or goal not in cancelled]
