"""The writes the assistant may make: what the policy allows, and how each is done.

A check runs twice: before the customer is asked, and again inside the transaction that writes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.errors import ActionRefusedError
from apps.support.playbooks.charging import agreed_method, charge, refund
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
from apps.support.reading.state import Line, Proposal, Step
from apps.support.replies.descriptions import (
    describe_item,
    describe_variant,
    item_list,
    method_of,
    methods_of,
)
from apps.support.replies.facts import Money
from apps.support.replies.sentences import Note, refund_time, write
from apps.support.shop.models import (
    Address,
    AuditEntry,
    Customer,
    Order,
    OrderItem,
    OrderStatus,
    PaymentMethod,
    Return,
    ReturnItem,
    ReturnKind,
    ReturnStatus,
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
            done = _ACTIONS[step.name](session, step, language, policy)
        except ActionRefusedError as error:
            raise ActionRefusedError(error.reason, place) from error
        session.add(
            AuditEntry(
                action=step.name,
                action_key=_key(proposal, place),
                conversation_id=conversation_id,
                customer_id=done.order.customer_id
                if done.order
                else done.customer.id
                if done.customer
                else None,
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


def _cancel(session: Session, step: Step, language: Language, policy: Policy) -> Done:
    order = _locked_order(session, step)
    check_cancel(order, policy)
    before: dict[str, Any] = {"status": order.status}
    shares = paid_by(order)
    amount = sum(share for _, share in shares)
    check_agreed(step, amount)
    order.status = OrderStatus.CANCELLED
    order.cancelled_at = datetime.now(UTC)
    order.cancel_reason = "asked by the customer"
    receipt = [write("done_cancel", language, must=("order",), order=f"#{order.number}")]
    for method, share in shares:
        refund(order, method, share, policy)
        receipt.append(
            write(
                "done_refund",
                language,
                must=("amount",),
                amount=Money(share, order.currency),
                method=method_of(method, language),
                time=refund_time(method.kind if method else None, language, policy),
            )
        )
    for item in order.items:
        if item.variant is not None and item.variant.stock is not None:
            item.variant.stock += item.quantity
    return Done(before, {"status": order.status, "refund": amount}, receipt, order, given_back=amount)


def _change_address(session: Session, step: Step, language: Language, policy: Policy) -> Done:
    order = _locked_order(session, step)
    check_state("address", order, policy)
    before, address = order.address.one_line(), address_of(step.arguments)
    order.address = address
    number = f"#{order.number}"
    receipt = write(
        "done_change_address", language, must=("order", "address"), order=number, address=address.one_line()
    )
    return Done({"address": before}, {"address": address.one_line()}, [receipt], order)


def _default_address(session: Session, step: Step, language: Language, policy: Policy) -> Done:
    customer = _customer(session, step)
    before, address = customer.address.one_line(), address_of(step.arguments)
    customer.address = address
    receipt = write("done_default_address", language, must=("address",), address=address.one_line())
    return Done({"address": before}, {"address": address.one_line()}, [receipt], customer=customer)


def _change_item(session: Session, step: Step, language: Language, policy: Policy) -> Done:
    order = _locked_order(session, step)
    item, variant = _item(order, step), _wanted_variant(session, step, order)
    check_swap(item, False, datetime.now(UTC).date(), policy)
    before = {"item": describe_item(item, language), "total": order.total}
    old_name = describe_item(item, language)
    difference, method = _difference(session, step, order, item, variant, policy)
    _move_stock(item.variant, variant, item.quantity)
    item.variant, item.options, item.unit_price = variant, variant.options, variant.price
    order.total += difference
    if difference > 0:
        charge(order, method, difference, policy)
    else:
        refund(order, method, -difference, policy)
    receipt = write(
        "done_change_item",
        language,
        must=("order", "total"),
        item=old_name,
        order=f"#{order.number}",
        option=describe_variant(variant),
        total=Money(order.total, order.currency),
    )
    after = {"item": describe_item(item, language), "total": order.total}
    return Done(before, after, [receipt], order, given_back=max(0, -difference))


def _return(session: Session, step: Step, language: Language, policy: Policy) -> Done:
    order = _locked_order(session, step)
    items = [item for item in order.items if item.id in step.arguments["item_ids"]]
    check_send_back(order, items, ReturnKind.RETURN, datetime.now(UTC).date(), policy)
    if len(items) < len(step.arguments["item_ids"]):
        raise ActionRefusedError("changed_meanwhile")
    amount, method = sum(item.total for item in items), agreed_method(session, step, order)
    check_agreed(step, amount)
    check_refund_method(order, method, policy)
    back = _send_back(order, ReturnKind.RETURN, method, amount, [(item, None) for item in items])
    receipt = write(
        "done_return",
        language,
        must=("number", "amount"),
        number=back.number,
        items=item_list(items, language),
        amount=Money(amount, order.currency),
        method=method_of(method, language),
    )
    return Done({}, {"return": back.number, "refund": amount}, [receipt], order, given_back=amount)


def _exchange(session: Session, step: Step, language: Language, policy: Policy) -> Done:
    order = _locked_order(session, step)
    item, variant = _item(order, step), _wanted_variant(session, step, order)
    check_swap(item, True, datetime.now(UTC).date(), policy)
    difference, method = _difference(session, step, order, item, variant, policy)
    _move_stock(None, variant, item.quantity)
    back = _send_back(order, ReturnKind.EXCHANGE, method, max(0, -difference), [(item, variant)])
    if difference > 0:
        charge(order, method, difference, policy)
    receipt = write(
        "done_exchange",
        language,
        must=("number",),
        number=back.number,
        item=describe_item(item, language),
        option=describe_variant(variant),
    )
    after = {"exchange": back.number, "difference": difference}
    return Done({}, after, [receipt], order, given_back=max(0, -difference))


def _change_payment(session: Session, step: Step, language: Language, policy: Policy) -> Done:
    order = _locked_order(session, step)
    check_state("payment", order, policy)
    method = agreed_method(session, step, order)
    others = paid_otherwise(order, method)
    amount = sum(share for _, share in others)
    check_agreed(step, amount)
    for before, share in others:
        refund(order, before, share, policy)
    charge(order, method, amount, policy)
    new, old = method_of(method, language), methods_of([before for before, _ in others], language)
    receipt = write(
        "done_change_payment",
        language,
        must=("order", "amount"),
        order=f"#{order.number}",
        amount=Money(amount, order.currency),
        method=new,
        before=old,
    )
    return Done({"method": old}, {"method": new}, [receipt], order)


def _newsletter(session: Session, step: Step, language: Language, policy: Policy) -> Done:
    customer = _customer(session, step)
    before, wanted = customer.newsletter, bool(step.arguments["subscribe"])
    customer.newsletter = wanted
    key = "done_subscribe" if wanted else "done_unsubscribe"
    receipt = write(key, language, must=("email",), email=customer.email)
    return Done({"newsletter": before}, {"newsletter": wanted}, [receipt], customer=customer)


_ACTIONS: dict[str, Callable[[Session, Step, Language, Policy], Done]] = {
    "cancel": _cancel,
    "change_address": _change_address,
    "change_item": _change_item,
    "return": _return,
    "exchange": _exchange,
    "change_payment": _change_payment,
    "newsletter": _newsletter,
    "default_address": _default_address,
}


def _locked_order(session: Session, step: Step) -> Order:
    # PostgreSQL locks the row; SQLite holds the only write lock since the transaction began.
    order = session.scalar(select(Order).where(Order.id == step.order_id).with_for_update())
    if order is None:
        raise ActionRefusedError("changed_meanwhile")
    return order


def _customer(session: Session, step: Step) -> Customer:
    customer = session.get(Customer, step.arguments["customer_id"], with_for_update=True)
    if customer is None:
        raise ActionRefusedError("changed_meanwhile")
    return customer


def _item(order: Order, step: Step) -> OrderItem:
    for item in order.items:
        if item.id == step.arguments["item_id"]:
            return item
    raise ActionRefusedError("changed_meanwhile")


def _wanted_variant(session: Session, step: Step, order: Order) -> Variant:
    """The variant that was offered, as long as it is on sale in the order's currency."""
    variant = session.get(Variant, step.arguments["variant_id"], with_for_update=True)
    if variant is None or not variant.available or variant.currency != order.currency:
        raise ActionRefusedError("changed_meanwhile")
    return variant


def _difference(
    session: Session, step: Step, order: Order, item: OrderItem, variant: Variant, policy: Policy
) -> tuple[int, PaymentMethod | None]:
    """What the option costs more, and what that is paid with: both as they were agreed to."""
    difference = (variant.price - item.unit_price) * item.quantity
    method = agreed_method(session, step, order)
    check_agreed(step, difference)
    check_difference_method(order, method, difference, policy)
    return difference, method


def _move_stock(old: Variant | None, new: Variant, quantity: int) -> None:
    if new.stock is not None:
        if new.stock < quantity:
            raise ActionRefusedError("changed_meanwhile")
        new.stock -= quantity
    if old is not None and old.stock is not None:
        old.stock += quantity


def _send_back(
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
