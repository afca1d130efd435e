"""What a reply must say and must not: judged against the database, not against what the pipeline found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apps.support.playbooks.order_rules import paid_with
from apps.support.replies.descriptions import method_of
from apps.support.replies.facts import Money, Value, make_fact
from apps.support.replies.grounding import unsupported
from apps.support.replies.sentences import Note, wordings
from apps.support.shop.models import Order, OrderStatus, PolicySection
from apps.support.shop.names import product_name
from apps.support.shop.policy import Policy
from apps.support.words import Language

STATUS_WORDS: dict[str, tuple[str, ...]] = {
    "pending": ("pending", "待处理"),
    "processed": ("processed", "已处理"),
    "shipped": ("shipped", "on its way", "已发货", "配送途中"),
    "delivered": ("delivered", "已送达"),
    "cancelled": ("cancelled", "canceled", "已取消", "已经取消"),
}
_SAYS_STATUS = r"\b(?:is|was|been|and) (?:now |already |currently )?{word}\b"
_REFUSES = ("cannot", "can't", "can not", "unable", "not possible", "无法", "不能")


@dataclass(frozen=True)
class Expected:
    """Something that the reply must say, in any one of its forms."""

    name: str
    forms: tuple[str, ...]

    def said_in(self, reply: str) -> bool:
        folded = _fold(reply)
        return any(_stands_in(_fold(form), folded) for form in self.forms)


def expect(name: str, value: Value, language: Language) -> Expected:
    """A value in every form in which a reply may write it."""
    fact = make_fact(name, value, language, must=True)
    return Expected(name, (fact.text, *fact.forms))


def expect_status(status: OrderStatus) -> Expected:
    return Expected("status", STATUS_WORDS[status.value])


def expect_refusal() -> Expected:
    return Expected("refusal", _REFUSES)


def contradictions(reply: str, status: OrderStatus | None) -> list[str]:
    """Other states of the order that the reply asserts."""
    if status is None:
        return []
    found = []
    for other, words in STATUS_WORDS.items():
        if other == status.value:
            continue
        for word in words:
            pattern = (
                _SAYS_STATUS.format(word=word) if word.isascii() else rf"(?<![未没有])订单[^。]{{0,20}}{word}"
            )
            # "only pending orders can be cancelled" and "has not been processed yet" claim nothing.
            without = re.sub(r"\bnot (?:yet )?been \w+|只有[^，。]*可以", " ", reply, flags=re.I)
            if re.search(pattern, without, re.I):
                found.append(other)
                break
    return found


def invented(reply: str, truth: Sequence[Note]) -> str | None:
    """A figure of the reply that is in none of the sentences of `truth`; None where all are."""
    return unsupported(reply, truth)


def truth_of(order: Order, language: Language) -> list[Note]:
    """Everything that the database says of an order, as sentences with every form of their figures."""
    facts: dict[str, Value] = {"order": f"#{order.number}", "total": Money(order.total, order.currency)}
    if order.placed_at is not None:
        facts["placed"] = order.placed_at.date()
    if order.invoice_number:
        facts["invoice"] = order.invoice_number
    for place, item in enumerate(order.items):
        facts[f"price_{place}"] = Money(item.unit_price * item.quantity, order.currency)
    for place, payment in enumerate(order.payments):
        facts[f"paid_{place}"] = Money(payment.amount, payment.currency)
    for place, back in enumerate(order.returns):
        facts[f"return_{place}"] = back.number
        facts[f"return_amount_{place}"] = Money(back.refund, back.currency)
    for place, parcel in enumerate(order.shipments):
        days = {
            "shipped": parcel.shipped_on,
            "expected": parcel.expected_on,
            "delivered": parcel.delivered_on,
        }
        facts |= {f"{name}_{place}": day for name, day in days.items() if day is not None}
        if parcel.tracking_number:
            facts[f"tracking_{place}"] = parcel.tracking_number
    sentences = [order.address.one_line(), method_of(paid_with(order), language)]
    for item in order.items:
        options = ", ".join(str(value) for value in item.options.values())
        name = product_name(item.variant.product, language) if item.variant else item.name
        sentences.append(f"{item.quantity} × {name} ({options})")
    return [_note(sentences, facts, language)]


def policies(sections: Iterable[PolicySection], language: Language, policy: Policy) -> list[Note]:
    """What the handbook and the assistant's own fixed sentences say."""
    sentences = [section.body for section in sections if section.article.language == language]
    return [_note([*sentences, *wordings(language, policy)], {}, language)]


def facts_note(facts: dict[str, Value], language: Language, sentences: Sequence[str] = ()) -> Note:
    """Values that a reply may state."""
    return _note(sentences, facts, language)


def without_citation(reply: str) -> str:
    """The reply without the article that it cites at its end."""
    return re.sub(r" \([^()]* › [^()]*\)", "", reply)


def _note(sentences: Sequence[str], facts: dict[str, Value], language: Language) -> Note:
    made = tuple(make_fact(name, value, language, must=False) for name, value in facts.items())
    text = " ; ".join((*sentences, *(fact.text for fact in made)))
    return Note("truth", text, made)


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())


def _stands_in(form: str, reply: str) -> bool:
    if not form.isascii() and not re.search(r"\d", form):
        return form in reply
    return re.search(rf"(?<![a-z0-9]){re.escape(form)}(?![a-z0-9]|[.,:]\d)", reply) is not None
