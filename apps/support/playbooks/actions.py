"""The writes the assistant may make: what the policy allows, and how each is done.

A check runs twice: before the customer is asked, and again inside the transaction that writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.errors import ActionRefusedError
from apps.support.playbooks.acts import Act
from apps.support.playbooks.moving import charge, move_stock, refund, send_back
from apps.support.playbooks.order_rules import (
    check_agreed,
    check_cancel,
    check_difference_method,
    check_refund_method,
    check_send_back,
    check_state,
    check_swap,
    paid_by,
    paid_otherwise,
)
from apps.support.reading.state import Line, Proposal
from apps.support.replies.descriptions import (
    describe_item,
    describe_variant,
    item_list,
    method_of,
    methods_of,
)
from apps.support.replies.facts import Money
from apps.support.replies.sentences import Note, refund_time
from apps.support.shop.models import (
    Address,
    AuditEntry,
    Customer,
    Order,
    OrderItem,
    OrderStatus,
    PaymentMethod,
    ReturnKind,
    Variant,
)
from apps.support.shop.policy import Policy
from apps.support.words import Language


@dataclass(frozen=True)
class Done:
    """A write that was made: what it changed, for the audit, and what the customer is told."""

    before: dict[str, Any]
    after: dict[str, Any]
    receipt: list[Note]
    order: Order | None = None
    customer: Customer | None = None
    given_back: int = 0  # in minor units of the order's currency

    @property
    def customer_id(self) -> int | None:
        return self.order.customer_id if self.order else self.customer.id if self.customer else None


def run(
    session: Session, proposal: Proposal, conversation_id: str, language: Language, policy: Policy
) -> list[Done] | None:
    """Make all writes in the caller's transaction, each with an audit row. None if they were made before.

    Raises ActionRefusedError where the policy forbids one of them by now: then none may be kept.
    """
    if session.scalar(select(AuditEntry.id).where(AuditEntry.action_key == _key(proposal, 0))) is not None:
        return None
    made = []
    for place, step in enumerate(proposal.steps):
        try:
            done = _ACTIONS[step.name](Act(session, step, language, policy))
        except ActionRefusedError as error:
            raise ActionRefusedError(error.reason, place) from error
        session.add(
            AuditEntry(
                action=step.name,
                action_key=_key(proposal, place),
                conversation_id=conversation_id,
                customer_id=done.customer_id,
                order_id=done.order.id if done.order else None,
                before=done.before,
                after=done.after,
            )
        )
        session.flush()
        made.append(done)
    return made


def receipt_lines(proposal: Proposal, made: list[Done]) -> list[Line]:
    """The rows of the proposal's card as they were carried out."""
    pairs = zip(proposal.lines, made, strict=False)
    return [line.model_copy(update={"title": done.receipt[0].text}) for line, done in pairs]


def _key(proposal: Proposal, place: int) -> str:
    return proposal.key if place == 0 else f"{proposal.key}:{place}"


def address_of(arguments: dict[str, Any]) -> Address:
    return Address(**arguments["address"])


def _cancel(act: Act) -> Done:
    order = act.order()
    check_cancel(order, act.policy)
    before: dict[str, Any] = {"status": order.status}
    shares = paid_by(order)
    amount = sum(share for _, share in shares)
    check_agreed(act.step, amount)
    order.status = OrderStatus.CANCELLED
    order.cancelled_at = datetime.now(UTC)
    order.cancel_reason = "asked by the customer"
    receipt = [act.write("done_cancel", must=("order",), order=f"#{order.number}")]
    for method, share in shares:
        refund(order, method, share, act.policy)
        receipt.append(
            act.write(
                "done_refund",
                must=("amount",),
                amount=Money(share, order.currency),
                method=method_of(method, act.language),
                time=refund_time(method.kind if method else None, act.language, act.policy),
            )
        )
    for item in order.items:
        if item.variant is not None and item.variant.stock is not None:
            item.variant.stock += item.quantity
    return Done(before, {"status": order.status, "refund": amount}, receipt, order, given_back=amount)


def _change_address(act: Act) -> Done:
    order = act.order()
    check_state("address", order, act.policy)
    before, address = order.address.one_line(), address_of(act.step.arguments)
    order.address = address
    number = f"#{order.number}"
    receipt = act.write(
        "done_change_address", must=("order", "address"), order=number, address=address.one_line()
    )
    return Done({"address": before}, {"address": address.one_line()}, [receipt], order)


def _default_address(act: Act) -> Done:
    customer = act.customer()
    before, address = customer.address.one_line(), address_of(act.step.arguments)
    customer.address = address
    receipt = act.write("done_default_address", must=("address",), address=address.one_line())
    return Done({"address": before}, {"address": address.one_line()}, [receipt], customer=customer)


