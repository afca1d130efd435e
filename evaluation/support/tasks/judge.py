"""Whether a task ended as it should: by the shop's database, and by what the assistant said.

The rules are tau2-bench's as far as this shop can express them: each of the customer's orders must be cancelled,
addressed, filled, returned and exchanged as the task's actions say, and no other way; so must the customer's own
address; money moves by the payment methods that the actions name; and every piece of information that had to be told
stands in the assistant's messages. A cancellation's reason is not judged: the shop keeps it in the customer's words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.shop.models import Address, Customer, Order, OrderStatus, ReturnStatus, Variant
from evaluation.errors import DataError
from evaluation.support.tasks.goals import address_words, given_address
from evaluation.support.tasks.task_file import Action, Task


@dataclass(frozen=True)
class OrderEnd:
    """What is judged of an order; items by SKU, exchanged ones by old and new SKU, each with its pieces."""

    cancelled: bool
    address: tuple[str, str]  # the first line, and all words
    items: Counter[str]
    returned: Counter[str] = field(default_factory=Counter)
    exchanged: Counter[tuple[str, str]] = field(default_factory=Counter)
    methods: frozenset[str] = frozenset()
    """The customer's payment methods by which money of this order came, or goes back."""


@dataclass(frozen=True)
class CustomerEnd:
    address: tuple[str, str]
    orders: Mapping[str, OrderEnd]


def end_of(session: Session, customer_id: int) -> CustomerEnd:
    """How things stand. Raises DataError where there is no such customer."""
    customer = session.get(Customer, customer_id)
    if customer is None:
        raise DataError(f"no customer {customer_id}")
    return CustomerEnd(
        _place(customer.address), {order.number: _order_end(order) for order in customer.orders}
    )


def prices_of(session: Session) -> dict[str, int]:
    """What each variant costs, by its SKU."""
    return {variant.sku: variant.price for variant in session.scalars(select(Variant))}


def expected_end(before: CustomerEnd, task: Task, prices: Mapping[str, int]) -> CustomerEnd:
    """How things should stand after the task's actions."""
    orders, address = dict(before.orders), before.address
    for action in task.criteria.actions:
        number = action.order_number
        if number in orders:
            orders[number] = _after(orders[number], action, prices)
        elif action.name == "modify_user_address":
            address = _place(given_address(action.arguments))
    return CustomerEnd(address, orders)


def differences(expected: CustomerEnd, actual: CustomerEnd) -> list[str]:
    """What is not as it should be, in words."""
    wrong = []
    for number, should in expected.orders.items():
        found = actual.orders[number]
        for name in (entry.name for entry in fields(OrderEnd)):
            if getattr(should, name) != getattr(found, name):
                wrong.append(
                    f"order {number}: {name} is {_shown(getattr(found, name))}, "
                    f"should be {_shown(getattr(should, name))}"
                )
    if expected.address != actual.address:
        wrong.append(f"customer's address is {_shown(actual.address)}, should be {_shown(expected.address)}")
    return wrong


def told(info: str, said: str) -> bool:
    """Whether the assistant's messages hold a piece of information; a figure not as a part of another one.

    "180.1" is told by "$180.10".
    """
    zeros = "0?" if re.search(r"\.\d$", info) else ""
    return re.search(rf"(?<![\w.]){re.escape(_plain(info))}{zeros}(?!\w|\.\d)", _plain(said)) is not None


def not_told(task: Task, messages: Iterable[str]) -> list[str]:
    """What had to be told, and stands in none of the assistant's messages."""
    said = " ".join(messages)
    return [info for info in task.criteria.communicate_info if not told(info, said)]


def _plain(text: str) -> str:
    return text.replace(",", "").casefold()


def _order_end(order: Order) -> OrderEnd:
    items: Counter[str] = Counter()
    for item in order.items:
        if item.variant is not None:
            items[item.variant.sku] += item.quantity
    returned: Counter[str] = Counter()
    exchanged: Counter[tuple[str, str]] = Counter()
    sent_back = [back for back in order.returns if back.status != ReturnStatus.REJECTED]
    for entry in (entry for back in sent_back for entry in back.items):
        old = entry.order_item.variant
        if old is None:
            continue
        if entry.replacement is None:
            returned[old.sku] += entry.quantity
        else:
            exchanged[old.sku, entry.replacement.sku] += entry.quantity
    cancelled = order.status == OrderStatus.CANCELLED
    moved = [payment.method for payment in order.payments if payment.amount]
    moved += [back.method for back in sent_back if back.refund]
    methods = frozenset(method.external_id or str(method.id) for method in moved if method is not None)
    return OrderEnd(cancelled, _place(order.address), items, returned, exchanged, methods)


def _after(order: OrderEnd, action: Action, prices: Mapping[str, int]) -> OrderEnd:
    given = action.arguments
    named = given.get("payment_method_id")
    new = [prices.get(sku, 0) for sku in given.get("new_item_ids", ())]
    old = [prices.get(sku, 0) for sku in given.get("item_ids", ())]
    if named is not None and (action.name == "modify_pending_order_payment" or sum(new) != sum(old)):
        order = replace(order, methods=order.methods | {named})
    match action.name:
        case "cancel_pending_order":
            return replace(order, cancelled=True)
        case "modify_pending_order_address":
            return replace(order, address=_place(given_address(given)))
        case "return_delivered_order_items":
            return replace(order, returned=order.returned + Counter(given["item_ids"]))
        case "exchange_delivered_order_items":
            pairs = Counter(zip(given["item_ids"], given["new_item_ids"], strict=True))
            return replace(order, exchanged=order.exchanged + pairs)
        case "modify_pending_order_items":
            kept = order.items - Counter(given["item_ids"])
            return replace(order, items=kept + Counter(given["new_item_ids"]))
        case _:
            return order


def _place(address: Address) -> tuple[str, str]:
    return address.line1.casefold(), address_words(address)


def _shown(value: object) -> str:
    if isinstance(value, Counter):
        return ", ".join(f"{number} {sku}" for sku, number in sorted(value.items())) or "nothing"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "nothing"
    return str(value[1] if isinstance(value, tuple) else value)
