"""Playbooks of addresses: where an order goes, and where the account is at home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from apps.support.errors import ActionRefusedError
from apps.support.playbooks.case import Case, Outcome, Planned, said
from apps.support.playbooks.handbook_answers import answer_from
from apps.support.playbooks.order_rules import check_state, refusal
from apps.support.playbooks.things import orders_meant, talk_about
from apps.support.reading.identifiers import with_handles
from apps.support.reading.postal import PARTS
from apps.support.reading.state import Line, Question, Step
from apps.support.replies.sentences import Note
from apps.support.shop.models import Address, Customer, Order
from apps.support.shop.policy import Deed
from apps.support.words import listing

_ACCOUNT_DATA = answer_from("account", "account_data")
_NEEDED = ("line1", "city", "postcode")


def readdress(case: Case) -> Outcome:
    """Another address for one or more orders: one that is given, the account's, or another order's."""
    meant = orders_meant(case, case.policy.states.address)
    if isinstance(meant, Outcome):
        return meant
    talk_about(case, meant[:1])
    changeable, refused = changeable_orders(case, meant, "address")
    if not changeable:
        return said(*refused)
    outcome = Outcome(refused, exact=True)
    for order in changeable:
        address = _wanted_address(case, order.address, changeable)
        if isinstance(address, Outcome):
            return Outcome([*refused, *address.notes], question=address.question, exact=True)
        if address == order.address:
            outcome.notes.append(case.write("known_address_same", address=address.one_line()))
            continue
        outcome.planned.append(plan_address(case, order, address))
    return outcome


def changeable_orders(case: Case, orders: Sequence[Order], deed: Deed) -> tuple[list[Order], list[Note]]:
    """The orders in a state that allows it, and for the others why not."""
    changeable, refused = [], []
    for order in orders:
        try:
            check_state(deed, order, case.policy)
            changeable.append(order)
        except ActionRefusedError as error:
            refused.append(refusal(error.reason, order, case.language, case.policy))
    return changeable, refused


def plan_address(case: Case, order: Order, address: Address) -> Planned:
    number, text = f"#{order.number}", address.one_line()
    deed = case.write("deed_change_address", must=("order", "address"), order=number, address=text)
    line = Line(title=deed.text, before=order.address.one_line(), after=text)
    step = Step(name="change_address", order_id=order.id, arguments={"address": asdict(address)})
    return Planned(step, deed, None, line)


def change_home(case: Case) -> Outcome:
    """The account's own address; of somebody whose account is not known, how it is changed."""
    account = case.context.account
    if account is None:
        return _ACCOUNT_DATA(case)
    wanted = _wanted_address(case, account.address, [])
    if isinstance(wanted, Outcome):
        return wanted
    if wanted == account.address:
        return said(case.write("known_address_same", address=wanted.one_line()))
    return Outcome(planned=[plan_home(case, wanted)], exact=True)


def plan_home(case: Case, address: Address) -> Planned:
    account = account_of(case)
    text = address.one_line()
    deed = case.write("deed_default_address", must=("address",), address=text)
    step = Step(name="default_address", arguments={"customer_id": account.id, "address": asdict(address)})
    return Planned(step, deed, None, Line(title=deed.text, before=account.address.one_line(), after=text))


def account_of(case: Case) -> Customer:
    """Raises ActionRefusedError where it is not known any more."""
    if case.context.account is None:
        raise ActionRefusedError("changed_meanwhile")
    return case.context.account


def _wanted_address(case: Case, present: Address, orders: Sequence[Order]) -> Address | Outcome:
    """The address of the wish, or the question for it. What a message leaves out stays as it is."""
    wish, account = case.wish, case.context.account
    if wish.to == "home" and account is not None:
        return account.address
    if wish.to == "order":
        other = case.context.order(wish.to_order)
        if other is not None:
            return other.address
    text = with_handles(wish.text, case.context.numbers)
    given = case.reader.address(text) if wish.to == "given" else Address()
    if given == Address():
        return _ask_address(case, orders)
    if given.is_complete or (given.line2 and not (given.line1 or given.city or given.postcode)):
        return _merged(given, present)
    return _ask_rest(case, given, orders)


def _merged(given: Address, present: Address) -> Address:
    """The given parts; of a complete address nothing of the present one stays but a country that is left out."""
    if not given.is_complete:
        return Address(**{part: getattr(given, part) or getattr(present, part) for part in PARTS})
    return Address(
        given.line1, given.line2, given.city, given.region, given.postcode, given.country or present.country
    )


def _ask_address(case: Case, orders: Sequence[Order]) -> Outcome:
    wish = case.wish.model_copy(
        update={"orders": tuple(order.id for order in orders), "to": None, "items": ()}
    )
    question = Question(about="address", wish=wish)
    return Outcome([case.write("ask_address")], question=question, exact=True)


def _ask_rest(case: Case, given: Address, orders: Sequence[Order]) -> Outcome:
    lacking = [case.write(f"part_{part}").text for part in _NEEDED if not getattr(given, part)]
    outcome = _ask_address(case, orders)
    outcome.notes = [case.write("address_incomplete", parts=listing(lacking, case.language))]
    return outcome
