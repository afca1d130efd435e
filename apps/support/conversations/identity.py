"""Who writes: orders are shown only to who proves them.

What counts as proof is the shop's policy: an order number with the order's e-mail or postcode opens that order;
a name with a postcode, or an e-mail alone, opens all of the customer's where the policy lets it; a trusted key
names the customer. An order that does not exist and an order of somebody else get the same answer.
"""

from __future__ import annotations

import re
from typing import Literal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from apps.support.reading.identifiers import Identifiers, plain_postcode
from apps.support.reading.state import ConversationState
from apps.support.replies.sentences import Note, write
from apps.support.shop.models import Customer, Order, Shipment
from apps.support.shop.policy import Policy
from apps.support.words import Language, listing

MOST_FAILED_PROOFS = 5
MOST_PROVEN = 50
MOST_KEPT = 12
MOST_SAID_CHARACTERS = 1_000
MOST_CANDIDATES = 500

Evidence = Literal["none", "some", "proven"]


def take_evidence(
    session: Session, state: ConversationState, found: Identifiers, text: str, policy: Policy
) -> Evidence:
    """Keep what the message offers as proof, and see what it proves together with what was given before.

    "some": it offers something, and it proves nothing. After too many wrong proofs nothing is looked up any more.
    """
    if state.trusted_customer_id is not None:
        return "none"
    if state.failed_proofs >= MOST_FAILED_PROOFS:
        return "some"
    state.email = found.emails[0] if found.emails else state.email
    state.postcodes = _kept(state.postcodes, found.postcodes)
    state.numbers = _kept(state.numbers, found.numbers)
    state.said = f"{state.said}\n{text}"[-MOST_SAID_CHARACTERS:]
    if _proves_customer(session, state, policy) or _proves_orders(session, state, policy):
        return "proven"
    return "some" if found.emails or found.postcodes or found.numbers else "none"


def ask_who(state: ConversationState, language: Language, policy: Policy, *, wrong: bool) -> Note:
    """The question that is still needed to know who writes."""
    proofs = policy.identity.proofs
    keys = {
        "name+postcode": "proof_name_postcode",
        "email": "proof_email",
        "order+email": "proof_order_email",
        "order+postcode": "proof_order_postcode",
    }
    named = [write(key, language).text for proof, key in keys.items() if proof in proofs]
    given = state.email or state.postcodes or state.numbers
    key = "identity_wrong" if wrong else "more_identity" if given else "ask_identity"
    return write(key, language, proofs=listing(named, language, "or"))


def shows_enough(state: ConversationState, policy: Policy) -> bool:
    """Whether what was given would prove something, if it were right: then it is wrong, not incomplete."""
    proofs = policy.identity.proofs
    figures = {re.sub(r"\D", "", code) for code in (*state.postcodes, *state.numbers)}
    return (
        ("email" in proofs and state.email is not None)
        or ("name+postcode" in proofs and bool(state.postcodes))
        or ("order+email" in proofs and state.email is not None and bool(state.numbers))
        or ("order+postcode" in proofs and bool(state.postcodes) and len(figures) > 1)
    )


def letters_of_numbers(session: Session) -> int:
    """Of how many letters the shop's order numbers are, as PrestaShop's; 0 where they have digits."""
    number = session.scalar(select(Order.number).order_by(Order.id.desc()).limit(1)) or ""
    return len(number) if number.isalpha() else 0


def _proves_customer(session: Session, state: ConversationState, policy: Policy) -> bool:
    """The customer whom an e-mail, or a name with a postcode, stands for."""
    proofs = policy.identity.proofs
    customer: Customer | None = None
    if "email" in proofs and state.email is not None:
        customer = session.scalar(select(Customer).where(Customer.email == state.email))
    if customer is None and "name+postcode" in proofs and state.postcodes:
        codes = {plain_postcode(code) for code in state.postcodes}
        stored = func.replace(func.upper(Customer.__table__.c.postcode), " ", "")
        near = or_(*(stored.startswith(code, autoescape=True) for code in codes))
        there = session.scalars(select(Customer).where(near).limit(MOST_CANDIDATES))
        named = [
            one
            for one in there
            if plain_postcode(one.address.postcode) in codes and _is_named(one.name, state.said)
        ]
        customer = named[0] if len(named) == 1 else None
    if customer is None:
        return False
    state.trusted_customer_id = customer.id
    return True


def _proves_orders(session: Session, state: ConversationState, policy: Policy) -> bool:
    """The orders whose number was given with their e-mail or postcode."""
    proofs = policy.identity.proofs
    proven = False
    for number in state.numbers:
        for order in _lookup(session, number):
            by_email = "order+email" in proofs and state.email == order.customer.email
            codes = {
                plain_postcode(order.address.postcode),
                plain_postcode(order.customer.address.postcode),
            } - {""}
            given = {plain_postcode(code) for code in state.postcodes if code != number}
            by_postcode = "order+postcode" in proofs and bool(codes & given)
            if not (by_email or by_postcode):
                continue
            if order.number not in state.proven:
                # Once shown, an order stays open to this conversation: a new address closes nothing.
                state.proven = [*state.proven[-MOST_PROVEN:], order.number]
                state.order_id = order.id
                proven = True
    return proven


def _lookup(session: Session, number: str) -> list[Order]:
    """By order number, by its digits alone where that is unambiguous, or by a tracking number."""
    order = session.scalar(select(Order).where(Order.number == number)) or session.scalar(
        select(Order).where(Order.number == number.replace("-", ""))
    )
    if order is not None:
        return [order]
    if not number.isdigit():
        return []
    ending = session.scalars(select(Order).where(Order.number.endswith(number)).limit(2)).all()
    if len(ending) == 1 and re.fullmatch(rf"[A-Z-]*{number}", ending[0].number):
        return [ending[0]]
    parcels = session.scalars(select(Shipment).where(Shipment.tracking_number == number).limit(2)).all()
    return [parcels[0].order] if len(parcels) == 1 else []


def _is_named(name: str, said: str) -> bool:
    """Whether every part of the name stands in what was said."""
    words = set(re.findall(r"[^\W\d_]+", said.casefold()))
    parts = re.findall(r"[^\W\d_]+", name.casefold())
    joined = "".join(said.casefold().split())
    return len(parts) > 0 and (
        all(part in words for part in parts) or (len(parts) == 1 and parts[0] in joined)
    )


def _kept(before: list[str], new: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys([*before, *new]))[-MOST_KEPT:]
