"""For each command: which facts it needs, and which writes it may propose."""

from __future__ import annotations

from collections.abc import Callable

from apps.support.playbooks.addresses import change_home, readdress
from apps.support.playbooks.case import Case, Outcome
from apps.support.playbooks.changes import (
    cancel,
    change_payment,
    drop,
    give_back,
    newsletter,
    problem,
)
from apps.support.playbooks.handbook_answers import answer_from
from apps.support.playbooks.order_questions import (
    contents,
    given_back,
    invoice,
    item_price,
    list_orders,
    lost,
    order_question,
    payment,
    placed,
    profile,
    refund,
    ships_to,
    spent,
    status,
    total,
    tracking,
)
from apps.support.playbooks.payments import gift_card_balance
from apps.support.playbooks.products import product_question, warranty
from apps.support.playbooks.swaps import swap
from apps.support.playbooks.talk import (
    complaint,
    hand_over,
    identified,
    method_alone,
    not_understood,
    out_of_scope,
    repeat,
    say,
    spoken_languages,
)

Playbook = Callable[[Case], Outcome]

PLAYBOOKS: dict[str, Playbook] = {
    "cancel": cancel,
    "drop": drop,
    "return": give_back,
    "swap": swap,
    "problem": problem,
    "readdress": readdress,
    "home": change_home,
    "repay": change_payment,
    "with": method_alone,
    "status": order_question(status),
    "lost": order_question(lost),
    "tracking": order_question(tracking),
    "items": order_question(contents),
    "total": order_question(total),
    "price": item_price,
    "shipsto": order_question(ships_to),
    "placed": order_question(placed),
    "payment": order_question(payment),
    "refund": order_question(refund),
    "invoice": order_question(invoice),
    "orders": list_orders,
    "balance": gift_card_balance,
    "sum": given_back,
    "spent": spent,
    "profile": profile,
    "product": product_question,
    "warranty": warranty,
    "greet": say("greeting"),
    "thanks": say("thanks"),
    "bye": say("goodbye"),
    "who": say("about_me"),
    "identify": identified,
    "again": repeat,
    "language": spoken_languages,
    "photo": say("photo_unseen"),
    "undo": say("undo_refused"),
    "other": say("other_person"),
    "exception": say("exception_refused"),
    "split": say("split_refused"),
    "person": hand_over("requested"),
    "anger": hand_over("anger"),
    "danger": hand_over("danger"),
    "law": hand_over("legal"),
    "none": out_of_scope,
    "unclear": not_understood,
}

NEEDS_CUSTOMER = frozenset(
    {
        "cancel", "return", "swap", "problem", "readdress", "repay", "status", "lost", "tracking", "items",
        "total", "price", "shipsto", "placed", "payment", "refund", "invoice", "orders", "balance", "spent",
        "profile", "identify",
    }
)  # fmt: skip
"""Commands about what is the customer's own: nothing is told or done before it is proven who writes."""

_TOPICS: dict[str, Playbook] = {
    "cancellation_fee": answer_from("cancellations", "cancellation_fee"),
    "change_policy": answer_from("order-changes", "placing_order"),
    "complaint": complaint,
    "contact": answer_from("contact", "service_hours"),
    "create_account": answer_from("account", "new_account"),
    "delete_account": answer_from("account", "account_deletion"),
    "delivery_options": answer_from("delivery", "delivery_options"),
    "delivery_period": answer_from("delivery", "delivery_times"),
    "edit_account": answer_from("account", "account_data"),
    "invoices": answer_from("payment", "payment_methods"),
    "newsletter_off": answer_from("newsletter", "newsletter"),
    "newsletter_on": answer_from("newsletter", "newsletter"),
    "payment_issue": answer_from("payment", "payment_problems"),
    "payment_methods": answer_from("payment", "payment_methods"),
    "place_order": answer_from("order-changes", "placing_order"),
    "privacy": answer_from("privacy", "account_data"),
    "recover_password": answer_from("account", "password"),
    "refund_policy": answer_from("refunds", "refund_policy"),
    "registration_problems": answer_from("account", "registration_problems"),
    "return_policy": answer_from("returns", "returning"),
    "review": answer_from("contact", "reviews"),
    "switch_account": answer_from("account", "other_account"),
    "warranty": answer_from("warranty", "warranty"),
}


def follow(case: Case) -> Outcome:
    """What comes of one wish."""
    wish = case.wish
    if wish.verb != "ask":
        return PLAYBOOKS[wish.verb](case)
    if wish.topic.startswith("newsletter"):
        planned = newsletter(case)
        if planned is not None:
            return planned
    return _TOPICS[wish.topic](case)


__all__ = ["NEEDS_CUSTOMER", "Case", "Outcome", "follow"]
