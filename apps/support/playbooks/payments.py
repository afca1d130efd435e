"""Which payment method is meant, and whether the policy lets it be used."""

from __future__ import annotations

from collections.abc import Sequence

from apps.support.playbooks.case import Case, Outcome, said
from apps.support.playbooks.order_rules import paid_with
from apps.support.reading.state import Question
from apps.support.replies.descriptions import method_of
from apps.support.replies.facts import Money
from apps.support.replies.listing import listing
from apps.support.replies.sentences import Note, write
from apps.support.shop.models import Order, PaymentMethod


def method_meant(case: Case) -> PaymentMethod | Outcome:
    """The method that the wish names, or the question which one."""
    methods = [m for i in case.wish.methods if (m := case.context.method(i)) is not None]
    if len(methods) != 1 and case.method is not None:
        return case.method
    if len(methods) == 1:
        return methods[0]
    offered = methods or list(case.context.methods.values())
    key = "which_method" if methods or not case.wish.unknown else "methods_on_file"
    note = write(key, case.language, methods=named(case, offered))
    labels = tuple(method_of(method, case.language) for method in offered)
    choices = tuple(method.id for method in offered)
    question = Question(about="method", wish=case.wish, choices=choices, labels=labels)
    return Outcome([note], question=question, exact=True)


def refund_method(case: Case, order: Order) -> tuple[PaymentMethod | None, Note | None]:
    """Where a refund goes: to the method that is asked for where the policy allows it, else where it came from.

    The note says why it is not the one that was asked for.
    """
    original, wanted = paid_with(order), case.method
    if wanted is None or (original is not None and wanted.id == original.id):
        return original, None
    if case.policy.payment.refund_to == "original":
        return original, write("original_only", case.language, method=method_of(original, case.language))
    if wanted.kind == "gift_card":
        return wanted, None
    return original, write("refund_method_refused", case.language, method=method_of(original, case.language))


def difference_method(case: Case, order: Order, difference: int) -> tuple[PaymentMethod | None, Note | None]:
    """What a price difference is paid with, or given back to."""
    original, wanted = paid_with(order), case.method
    if wanted is None:
        return original, None
    if wanted.kind not in case.policy.payment.methods_for_difference:
        name = method_of(wanted, case.language)
        return original, write("method_not_taken", case.language, method=name)
    covers = (wanted.balance or 0) >= difference or not case.policy.payment.gift_card_must_cover
    if wanted.kind == "gift_card" and difference > 0 and not covers:
        has, needed = Money(wanted.balance or 0, wanted.currency), Money(difference, order.currency)
        return original, write("gift_card_too_small", case.language, balance=has, amount=needed)
    return wanted, None


def named(case: Case, methods: Sequence[PaymentMethod]) -> str:
    """The methods as customers know them."""
    return listing([method_of(method, case.language) for method in methods] or ["-"], case.language, "or")


def gift_card_balance(case: Case) -> Outcome:
    cards = [method for method in case.context.methods.values() if method.kind == "gift_card"]
    if not cards:
        return said(write("no_gift_card", case.language))
    return said(
        *(
            write(
                "balance",
                case.language,
                must=("amount",),
                amount=Money(card.balance or 0, card.currency),
                method=method_of(card, case.language),
            )
            for card in cards
        )
    )
