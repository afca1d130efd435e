"""Which intent a message is answered with: its own, or an earlier one whose missing detail it brings."""

from __future__ import annotations

import re

from apps.support.entities import bare_details
from apps.support.intents import OUT_OF_SCOPE, IntentRecognizer
from apps.support.turn import Turn

SURE = 0.35
"""Below this the customer is asked to say it in other words; twice in a row hands the conversation over."""
SURE_OF_A_CHANGE = 0.6
"""While a detail is awaited, a short message must be this clear to be about something else."""

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
_WISHED = {
    "cancel": "cancel_order",
    "exchange": "change_order",
    "faulty": "get_refund",
    "return": "get_refund",
}
_PARCEL = re.compile(r"deliver|ship|parcel|package|order|arriv|配送|快递|包裹|发货|订单|到货|送", re.I)


def find_intent(turn: Turn, recognizer: IntentRecognizer) -> None:
    """Set the turn's intent, and its guess where the message had to be classified."""
    state, entities = turn.state, turn.entities
    assert turn.guarded is not None
    if entities.courtesy or (state.pending and entities.answer):
        turn.intent = state.intent
        return
    if turn.guarded.handover is not None:
        # The ticket tells the person what it is about.
        turn.guess = recognizer.recognize(turn.text)
        turn.intent = turn.guess.name if turn.guess.confidence >= SURE else state.intent or state.topic
        return
    if state.intent is not None and _is_the_awaited_detail(turn):
        turn.intent, turn.question = state.intent, state.question
        return
    if bare_details(turn.text):
        # Numbers alone have no intent of their own: they go on with what was talked about.
        turn.intent = state.intent or (state.topic if state.topic in ABOUT_ORDERS else OUT_OF_SCOPE)
        return
    turn.guess = recognizer.recognize(turn.text)
    unsure = turn.guess.confidence < (SURE_OF_A_CHANGE if state.awaiting and _is_short(turn.text) else SURE)
    if state.intent is not None and state.awaiting and (unsure or turn.guess.name == OUT_OF_SCOPE):
        turn.intent = state.intent
    elif turn.guess.confidence < SURE:
        turn.intent = OUT_OF_SCOPE
    else:
        turn.intent = turn.guess.name
    if turn.intent == "delivery_period" and state.topic in ABOUT_MONEY and not _PARCEL.search(turn.text):
        turn.intent = "track_refund"  # "when will I get it?"
    if turn.intent == OUT_OF_SCOPE:
        turn.intent = next((_WISHED[w] for w in entities.wishes if w in _WISHED), OUT_OF_SCOPE)
    if turn.intent == OUT_OF_SCOPE and entities.asks and "refund" not in entities.asks:
        turn.intent = "track_order"  # the nearest of the intents; the playbook follows the words
    elif turn.intent == OUT_OF_SCOPE and entities.asks:
        turn.intent = "track_refund"


def _is_the_awaited_detail(turn: Turn) -> bool:
    """Whether the message only brings what was asked for, so that no new intent need be looked for."""
    awaited, found = turn.state.awaiting, turn.entities
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
        for word in turn.text.split()
        if not any(character.isdigit() or character == "@" for character in word)
    ]
    return brought and (awaited == "address" or (len(words) <= 8 and len(turn.text) <= 80))


def _is_short(text: str) -> bool:
    return len(text.split()) <= 4 and len(text) <= 24
