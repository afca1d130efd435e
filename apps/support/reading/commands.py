"""The language that a message is read into: a few verbs with the handles of what they are about.

One message is one or more commands, "; " between them: `return a c; with 2`. Orders have capital letters from
P on, items small letters, payment methods numbers: the handles of the view that the message was read with
(view.py). `?` stands for something that the message names and that is not there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

UNKNOWN = "?"
SEPARATOR = "; "


class Shape(StrEnum):
    """What may follow a verb."""

    NOTHING = "nothing"
    ORDERS = "orders"  # P, P Q, P or Q, ?
    ITEMS = "items"  # a b, a or b [cheapest | dearest], a like b, P, P not a, ?
    PLACE = "place"  # [orders] [to given | home | P]
    METHOD = "method"  # [P] [with] 1, 1 or 2, ?
    WORDS = "words"  # words of the message
    TOPIC = "topic"


VERBS: dict[str, Shape] = {
    # what becomes of orders and items
    "cancel": Shape.ORDERS,
    "drop": Shape.ITEMS,  # leave one item out of an order
    "return": Shape.ITEMS,
    "swap": Shape.ITEMS,  # another option: a change while the order is pending, an exchange afterwards
    "problem": Shape.ITEMS,  # something is wrong with it, and no wish is named
    "readdress": Shape.PLACE,
    "home": Shape.PLACE,  # the account's own address
    "repay": Shape.METHOD,  # another method for an order's payment
    "with": Shape.METHOD,  # the method for what is proposed or asked for
    # what is asked about orders
    "status": Shape.ORDERS,
    "lost": Shape.ORDERS,
    "tracking": Shape.ORDERS,
    "items": Shape.ORDERS,
    "total": Shape.ORDERS,
    "price": Shape.ITEMS,
    "shipsto": Shape.ORDERS,
    "placed": Shape.ORDERS,
    "payment": Shape.ORDERS,
    "refund": Shape.ORDERS,
    "invoice": Shape.ORDERS,
    "orders": Shape.NOTHING,
    "balance": Shape.NOTHING,
    "sum": Shape.NOTHING,  # of what is given back in this conversation
    "spent": Shape.NOTHING,
    "profile": Shape.NOTHING,
    # the shop's products
    "product": Shape.WORDS,
    "warranty": Shape.WORDS,
    # answers to a proposal
    "yes": Shape.NOTHING,
    "no": Shape.NOTHING,
    "wait": Shape.NOTHING,
    "about": Shape.NOTHING,  # a question about what is proposed
    # the conversation itself
    "greet": Shape.NOTHING,
    "thanks": Shape.NOTHING,
    "bye": Shape.NOTHING,
    "who": Shape.NOTHING,
    "identify": Shape.NOTHING,
    "again": Shape.NOTHING,
    "language": Shape.NOTHING,  # wants another language
    "photo": Shape.NOTHING,  # says that a picture or link is attached
    "undo": Shape.NOTHING,
    "other": Shape.NOTHING,  # somebody else's order
    "exception": Shape.NOTHING,  # vouchers, faster refunds, what the policy does not have
    "split": Shape.NOTHING,  # one payment on two methods
    "person": Shape.NOTHING,
    "anger": Shape.NOTHING,
    "danger": Shape.NOTHING,
    "law": Shape.NOTHING,
    "none": Shape.NOTHING,  # none of the shop's business
    "unclear": Shape.NOTHING,
    "ask": Shape.TOPIC,
}

TOPICS = (
    "cancellation_fee",
    "change_policy",
    "complaint",
    "contact",
    "create_account",
    "delete_account",
    "delivery_options",
    "delivery_period",
    "edit_account",
    "invoices",
    "newsletter_off",
    "newsletter_on",
    "payment_issue",
    "payment_methods",
    "place_order",
    "privacy",
    "recover_password",
    "refund_policy",
    "registration_problems",
    "return_policy",
    "review",
    "switch_account",
    "warranty",
)

CHANGING = frozenset({"cancel", "drop", "return", "swap", "readdress", "home", "repay"})
"""The verbs that propose a write."""

INTENTS: dict[str, str] = {
    "cancel": "cancel_order",
    "drop": "cancel_order",
    "return": "get_refund",
    "swap": "change_order",
    "problem": "complaint",
    "readdress": "change_shipping_address",
    "home": "set_up_shipping_address",
    "repay": "payment_issue",
    "with": "check_payment_methods",
    "status": "track_order",
    "lost": "track_order",
    "tracking": "track_order",
    "items": "track_order",
    "total": "track_order",
    "price": "track_order",
    "shipsto": "track_order",
    "placed": "track_order",
    "payment": "track_order",
    "refund": "track_refund",
    "invoice": "get_invoice",
    "orders": "track_order",
    "balance": "check_payment_methods",
    "sum": "track_refund",
    "spent": "track_order",
    "profile": "edit_account",
    "product": "place_order",
    "warranty": "place_order",
    "exception": "complaint",
    "split": "check_payment_methods",
    "person": "contact_human_agent",
    "anger": "complaint",
    "danger": "complaint",
    "law": "complaint",
    "undo": "place_order",
    "ask cancellation_fee": "check_cancellation_fee",
    "ask change_policy": "change_order",
    "ask complaint": "complaint",
    "ask contact": "contact_customer_service",
    "ask create_account": "create_account",
    "ask delete_account": "delete_account",
    "ask delivery_options": "delivery_options",
    "ask delivery_period": "delivery_period",
    "ask edit_account": "edit_account",
    "ask invoices": "check_invoice",
    "ask newsletter_off": "newsletter_subscription",
    "ask newsletter_on": "newsletter_subscription",
    "ask payment_issue": "payment_issue",
    "ask payment_methods": "check_payment_methods",
    "ask place_order": "place_order",
    "ask privacy": "edit_account",
    "ask recover_password": "recover_password",
    "ask refund_policy": "check_refund_policy",
    "ask registration_problems": "registration_problems",
    "ask return_policy": "check_refund_policy",
    "ask review": "review",
    "ask switch_account": "switch_account",
    "ask warranty": "check_refund_policy",
}
"""The shop intent of each command, for helpdesks and statistics; commands without one have none."""
OUT_OF_SCOPE = "out_of_scope"
INTENT_NAMES = (*sorted(set(INTENTS.values())), OUT_OF_SCOPE)


@dataclass(frozen=True)
class Command:
    """One wish. What a verb cannot have stays empty."""

    verb: str
    orders: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()  # items of the order that are kept
    alternatives: bool = False  # one of these is meant, and the message does not say which
    pick: str | None = None  # "cheapest" or "dearest" of the alternatives
    like: str | None = None  # the item whose option is wanted
    to: str | None = None  # "given", "home" or an order
    methods: tuple[str, ...] = ()
    words: str = ""
    topic: str = ""
    unknown: bool = False  # the message names something that is not there

    @property
    def intent(self) -> str | None:
        """The shop intent it belongs to; None for what is none of the shop's business, and for mere answers."""
        return INTENTS.get(f"ask {self.topic}" if self.topic else self.verb)

    def __str__(self) -> str:
        joint = " or " if self.alternatives else " "
        parts = [self.verb]
        parts += [joint.join(names) for names in (self.orders, self.items) if names]
        if self.unknown:
            parts.append(UNKNOWN)
        if self.pick:
            parts.append(self.pick)
        if self.excluded:
            parts += ["not", *self.excluded]
        if self.like:
            parts += ["like", self.like]
        if self.to:
            parts += ["to", self.to]
        if self.methods:
            parts += [*(["with"] if self.verb == "repay" else []), joint.join(self.methods)]
        parts += [part for part in (self.words, self.topic) if part]
        return " ".join(parts)


