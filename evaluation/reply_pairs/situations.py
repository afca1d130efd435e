"""What there is to say: the playbooks run over seeded shops, and the notes that they leave to the model.

Every shop has its own products, currency and forms of numbers: the adapter is to learn to repeat what it is
given, not what a certain shop's figures look like. The messages are those that the reader learns from.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.settings import PACKAGED_ADAPTERS
from apps.support.playbooks import Case, follow
from apps.support.reading.choices import OptionTable, Wanted
from apps.support.reading.commands import Command
from apps.support.reading.context import load_context
from apps.support.reading.state import ConversationState, Wish
from apps.support.replies.sentences import Note, write
from apps.support.shop.database import Database
from apps.support.shop.models import Address, Order, OrderStatus, Variant
from apps.support.shop.names import item_name, product_name
from apps.support.shop.policy import Policy, load_policy
from apps.support.shop.seed import seed
from apps.support.words import Language
from evaluation.errors import DataError
from evaluation.reader_data.wordings import Wording, read_wordings
from evaluation.reply_pairs.other_shops import rename_products, vary

FIRST_DAY, DAYS = date(2024, 1, 1), 1_400
SHARE_CHINESE = 0.4
SHARE_NAMED = 0.5
"""How often a message that names no order gets its number."""

# How often a customer comes with which kind of message: what leaves much to the model comes more often.
_WEIGHTS = {
    "status.bare": 9, "status.number": 5, "tracking.bare": 4, "items.bare": 3, "items.number": 3,
    "total.bare": 3, "total.number": 3, "price.item": 4, "price.each": 2, "shipsto.bare": 3, "placed.bare": 3,
    "payment.bare": 3, "payment.number": 3, "refund.bare": 5, "refund.number": 4, "invoice.bare": 2,
    "invoice.number": 3, "profile.show": 1, "product.price": 5, "product.stock": 4, "product.option": 6,
    "warranty.product": 3, "ask.complaint": 2, "ask.delivery_period": 3, "ask.delivery_options": 2,
    "ask.refund_policy": 2, "ask.return_policy": 2, "ask.change_policy": 1, "ask.contact": 2, "ask.warranty": 2,
    "ask.payment_methods": 1, "ask.payment_issue": 1, "ask.cancellation_fee": 1, "ask.privacy": 1,
}  # fmt: skip
_OF_ORDERS = frozenset(
    (
        "status",
        "tracking",
        "items",
        "total",
        "price",
        "shipsto",
        "placed",
        "payment",
        "refund",
        "invoice",
    )
)
_NUMBERED: dict[Language, tuple[str, ...]] = {
    "en": ("{text} #{number}", "{text} Order {number}.", "{text} it is {number}", "{number}: {text}"),
    "zh": ("{text}，订单 {number}", "订单{number}，{text}", "{text} {number}"),
}
_SLOTS = ("order", "item", "product", "new", "options")


@dataclass(frozen=True)
class Situation:
    """One turn at the point where the model is asked to speak."""

    language: Language
    intent: str
    message: str
    notes: tuple[Note, ...]
    heading: str = ""
    """Of the handbook's section, where the note is a passage of it."""
    figures: Mapping[str, str] = field(default_factory=dict)
    """The passage's own figures, each with the one that stands in its place in the note."""


@dataclass(frozen=True)
class _Said:
    """A message that was made here, with what it means: it need not be read."""

    text: str
    orders: tuple[int, ...] = ()
    items: tuple[int, ...] = ()
    words: str = ""
    wanted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def choose(self, table: OptionTable, message: str) -> Wanted:
        return Wanted(self.wanted, {})

    def address(self, message: str) -> Address:
        return Address()


@dataclass(frozen=True)
class _Shop:
    session: Session
    orders: Sequence[Order]
    variants: Sequence[Variant]
    today: date
    policy: Policy


def situations(
    database: Database,
    number: int,
    count: int,
    products: Sequence[tuple[str, str]] = (),
    policy: Policy | None = None,
) -> Iterator[Situation]:
    """`count` turns in the shop of that number, which is seeded into the empty `database` and taken back.

    `products` are (English, Chinese) names for what the shop sells; without them it sells what the
    demonstration shop does. `policy` is the shop's; without it, the demonstration shop's. The same arguments give
    the same turns. Raises DataError where the reader's wordings are not there.
    """
    policy = policy or load_policy()
    rng = random.Random(number)
    today = FIRST_DAY + timedelta(days=rng.randrange(DAYS))
    with database.read() as session:
        seed(session, today, number, policy)
        rename_products(session, rng, products)
        vary(session, rng, today)
        shop = _Shop(
            session,
            list(session.scalars(select(Order).order_by(Order.id))),
            list(session.scalars(select(Variant).order_by(Variant.id))),
            today,
            policy,
        )
        found = 0
        while found < count:
            situation = _situation(shop, rng)
            if situation is not None:
                found += 1
                yield situation