def _change_item(act: Act) -> Done:
    order = act.order()
    item, variant = act.item(order), act.variant(order)
    check_swap(item, False, datetime.now(UTC).date(), act.policy)
    before = {"item": describe_item(item, act.language), "total": order.total}
    old_name = describe_item(item, act.language)
    difference, method = _difference(act, order, item, variant)
    move_stock(item.variant, variant, item.quantity)
    item.variant, item.options, item.unit_price = variant, variant.options, variant.price
    order.total += difference
    if difference > 0:
        charge(order, method, difference, act.policy)
    else:
        refund(order, method, -difference, act.policy)
    receipt = act.write(
        "done_change_item",
        must=("order", "total"),
        item=old_name,
        order=f"#{order.number}",
        option=describe_variant(variant),
        total=Money(order.total, order.currency),
    )
    after = {"item": describe_item(item, act.language), "total": order.total}
    return Done(before, after, [receipt], order, given_back=max(0, -difference))


def _return(act: Act) -> Done:
    order = act.order()
    items = [item for item in order.items if item.id in act.step.arguments["item_ids"]]
    check_send_back(order, items, ReturnKind.RETURN, datetime.now(UTC).date(), act.policy)
    if len(items) < len(act.step.arguments["item_ids"]):
        raise ActionRefusedError("changed_meanwhile")
    amount, method = sum(item.total for item in items), act.method(order)
    check_agreed(act.step, amount)
    check_refund_method(order, method, act.policy)
    back = send_back(order, ReturnKind.RETURN, method, amount, [(item, None) for item in items])
    receipt = act.write(
        "done_return",
        must=("number", "amount"),
        number=back.number,
        items=item_list(items, act.language),
        amount=Money(amount, order.currency),
        method=method_of(method, act.language),
    )
    return Done({}, {"return": back.number, "refund": amount}, [receipt], order, given_back=amount)


def _exchange(act: Act) -> Done:
    order = act.order()
    item, variant = act.item(order), act.variant(order)
    check_swap(item, True, datetime.now(UTC).date(), act.policy)
    difference, method = _difference(act, order, item, variant)
    move_stock(None, variant, item.quantity)
    back = send_back(order, ReturnKind.EXCHANGE, method, max(0, -difference), [(item, variant)])
    if difference > 0:
        charge(order, method, difference, act.policy)
    receipt = act.write(
        "done_exchange",
        must=("number",),
        number=back.number,
        item=describe_item(item, act.language),
        option=describe_variant(variant),
    )
    after = {"exchange": back.number, "difference": difference}
    return Done({}, after, [receipt], order, given_back=max(0, -difference))


def _change_payment(act: Act) -> Done:
    order = act.order()
    check_state("payment", order, act.policy)
    method = act.method(order)
    others = paid_otherwise(order, method)
    amount = sum(share for _, share in others)
    check_agreed(act.step, amount)
    for before, share in others:
        refund(order, before, share, act.policy)
    charge(order, method, amount, act.policy)
    new, old = method_of(method, act.language), methods_of([before for before, _ in others], act.language)
    receipt = act.write(
        "done_change_payment",
        must=("order", "amount"),
        order=f"#{order.number}",
        amount=Money(amount, order.currency),
        method=new,
        before=old,
    )
    return Done({"method": old}, {"method": new}, [receipt], order)


def _newsletter(act: Act) -> Done:
    customer = act.customer()
    before, wanted = customer.newsletter, bool(act.step.arguments["subscribe"])
    customer.newsletter = wanted
    key = "done_subscribe" if wanted else "done_unsubscribe"
    receipt = act.write(key, must=("email",), email=customer.email)
    return Done({"newsletter": before}, {"newsletter": wanted}, [receipt], customer=customer)


_ACTIONS: dict[str, Callable[[Act], Done]] = {
    "cancel": _cancel,
    "change_address": _change_address,
    "change_item": _change_item,
    "return": _return,
    "exchange": _exchange,
    "change_payment": _change_payment,
    "newsletter": _newsletter,
    "default_address": _default_address,
}


def _difference(
    act: Act, order: Order, item: OrderItem, variant: Variant
) -> tuple[int, PaymentMethod | None]:
    """What the option costs more, and what that is paid with: both as they were agreed to."""
    difference = (variant.price - item.unit_price) * item.quantity
    method = act.method(order)
    check_agreed(act.step, difference)
    check_difference_method(order, method, difference, act.policy)
    return difference, method
