"""What was proposed in a conversation and what became of it: a card in the message that asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from apps.support.reading.state import ActionName, ConversationState, Line
from apps.support.shop.models import TurnTrace
from ui.pages.labels import LANGUAGES, Language
from ui.pages.rendering import render

_REFUNDING: frozenset[ActionName | None] = frozenset({"cancel", "return"})
_SWAPPING: frozenset[ActionName | None] = frozenset({"change_item", "exchange"})


@dataclass(frozen=True)
class DeedCard:
    """Writes that go with one yes. `open` has the buttons; `done` is the receipt."""

    state: Literal["open", "done", "dropped"]
    lines: Sequence[Line]
    language: str  # of the conversation: its lines are in it, so the card's words and its yes are too

    def html(self, reader: Language) -> Markup:
        spoken = next((code for code in LANGUAGES if code == self.language), reader)
        return render("deed_card", spoken, card=self)

    def money_label(self, line: Line) -> str:
        """What the amount is, by its key: nobody may take a refund for a charge."""
        if line.action in _REFUNDING:
            return "card.refund"
        return "card.difference" if line.action in _SWAPPING else "card.money"

    def method_label(self, line: Line) -> str:
        return "card.refund_to" if line.action in _REFUNDING else "card.method"


def deed_cards(traces: Iterable[TurnTrace], state: ConversationState) -> dict[int, DeedCard]:
    """The cards by the message that they stand in: the reply, or the customer's where nothing was replied.

    A proposal that is said again stands in the last message that asks; its receipt takes its place there.
    """
    cards: dict[int, DeedCard] = {}
    asking: int | None = None
    for trace in traces:
        place, language = trace.reply_id or trace.message_id, trace.understood["language"]
        proposal = _lines(trace, "proposal")
        receipt = _lines(trace, "receipt")
        if receipt:
            cards[place if asking is None else asking] = DeedCard("done", receipt, language)
        elif asking is not None and not proposal:
            cards[asking] = DeedCard("dropped", cards[asking].lines, cards[asking].language)
        elif asking is not None:
            del cards[asking]
        asking = None
        if proposal:
            cards[place], asking = DeedCard("open", proposal, language), place
    if asking is not None and state.pending is None:
        cards[asking] = DeedCard("dropped", cards[asking].lines, cards[asking].language)
    return cards


def _lines(trace: TurnTrace, name: str) -> list[Line]:
    return [Line.model_validate(line) for line in trace.done.get(name, [])]