def _situation(shop: _Shop, rng: random.Random) -> Situation | None:
    """None where the playbook's answer is said as written, or asks something."""
    language: Language = "zh" if rng.random() < SHARE_CHINESE else "en"
    kind = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    verb, _, rest = kind.partition(".")
    topic = rest if verb == "ask" else ""
    order = _order_for(verb, rng, shop.orders)
    said = _message(shop, rng, kind, language, order)
    intent = Command(verb, topic=topic).intent or verb
    if topic == "complaint":
        ticket = f"T{rng.randrange(1, 9_000)}"
        note = write("complaint_filed", language, must=("ticket",), policy=shop.policy, ticket=ticket)
        return Situation(language, intent, said.text, (note,))
    state = ConversationState(
        trusted_customer_id=order.customer_id, order_id=order.id if verb in _OF_ORDERS else None
    )
    case = Case(
        session=shop.session,
        state=state,
        context=load_context(shop.session, state),
        wish=Wish(
            verb=verb, orders=said.orders, items=said.items, words=said.words, topic=topic, text=said.text
        ),
        language=language,
        today=shop.today,
        policy=shop.policy,
        reader=said,
    )
    outcome = follow(case)
    if outcome.exact or outcome.asks or not any(note.facts for note in outcome.notes):
        return None
    heading = outcome.citations[0].rpartition(" › ")[2] if outcome.citations else ""
    return Situation(language, intent, said.text, tuple(outcome.notes), heading)


def _order_for(verb: str, rng: random.Random, orders: Sequence[Order]) -> Order:
    """Mostly one that has what is asked for."""
    order = rng.choice(orders)
    for _ in range(12):
        fitting = {
            "refund": bool(order.returns) or order.status == OrderStatus.CANCELLED,
            "status": bool(order.shipments),
        }.get(verb, True)
        if fitting or rng.random() < 0.1:
            break
        order = rng.choice(orders)
    return order


def _message(shop: _Shop, rng: random.Random, kind: str, language: Language, order: Order) -> _Said:
    """A message of the kind, about `order` or about a product of the shop."""
    wording = rng.choice(_wordings(language)[kind]).text
    item = rng.choice(order.items)
    asks = "{new}" in wording or "{options}" in wording
    variant = rng.choice([variant for variant in shop.variants if variant.options or not asks])
    product = product_name(variant.product, language)
    asked = {option: str(value) for option, value in variant.options.items()} if asks else {}
    if "{new}" in wording:
        asked = dict(rng.sample(sorted(asked.items()), 1))
    text = wording.format(
        order=rng.choice((f"#{order.number}", order.number)),
        item=item_name(item, language),
        product=product,
        new=" ".join(asked.values()),
        options=" ".join(asked.values()),
    )
    named = "{order}" in wording
    if kind.endswith(".bare") and rng.random() < SHARE_NAMED:
        named = True
        text = rng.choice(_NUMBERED[language]).format(text=text, number=order.number)
    return _Said(
        text,
        orders=(order.id,) if named else (),
        items=(item.id,) if "{item}" in wording else (),
        words=product if "{product}" in wording else "",
        wanted={option: (value,) for option, value in asked.items()},
    )


@cache
def _wordings(language: Language) -> dict[str, list[Wording]]:
    """kind → the messages whose slots can be filled here."""
    folder = PACKAGED_ADAPTERS / "support-reader" / "wordings"
    read = read_wordings(sorted(folder.glob("*.txt")))
    found = {
        kind: [w for w in read.get(kind, []) if w.language == language and _can_fill(w)] for kind in _WEIGHTS
    }
    lacking = [kind for kind, messages in found.items() if not messages]
    if lacking:
        raise DataError(f"{folder} has no message in {language!r} of the kinds {', '.join(lacking)}")
    return found


def _can_fill(wording: Wording) -> bool:
    return {name for _, name, _, _ in string.Formatter().parse(wording.text) if name} <= set(_SLOTS)
