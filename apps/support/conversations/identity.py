"""Whose order it is: an order is shown only to who proves it.

Proof is the order number with the e-mail or a postcode of the order, or a customer whom a trusted key named.
An order that does not exist and an order of somebody else get the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.conversations.state import ConversationState
from apps.support.reading.entities import Entities
from apps.support.shop.models import Customer, Order, OrderItem, OrderStatus, Shipment, Variant

MOST_FAILED_PROOFS = 5
MOST_ORDERS_NAMED = 5
MOST_PROVEN = 50


@dataclass(frozen=True)
class Access:
    """What came of asking for an order. `order` is set only where it may be shown."""

    outcome: Literal["proven", "ask_order", "which_order", "ask_proof", "wrong"]
    order: Order | None = None
    number: str | None = None  # as the customer wrote it
    choices: tuple[Order, ...] = ()


def remember_proofs(session: Session, state: ConversationState, entities: Entities) -> bool:
    """Keep what the message offers as proof and the order that it names. True if anything is new."""
    before = (state.email, state.postcode, state.order_number)
    if entities.emails:
        state.email = entities.emails[0]
    number = entities.order_numbers[0] if entities.order_numbers else _chosen(session, state, entities)
    if number is not None:
        state.order_number, state.choices = number, []
    for code in entities.postcodes:
        # The postcode of an address to send to proves nothing about where the order goes now.
        if code not in entities.order_numbers and entities.address is None:
            state.postcode = code
            break
    return (state.email, state.postcode, state.order_number) != before


def _chosen(session: Session, state: ConversationState, entities: Entities) -> str | None:
    """Which of the orders that were offered the message means: "the second one", "the one with the tent"."""
    if not state.choices:
        return None
    place = entities.ordinal
    if place is not None and place <= len(state.choices):
        return state.choices[place - 1 if place > 0 else -1]
    holding = (
        select(Order.number)
        .distinct()
        .join(OrderItem)
        .join(Variant)
        .where(Order.number.in_(state.choices), Variant.product_id.in_(entities.product_ids))
    )
    numbers = session.scalars(holding).all() if entities.product_ids else []
    return numbers[0] if len(numbers) == 1 else None


def find_order(
    session: Session, state: ConversationState, statuses: Collection[OrderStatus], *, new_proof: bool
) -> Access:
    """The order in question, if it may be shown.

    `statuses` are those the question makes sense for: a known customer's only such order is the one meant.
    """
    number = state.order_number
    if number is None:
        return _only_order(session, state, statuses)
    order = _lookup(session, number)
    if order is not None and order.number in state.proven:
        return Access("proven", order, number)
    if state.trusted_customer_id is not None:
        if order is not None and order.customer_id == state.trusted_customer_id:
            return _prove(state, order)
        return _refuse(state, number, new_proof)
    if state.email is None and state.postcode is None:
        return Access("ask_proof", number=number)
    if order is not None and _proves(state, order):
        return _prove(state, order)
    return _refuse(state, number, new_proof)


def known_customer(session: Session, state: ConversationState) -> Customer | None:
    """The customer whom a trusted key named, or who proved the order in question by its e-mail."""
    if state.trusted_customer_id is not None:
        return session.get(Customer, state.trusted_customer_id)
    if state.order_number is None or state.email is None:
        return None
    order = _lookup(session, state.order_number)
    if order is None or order.customer.email != state.email:
        return None
    return order.customer


def _prove(state: ConversationState, order: Order) -> Access:
    # Once shown, an order stays open to this conversation: a new address or a mistyped e-mail closes nothing.
    state.proven = [*state.proven[-MOST_PROVEN:], order.number]
    return Access("proven", order, order.number)


def _refuse(state: ConversationState, number: str, new_proof: bool) -> Access:
    if new_proof:
        state.failed_proofs += 1
    return Access("wrong", number=number)


def latest_orders(
    session: Session, customer_id: int, statuses: Collection[OrderStatus] = tuple(OrderStatus)
) -> Sequence[Order]:
    """A customer's orders in these states, newest first, at most MOST_ORDERS_NAMED."""
    newest_first = (
        select(Order)
        .where(Order.customer_id == customer_id, Order.status.in_(statuses))
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(MOST_ORDERS_NAMED)
    )
    return session.scalars(newest_first).all()


def _only_order(session: Session, state: ConversationState, statuses: Collection[OrderStatus]) -> Access:
    if state.trusted_customer_id is None:
        return Access("ask_order")
    # Where none fits, the one that is meant is among the others, and the playbook says what is wrong with it.
    customer_id = state.trusted_customer_id
    orders = latest_orders(session, customer_id, statuses) or latest_orders(session, customer_id)
    if len(orders) == 1:
        return _prove(state, orders[0])
    if orders:
        return Access("which_order", choices=tuple(orders))
    return Access("ask_order")


def _lookup(session: Session, number: str) -> Order | None:
    """By order number, by its digits alone where that is unambiguous, or by a tracking number."""
    order = session.scalar(select(Order).where(Order.number == number))
    if order is not None or not number.isdigit():
        return order
    ending = session.scalars(select(Order).where(Order.number.endswith(number)).limit(2)).all()
    if len(ending) == 1 and re.fullmatch(rf"[A-Z-]*{number}", ending[0].number):
        return ending[0]
    parcels = session.scalars(select(Shipment).where(Shipment.tracking_number == number).limit(2)).all()
    return parcels[0].order if len(parcels) == 1 else None


def _proves(state: ConversationState, order: Order) -> bool:
    if state.email is not None and state.email == order.customer.email:
        return True
    if state.postcode is None:
        return False
    given = _plain_postcode(state.postcode)
    return given in {
        _plain_postcode(order.address.postcode),
        _plain_postcode(order.customer.address.postcode),
    } - {""}


def _plain_postcode(code: str) -> str:
    """Without spaces; of a US ZIP+4 the five digits that people know."""
    return re.sub(r"^(\d{5})-?\d{4}$", r"\1", re.sub(r"\s", "", code).upper())
