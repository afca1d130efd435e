"""What a message wants: the intent of each of its wishes, which may be an earlier one's whose detail it brings."""

from __future__ import annotations

import re
from itertools import pairwise

from apps.support.conversations.turn import Part, Turn
from apps.support.reading.entities import bare_details
from apps.support.reading.intents import OUT_OF_SCOPE, IntentRecognizer
from apps.support.shop.handbook import content_words

SURE = 0.35
"""Below this the customer is asked to say it in other words; twice in a row hands the conversation over."""
SURE_OF_A_CHANGE = 0.6
"""While a detail is awaited, a short message must be this clear to be about something else."""
SURE_OF_A_PART = 0.6
"""A part of a message must be this clear to be a wish of its own."""
SURE_IT_IS_FOREIGN = 0.9
"""A part must be this clearly none of the shop's business to be refused beside one that is."""
WORDS_OF_A_WISH = 2
"""What says less belongs to the part beside it: "What should I do?"."""

ABOUT_ORDERS = frozenset(
    {
        "cancel_order",
        "change_order",
        "change_shipping_address",
        "check_invoice",
        "delivery_period",
        "get_invoice",
        "get_refund",
        "payment_issue",
        "track_order",
        "track_refund",
    }
)
ABOUT_MONEY = frozenset({"cancel_order", "get_refund", "track_refund"})
_CANCELLING = frozenset({"cancel_order", "get_refund"})
_WISHED = {
    "cancel": "cancel_order",
    "exchange": "change_order",
    "faulty": "get_refund",
    "return": "get_refund",
}
_ONE = re.compile(r"\bone\b\W*$", re.I)
_IT = re.compile(r"\b(?:it|them|that|this)\b(?! (?:order|parcel|item))", re.I)
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_PARCEL = re.compile(r"deliver|ship|parcel|package|order|arriv|配送|快递|包裹|发货|订单|到货|送", re.I)


def find_intents(turn: Turn, recognizer: IntentRecognizer) -> None:
    """Set the intents of the turn's parts, and make them one again unless they want different things."""
    if len(turn.parts) > 1 and _has_an_intent(turn):
        for part in turn.parts:
            _find_intent(turn, part, recognizer)
        known = all(_is_clear(part) or _is_foreign(part) for part in turn.parts)
        if known and any(map(_is_clear, turn.parts)) and _want_different_things(turn.parts):
            return
    turn.parts = [Part(turn.text, turn.entities)]
    _find_intent(turn, turn.first, recognizer)


def _has_an_intent(turn: Turn) -> bool:
    """Whether the message is more than an answer or a courtesy, and not for a person to read."""
    assert turn.guarded is not None
    answered = turn.state.pending is not None and turn.entities.answer is not None
    return turn.guarded.handover is None and turn.entities.courtesy is None and not answered


def _is_clear(part: Part) -> bool:
    """Whether the part is surely a wish of its own: by its intent, or by words that leave no doubt."""
    if part.intent == OUT_OF_SCOPE:
        return part.section is not None or _asks_about_product(part)
    sure = (
        part.guess is not None and part.guess.name == part.intent and part.guess.confidence >= SURE_OF_A_PART
    )
    named = bool(part.entities.asks) or any(wish in _WISHED for wish in part.entities.wishes)
    return sure or named or part.section is not None or _asks_about_product(part)


def _is_foreign(part: Part) -> bool:
    """Whether the part surely asks for something that is none of the shop's business."""
    guess = part.guess
    return (
        part.intent == OUT_OF_SCOPE
        and guess is not None
        and guess.name == OUT_OF_SCOPE
        and guess.confidence >= SURE_IT_IS_FOREIGN
        and len(content_words(part.text)) >= WORDS_OF_A_WISH
    )


def _want_different_things(parts: list[Part]) -> bool:
    """Whether the parts are of several topics, and none only goes on about the one before."""
    for before, part in pairwise(parts):
        names_thing = before.entities.order_numbers or before.entities.product_ids
        refers_to_thing = part.intent in ABOUT_ORDERS and (names_thing or _PARCEL.search(before.text))
        if _ONE.search(part.text) or (_IT.search(part.text) and not refers_to_thing):
            return False  # "I want a refund. How do I obtain one?"
    return len({_topic(part, parts) for part in parts}) > 1