def write(commands: list[Command]) -> str:
    """As the model writes them."""
    return SEPARATOR.join(map(str, commands))


def parse(text: str) -> list[Command]:
    """What `write` wrote. Raises ValueError for anything else; the constraint lets nothing else be written."""
    return [_parse_one(part.strip()) for part in re.split(r";\s*", text) if part.strip()]


def is_order(handle: str) -> bool:
    return len(handle) == 1 and handle.isupper()


def is_item(handle: str) -> bool:
    return len(handle) == 1 and handle.islower()


def _parse_one(text: str) -> Command:
    verb, _, rest = text.partition(" ")
    shape = VERBS.get(verb)
    if shape is None:
        raise ValueError(f"{text!r} is no command")
    if shape is Shape.WORDS:
        return Command(verb, words=rest)
    if shape is Shape.TOPIC:
        if rest not in TOPICS:
            raise ValueError(f"{rest!r} is no topic")
        return Command(verb, topic=rest)
    return _parse_handles(verb, rest.split(), text)


def _parse_handles(verb: str, words: list[str], text: str) -> Command:
    found: dict[str, list[str]] = {"orders": [], "items": [], "excluded": [], "methods": []}
    flags: dict[str, object] = {}
    mode = ""
    for word in words:
        if word == "or":
            flags["alternatives"] = True
        elif word in ("not", "like", "to", "with"):
            mode = word
        elif word in ("cheapest", "dearest"):
            flags["pick"] = word
        elif word == UNKNOWN:
            flags["unknown"] = True
        elif mode == "to" and (word in ("given", "home") or is_order(word)):
            flags["to"] = word
        elif mode == "like" and is_item(word):
            flags["like"] = word
        elif word.isdigit():
            found["methods"].append(word)
        elif is_order(word):
            found["orders"].append(word)
        elif is_item(word):
            found["excluded" if mode == "not" else "items"].append(word)
        else:
            raise ValueError(f"{text!r} is no command: {word!r}")
    return Command(verb, **{name: tuple(names) for name, names in found.items()}, **flags)  # type: ignore[arg-type]
