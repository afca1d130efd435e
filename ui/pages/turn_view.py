"""What one turn understood, looked up, did and said: from its events as they come, or from its stored trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from apps.support.conversations.turn import FactsFound, IntentFound, TurnResult
from apps.support.shop.models import TurnTrace
from ui.pages.labels import Language, named, text
from ui.pages.rendering import render

_LIKELY = 0.01
"""Alternatives less likely than this are not worth a line."""


@dataclass
class TurnView:
    """One turn, as far as it is known."""

    commands: str = ""
    intent: str | None = None
    confidence: float | None = None
    alternatives: list[tuple[str, float]] = field(default_factory=list)
    """Other beginnings of the commands."""
    further: list[str] = field(default_factory=list)
    """Intents of the message's other wishes."""
    entities: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    looked_up: Mapping[str, Any] = field(default_factory=dict)
    citations: list[str] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    source: str | None = None
    milliseconds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, trace: TurnTrace) -> TurnView:
        view = cls()
        view.add_trace(trace)
        return view

    @property
    def likely(self) -> list[tuple[str, float]]:
        return [(name, chance) for name, chance in self.alternatives if chance >= _LIKELY]

    def take(self, event: IntentFound | FactsFound | TurnResult) -> None:
        if isinstance(event, IntentFound | TurnResult):
            self.commands, self.entities = event.commands, event.entities
            self.intent, self.confidence = event.intent.name, event.intent.confidence
            self.alternatives = event.intent.alternatives
            self.further = [intent.name for intent in event.further_intents if intent.name]
        if isinstance(event, FactsFound | TurnResult):
            self.facts, self.citations, self.actions = event.facts, event.citations, event.actions

    def add_trace(self, trace: TurnTrace) -> None:
        """What only the stored record tells; what the events told already stays."""
        understood = trace.understood
        if not self.commands:
            self.commands = understood.get("commands", "")  # traces of earlier versions have none
            self.intent, self.confidence = understood["intent"], understood["confidence"]
            self.further = [name for name in understood.get("further", []) if name]
        self.entities = self.entities or understood["entities"]
        self.actions = self.actions or trace.done["actions"]
        found = {} if self.facts else trace.looked_up
        self.looked_up = {name: value for name, value in found.items() if value}
        self.source = trace.said["source"]
        self.milliseconds = trace.milliseconds

    def html(self, reader: Language) -> Markup:
        """The rows, without the card around them."""
        return render("turn", reader, view=self)


def turn_card(view: TurnView | None, reader: Language) -> Markup:
    """The demonstration's panel."""
    return render("turn_card", reader, view=view)


def turn_details(view: TurnView, summary: str, reader: Language) -> Markup:
    """A turn, folded up."""
    return render("turn_details", reader, view=view, summary=summary)


def trace_details(trace: TurnTrace, reader: Language) -> Markup:
    """A stored turn, folded up under its message; nothing where the assistant was silent."""
    view = TurnView.of(trace)
    if view.source is None and not view.actions:
        return Markup()
    words = [named("intent", view.intent, reader)] if view.intent else [view.commands]
    if view.confidence is not None:
        words.append(f"{view.confidence:.0%}")
    return turn_details(view, " · ".join(filter(None, words)) or text("turn.heading", reader), reader)
