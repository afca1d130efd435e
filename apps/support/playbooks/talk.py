"""Playbooks of the conversation itself: courtesy, what cannot be done here, a person wanted."""

from __future__ import annotations

from collections.abc import Callable

from babel import Locale

from apps.support.playbooks.case import Case, HandoverReason, Outcome, said
from apps.support.playbooks.payments import method_meant
from apps.support.replies.sentences import Note
from apps.support.shop.names import clip
from apps.support.words import languages, listing


def say(*keys: str) -> Callable[[Case], Outcome]:
    """Always the same sentences."""

    def playbook(case: Case) -> Outcome:
        return said(*(case.write(key) for key in keys))

    return playbook


def hand_over(reason: HandoverReason) -> Callable[[Case], Outcome]:
    def playbook(case: Case) -> Outcome:
        return Outcome(handover=reason)

    return playbook


def identified(case: Case) -> Outcome:
    """Who says who they are, and wants nothing yet."""
    customer, orders = case.context.customer, list(case.context.orders.values())
    if customer is not None:
        return said(case.write("identified", name=clip(customer.name)))
    return said(case.write("identified_order", must=("order",), order=f"#{orders[0].number}"))


def complaint(case: Case) -> Outcome:
    return Outcome(complaint=True)


def not_understood(case: Case) -> Outcome:
    return Outcome([case.write("ask_rephrase")], understood=False, exact=True)


def out_of_scope(case: Case) -> Outcome:
    return Outcome([case.write("out_of_scope")], understood=False, exact=True)


def repeat(case: Case) -> Outcome:
    if not case.state.told:
        return said(case.write("nothing_to_repeat"))
    return said(Note("again", case.state.told, ()))


def spoken_languages(case: Case) -> Outcome:
    names = Locale.parse(case.language).languages
    listed = listing([names[code] for code in languages()], case.language)
    return said(case.write("languages_spoken", languages=listed))


def method_alone(case: Case) -> Outcome:
    """A payment method without anything that it could be for."""
    if not case.context.methods:
        return said(case.write("say_which_wish"))
    method = method_meant(case)
    return method if isinstance(method, Outcome) else said(case.write("say_which_wish"))