def _topic(part: Part, parts: list[Part]) -> tuple[object, ...]:
    """What makes two parts different wishes: the intent, or the order, product or policy that it is about.

    Who cancels wants the money back as well, and what is asked about one order is told together: that is one wish.
    """
    if _asks_about_product(part):
        return ("product", part.entities.product_ids)
    named = (other.entities.order_numbers for other in (part, *parts) if other.entities.order_numbers)
    orders = next(named, ())
    if part.entities.asks:
        return ("order", "refund" in part.entities.asks, orders)
    if part.section is not None and part.intent not in ABOUT_ORDERS:
        return ("handbook", part.section)
    return ("cancel_order" if part.intent in _CANCELLING else part.intent, orders)


def _asks_about_product(part: Part) -> bool:
    return bool(part.entities.product_ids) and bool({"stock", "price"} & set(part.entities.wishes))


def _find_intent(turn: Turn, part: Part, recognizer: IntentRecognizer) -> None:
    """Set the part's intent, and its guess where its words had to be classified."""
    state, entities = turn.state, part.entities
    if not _has_an_intent(turn):
        _intent_without_wish(turn, part, recognizer)
        return
    if state.intent is not None and _is_the_awaited_detail(turn, part):
        part.intent, part.question = state.intent, state.question
        return
    if bare_details(part.text):
        # Numbers alone have no intent of their own: they go on with what was talked about.
        part.intent = state.intent or (state.topic if state.topic in ABOUT_ORDERS else OUT_OF_SCOPE)
        return
    part.guess = recognizer.recognize(part.text)
    unsure = part.guess.confidence < (SURE_OF_A_CHANGE if state.awaiting and _is_short(part.text) else SURE)
    no_wish = (unsure or part.guess.name == OUT_OF_SCOPE) and part.section is None
    if state.intent is not None and state.awaiting and no_wish:
        part.intent = state.intent
    elif part.guess.confidence < SURE:
        part.intent = OUT_OF_SCOPE
    else:
        part.intent = part.guess.name
    if part.intent == "delivery_period" and state.topic in ABOUT_MONEY and not _PARCEL.search(part.text):
        part.intent = "track_refund"  # "when will I get it?"
    if part.intent == OUT_OF_SCOPE:
        part.intent = next((_WISHED[w] for w in entities.wishes if w in _WISHED), OUT_OF_SCOPE)
    if part.intent == OUT_OF_SCOPE and entities.asks and "refund" not in entities.asks:
        part.intent = "track_order"  # the nearest of the intents; the playbook follows the words
    elif part.intent == OUT_OF_SCOPE and entities.asks:
        part.intent = "track_refund"


def _intent_without_wish(turn: Turn, part: Part, recognizer: IntentRecognizer) -> None:
    state = turn.state
    assert turn.guarded is not None
    if turn.guarded.handover is None:
        part.intent = state.intent
        return
    # The ticket tells the person what it is about.
    part.guess = recognizer.recognize(part.text)
    part.intent = part.guess.name if part.guess.confidence >= SURE else state.intent or state.topic


def _is_the_awaited_detail(turn: Turn, part: Part) -> bool:
    """Whether the message only brings what was asked for, so that no new intent need be looked for."""
    awaited, found = turn.state.awaiting, part.entities
    if awaited in ("order", "proof"):
        brought = bool(found.order_numbers or found.emails or found.postcodes or turn.new_proof)
    elif awaited == "address":
        brought = found.address is not None
    else:
        brought = awaited is not None and bool(
            found.product_ids or found.ordinal or "everything" in found.wishes
        )
    words = [
        word
        for word in part.text.split()
        if not any(character.isdigit() or character == "@" for character in word)
    ]
    return brought and (awaited == "address" or (len(words) <= 8 and len(part.text) <= 80))


def _is_short(text: str) -> bool:
    """At most four words; two Chinese characters count as one."""
    words = len(_CHINESE.sub(" ", text).split()) + len(_CHINESE.findall(text)) / 2
    return words <= 4 and len(text) <= 24
