"""Proof first: a playbook about an order gets it only when the conversation has proven whose it is."""

from __future__ import annotations

from collections.abc import Callable, Collection

from apps.support.conversations.identity import MOST_FAILED_PROOFS, find_order
from apps.support.playbooks.case import Case, Outcome
from apps.support.playbooks.handbook_answers import general_answer
from apps.support.replies.descriptions import describe_order
from apps.support.replies.sentences import Note, listing, write
from apps.support.shop.models import Order, OrderStatus

ANY = frozenset(OrderStatus)
OPEN = frozenset({OrderStatus.PENDING, OrderStatus.PROCESSED, OrderStatus.SHIPPED})


def with_order(
    statuses: Collection[OrderStatus],
) -> Callable[[Callable[[Case, Order], Outcome]], Callable[[Case], Outcome]]:
    """Makes a playbook that gets the order in question only when it is proven, and asks for it otherwise."""

    def wrap(tell: Callable[[Case, Order], Outcome]) -> Callable[[Case], Outcome]:
        def playbook(case: Case) -> Outcome:
            access = find_order(case.session, case.state, statuses, new_proof=case.new_proof)
            if access.order is not None:
                case.state.order_number = access.order.number
                case.state.awaiting = None
                outcome = tell(case, access.order)
                outcome.looked_up.setdefault("order", access.order.number)
                outcome.looked_up.setdefault("status", access.order.status)
                return outcome
            number = f"#{access.number}"
            if access.outcome == "which_order":
                case.state.choices = [order.number for order in access.choices]
                orders = listing(
                    [describe_order(order, case.language) for order in access.choices], case.language, "or"
                )
                note = write("ask_which_order", case.language, must=("orders",), orders=orders)
                return _ask_for_order(case, note)
            if access.outcome == "ask_order":
                key = "ask_order_only" if case.state.email or case.state.postcode else "ask_order"
                return _ask_for_order(case, write(key, case.language))
            if access.outcome == "ask_proof":
                note = write("ask_proof", case.language, must=("order",), order=number)
                return Outcome([note], awaiting="proof", exact=True)
            if case.state.failed_proofs >= MOST_FAILED_PROOFS:
                return Outcome(handover="identity")
            note = write("proof_wrong", case.language, must=("order",), order=number)
            return Outcome([note], awaiting="proof", exact=True)

        return playbook

    return wrap


def _ask_for_order(case: Case, note: Note) -> Outcome:
    """Ask which order it is about; a question about the rules is answered first."""
    answer = None if case.new_proof else general_answer(case)
    if answer is None:
        return Outcome([note], awaiting="order", exact=True)
    answer.closing, answer.awaiting = note.text, "order"
    return answer
