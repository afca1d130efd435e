"""Whose order it is: an order is shown only to who proves it.

Proof is the order number with the e-mail or a postcode of the order, or a customer whom a trusted key named.
An order that does not exist and an order of somebody else get the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.entities import Entities
from apps.support.models import Customer, Order, OrderStatus, Shipment
from apps.support.state import ConversationState

MOST_FAILED_PROOFS = 5
MOST_ORDERS_NAMED = 5


@dataclass(frozen=True)
class Access:
    """What came of asking for an order. `order` is set only where it may be shown."""

    outcome: Literal["proven", "ask_order", "which_order", "ask_proof", "wrong"]
    order: Order | None = None
    number: str | None = None  # as the customer wrote it
    choices: tuple[str, ...] = ()


def remember_proofs(state: ConversationState, entities: Entities) -> bool:
    """Keep what the message offers as proof and the order that it names. True if anything is new."""
    before = (state.email, state.postcode, state.order_number)
    if entities.emails:
        state.email = entities.emails[0]
    if entities.order_numbers:
        state.order_number = entities.order_numbers[0]
    for code in entities.postcodes:
        if code not in entities.order_numbers:
            state.postcode = code
            break
    return (state.email, state.postcode, state.order_number) != before


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
    if state.trusted_customer_id is not None:
        if order is not None and order.customer_id == state.trusted_customer_id:
            return Access("proven", order, number)
        return _refuse(state, number, new_proof)
    if state.email is None and state.postcode is None:
        return Access("ask_proof", number=number)
    if order is not None and _proves(state, order):
        return Access("proven", order, number)
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


def _refuse(state: ConversationState, number: str, new_proof: bool) -> Access:
    if new_proof:
        state.failed_proofs += 1
    return Access("wrong", number=number)


def _only_order(session: Session, state: ConversationState, statuses: Collection[OrderStatus]) -> Access:
    if state.trusted_customer_id is None:
        return Access("ask_order")
    newest_first = (
        select(Order)
        .where(Order.customer_id == state.trusted_customer_id, Order.status.in_(statuses))
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(MOST_ORDERS_NAMED)
    )
    orders = session.scalars(newest_first).all()
    if len(orders) == 1:
        return Access("proven", orders[0], orders[0].number)
    if orders:
        return Access("which_order", choices=tuple(f"#{order.number}" for order in orders))
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
