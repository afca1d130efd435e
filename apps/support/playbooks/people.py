"""Playbooks about the customer: account data, newsletter, complaints, a person instead of the bot."""

from __future__ import annotations

from dataclasses import asdict

from apps.support.conversations.identity import known_customer
from apps.support.playbooks.case import Case, Outcome
from apps.support.playbooks.handbook_answers import answer_from
from apps.support.playbooks.order_changes import ask_for_yes
from apps.support.replies.sentences import write

_ACCOUNT_DATA = answer_from("account", "account_data")
_NEWSLETTER = answer_from("newsletter", "newsletter")


def set_up_shipping_address(case: Case) -> Outcome:
    """The address for future orders: set for a known customer, explained to everybody else."""
    customer = known_customer(case.session, case.state)
    if customer is None:
        return _ACCOUNT_DATA(case)
    address = case.entities.address
    if address is None:
        return Outcome([write("ask_address", case.language)], awaiting="address", exact=True)
    note = write("confirm_default_address", case.language, must=("address",), address=address.one_line())
    details = {"customer_id": customer.id, "address": asdict(address)}
    return ask_for_yes(case, "default_address", note, None, **details)


def newsletter_subscription(case: Case) -> Outcome:
    customer = known_customer(case.session, case.state)
    if customer is None:
        return _NEWSLETTER(case)
    subscribe = "unsubscribe" not in case.entities.wishes
    if customer.newsletter == subscribe:
        key = "done_subscribe" if subscribe else "done_unsubscribe"
        return Outcome([write(key, case.language, must=("email",), email=customer.email)])
    key = "confirm_subscribe" if subscribe else "confirm_unsubscribe"
    note = write(key, case.language, must=("email",), email=customer.email)
    details = {"customer_id": customer.id, "subscribe": subscribe}
    return ask_for_yes(case, "newsletter", note, None, **details)


def complaint(case: Case) -> Outcome:
    return Outcome(complaint=True)


def human(case: Case) -> Outcome:
    return Outcome(handover="requested")
