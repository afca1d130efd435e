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


_VERBS: dict[str, tuple[Shape, str | None]] = {
    # what becomes of orders and items
    "cancel": (Shape.ORDERS, "cancel_order"),
    "drop": (Shape.ITEMS, "cancel_order"),  # leave one item out of an order
    "return": (Shape.ITEMS, "get_refund"),
    "swap": (Shape.ITEMS, "change_order"),  # another option: a change while it is pending, later an exchange
    "problem": (Shape.ITEMS, "complaint"),  # something is wrong with it, and no wish is named
    "readdress": (Shape.PLACE, "change_shipping_address"),
    "home": (Shape.PLACE, "set_up_shipping_address"),  # the account's own address
    "repay": (Shape.METHOD, "payment_issue"),  # another method for an order's payment
    "with": (Shape.METHOD, "check_payment_methods"),  # the method for what is proposed or asked for
    # what is asked about orders
    "status": (Shape.ORDERS, "track_order"),
    "lost": (Shape.ORDERS, "track_order"),
    "tracking": (Shape.ORDERS, "track_order"),
    "items": (Shape.ORDERS, "track_order"),
    "total": (Shape.ORDERS, "track_order"),
    "price": (Shape.ITEMS, "track_order"),
    "shipsto": (Shape.ORDERS, "track_order"),
    "placed": (Shape.ORDERS, "track_order"),
    "payment": (Shape.ORDERS, "track_order"),
    "refund": (Shape.ORDERS, "track_refund"),
    "invoice": (Shape.ORDERS, "get_invoice"),
    "orders": (Shape.NOTHING, "track_order"),
    "balance": (Shape.NOTHING, "check_payment_methods"),
    "sum": (Shape.NOTHING, "track_refund"),  # of what is given back in this conversation
    "spent": (Shape.NOTHING, "track_order"),
    "profile": (Shape.NOTHING, "edit_account"),
    # the shop's products
    "product": (Shape.WORDS, "place_order"),
    "warranty": (Shape.WORDS, "place_order"),
    # answers to a proposal
    "yes": (Shape.NOTHING, None),
    "no": (Shape.NOTHING, None),
    "wait": (Shape.NOTHING, None),
    "about": (Shape.NOTHING, None),  # a question about what is proposed
    # the conversation itself
    "greet": (Shape.NOTHING, None),
    "thanks": (Shape.NOTHING, None),
    "bye": (Shape.NOTHING, None),
    "who": (Shape.NOTHING, None),
    "identify": (Shape.NOTHING, None),
    "again": (Shape.NOTHING, None),
    "language": (Shape.NOTHING, None),  # wants another language
    "photo": (Shape.NOTHING, None),  # says that a picture or link is attached
    "undo": (Shape.NOTHING, "place_order"),
    "other": (Shape.NOTHING, None),  # somebody else's order
    "exception": (Shape.NOTHING, "complaint"),  # vouchers, faster refunds, what the policy does not have
    "split": (Shape.NOTHING, "check_payment_methods"),  # one payment on two methods
    "person": (Shape.NOTHING, "contact_human_agent"),
    "anger": (Shape.NOTHING, "complaint"),
    "danger": (Shape.NOTHING, "complaint"),
    "law": (Shape.NOTHING, "complaint"),
    "none": (Shape.NOTHING, None),  # none of the shop's business
    "unclear": (Shape.NOTHING, None),
    "ask": (Shape.TOPIC, None),
}
"""Each verb's shape and the shop intent it counts as, for helpdesks and statistics; None for mere answers."""
_TOPICS = {
    "cancellation_fee": "check_cancellation_fee",
    "change_policy": "change_order",
    "complaint": "complaint",
    "contact": "contact_customer_service",
    "create_account": "create_account",
    "delete_account": "delete_account",
    "delivery_options": "delivery_options",
    "delivery_period": "delivery_period",
    "edit_account": "edit_account",
    "invoices": "check_invoice",
    "newsletter_off": "newsletter_subscription",
    "newsletter_on": "newsletter_subscription",
    "payment_issue": "payment_issue",
    "payment_methods": "check_payment_methods",
    "place_order": "place_order",
    "privacy": "edit_account",
    "recover_password": "recover_password",
    "refund_policy": "check_refund_policy",
    "registration_problems": "registration_problems",
    "return_policy": "check_refund_policy",
    "review": "review",
    "switch_account": "switch_account",
    "warranty": "check_refund_policy",
}
VERBS = {verb: shape for verb, (shape, _) in _VERBS.items()}
TOPICS = tuple(_TOPICS)
CHANGING = frozenset({"cancel", "drop", "return", "swap", "readdress", "home", "repay"})
"""The verbs that propose a write."""
INTENTS = {verb: intent for verb, (_, intent) in _VERBS.items() if intent}
INTENTS |= {f"ask {topic}": intent for topic, intent in _TOPICS.items()}
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
