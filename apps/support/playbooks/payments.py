"""Which payment method is meant, and whether the policy lets it be used."""

from __future__ import annotations

from collections.abc import Sequence

from apps.support.playbooks.case import Case, Outcome, said
from apps.support.playbooks.order_rules import paid_with
from apps.support.reading.state import Question, Wish
from apps.support.replies.descriptions import method_of
from apps.support.replies.facts import Money
from apps.support.replies.listing import listing
from apps.support.replies.sentences import Note, write
from apps.support.shop.models import Order, PaymentMethod
from apps.support.shop.policy import Policy


def method_meant(case: Case) -> PaymentMethod | Outcome:
    """The method that the wish names, or the question which one."""
    methods = [m for i in case.wish.methods if (m := case.context.method(i)) is not None]
    if len(methods) == 1:
        return methods[0]
    if case.method is not None:
        return case.method
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
    if wanted.kind == "gift_card" and wanted.currency == order.currency:
        return wanted, None
    return original, write("refund_method_refused", case.language, method=method_of(original, case.language))


def difference_method(case: Case, order: Order, difference: int) -> tuple[PaymentMethod | None, Note | None]:
    """What a price difference is paid with, or given back to."""
    original, wanted = paid_with(order), case.method
    if wanted is None or (original is not None and wanted.id == original.id):
        return original, None
    foreign_card = wanted.kind == "gift_card" and wanted.currency != order.currency
    if foreign_card or wanted.kind not in case.policy.payment.methods_for_difference:
        name = method_of(wanted, case.language)
        return original, write("method_not_taken", case.language, method=name)
    amount = Money(difference, order.currency)
    if not covers(wanted, amount, case.policy):
        return original, too_small(case, wanted, amount)
    return wanted, None


def covers(method: PaymentMethod, amount: Money, policy: Policy) -> bool:
    """Whether the method may be charged: a gift card only in its own currency, and where its balance suffices."""
    if method.kind != "gift_card" or amount.minor <= 0:
        return True
    enough = (method.balance or 0) >= amount.minor or not policy.payment.gift_card_must_cover
    return method.currency == amount.currency and enough


def too_small(case: Case, card: PaymentMethod, amount: Money) -> Note:
    has = Money(card.balance or 0, card.currency)
    return write("gift_card_too_small", case.language, balance=has, amount=amount)


def ask_other_method(case: Case, card: PaymentMethod, amount: Money, wish: Wish) -> Outcome:
    """What is to be paid in place of the gift card that the order was paid with and that does not cover it."""
    others = [method for method in case.context.methods.values() if method.id != card.id]
    note = write("which_method", case.language, methods=named(case, others))
    question = Question(
        about="method",
        wish=wish,
        choices=tuple(method.id for method in others),
        labels=tuple(method_of(method, case.language) for method in others),
    )
    return Outcome([too_small(case, card, amount), note], question=question if others else None, exact=True)


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
