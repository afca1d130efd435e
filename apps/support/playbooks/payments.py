"""Which payment method is meant, and whether the policy lets it be used."""

from __future__ import annotations

from collections.abc import Sequence

from apps.support.errors import ActionRefusedError
from apps.support.playbooks.case import Case, Outcome, asking, said
from apps.support.playbooks.order_rules import check_difference_method, check_refund_method, paid_with
from apps.support.reading.state import Wish
from apps.support.replies.descriptions import method_of
from apps.support.replies.facts import Money
from apps.support.replies.sentences import Note
from apps.support.shop.models import Order, PaymentMethod
from apps.support.words import listing


def method_meant(case: Case) -> PaymentMethod | Outcome:
    """The method that the wish names, or the question which one."""
    methods = [m for i in case.wish.methods if (m := case.context.method(i)) is not None]
    if len(methods) == 1:
        return methods[0]
    if case.method is not None:
        return case.method
    offered = methods or list(case.context.methods.values())
    key = "which_method" if methods or not case.wish.unknown else "methods_on_file"
    return _ask_method(case, key, offered, case.wish)


def refund_method(case: Case, order: Order) -> tuple[PaymentMethod | None, Note | None]:
    """Where a refund goes: to the method that is asked for where the policy allows it, else where it came from.

    The note says why it is not the one that was asked for.
    """
    original, wanted = paid_with(order), case.method
    if wanted is None:
        return original, None
    try:
        check_refund_method(order, wanted, case.policy)
    except ActionRefusedError as error:
        return original, case.write(error.reason, method=method_of(original, case.language))
    return wanted, None


def difference_method(case: Case, order: Order, difference: int) -> tuple[PaymentMethod | None, Note | None]:
    """What a price difference is paid with, or given back to."""
    original, wanted = paid_with(order), case.method
    if wanted is None:
        return original, None
    try:
        check_difference_method(order, wanted, difference, case.policy)
    except ActionRefusedError as error:
        if error.reason == "gift_card_too_small":
            return original, too_small(case, wanted, Money(difference, order.currency))
        return original, case.write(error.reason, method=method_of(wanted, case.language))
    return wanted, None


def too_small(case: Case, card: PaymentMethod, amount: Money) -> Note:
    has = Money(card.balance or 0, card.currency)
    return case.write("gift_card_too_small", balance=has, amount=amount)


def ask_other_method(case: Case, card: PaymentMethod, amount: Money, wish: Wish) -> Outcome:
    """What is to be paid in place of the gift card that the order was paid with and that does not cover it."""
    others = [method for method in case.context.methods.values() if method.id != card.id]
    outcome = _ask_method(case, "which_method", others, wish)
    outcome.notes.insert(0, too_small(case, card, amount))
    outcome.question = outcome.question if others else None
    return outcome


def _ask_method(case: Case, key: str, offered: Sequence[PaymentMethod], wish: Wish) -> Outcome:
    names = {method.id: method_of(method, case.language) for method in offered}
    listed = listing(list(names.values()) or ["-"], case.language, "or")
    return asking("method", wish, names, case.write(key, methods=listed))


def gift_card_balance(case: Case) -> Outcome:
    cards = [method for method in case.context.methods.values() if method.kind == "gift_card"]
    if not cards:
        return said(case.write("no_gift_card"))
    return said(
        *(
            case.write(
                "balance",
                must=("amount",),
                amount=Money(card.balance or 0, card.currency),
                method=method_of(card, case.language),
            )
            for card in cards
        )
    )
