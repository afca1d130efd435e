"""What one turn understood, looked up, did and said: from its events as they come, or from its stored trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from apps.support.conversations.turn import FactsFound, IntentFound, TurnResult
from apps.support.shop.models import TurnTrace
from ui.pages.labels import Language, named, text

_LIKELY = 0.01
"""Alternatives less likely than this are not worth a line."""


@dataclass
class TurnView:
    """One turn, as far as it is known."""

    intent: str | None = None
    confidence: float | None = None
    alternatives: list[tuple[str, float]] = field(default_factory=list)
    further: list[tuple[str | None, float | None]] = field(default_factory=list)
    """Intents of the message's other wishes, with how sure each is."""
    entities: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    looked_up: Mapping[str, Any] = field(default_factory=dict)
    citations: list[str] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    source: str | None = None
    milliseconds: Mapping[str, float] = field(default_factory=dict)

    def take(self, event: IntentFound | FactsFound | TurnResult) -> None:
        if isinstance(event, IntentFound | TurnResult):
            self.intent, self.confidence = event.intent.name, event.intent.confidence
            self.alternatives, self.entities = event.intent.alternatives, event.entities
            self.further = [(intent.name, intent.confidence) for intent in event.further_intents]
        if isinstance(event, FactsFound | TurnResult):
            self.facts, self.citations, self.actions = event.facts, event.citations, event.actions

    def add_trace(self, trace: TurnTrace) -> None:
        """What only the stored record tells; what the events told already stays."""
        if self.intent is None:
            self.intent, self.confidence = trace.understood["intent"], trace.understood["confidence"]
            parts = trace.understood.get("parts", [])[1:]
            self.further = [(part["intent"], part["confidence"]) for part in parts]
        self.entities = self.entities or trace.understood["entities"]
        self.actions = self.actions or trace.done["actions"]
        found = {} if self.facts else trace.looked_up
        self.looked_up = {name: value for name, value in found.items() if value and name != "parts"}
        self.source = trace.said["source"]
        self.milliseconds = trace.milliseconds

    def html(self, reader: Language) -> str:
        """The rows, without the card around them."""
        rows = {
            "turn.intent": _intent(self.intent, self.confidence, reader),
            "turn.further": "<br>".join(_intent(*found, reader) for found in self.further),
            "turn.alternatives": self._alternatives(reader),
            "turn.entities": _pairs(self.entities),
            "turn.facts": _pairs(self.facts),
            "turn.looked_up": _pairs(self.looked_up),
            "turn.sources": _list(self.citations),
            "turn.actions": self._actions(reader),
            "turn.reply": escape(named("said", self.source, reader)) if self.source else "",
            "turn.times": self._times(reader),
        }
        said = (
            f"<dt>{escape(text(key, reader))}</dt><dd>{value}</dd>" for key, value in rows.items() if value
        )
        return f'<dl class="turn">{"".join(said)}</dl>'

    def _alternatives(self, reader: Language) -> str:
        likely = [(name, chance) for name, chance in self.alternatives if chance >= _LIKELY]
        return _list(f"{named('intent', name, reader)} {chance:.0%}" for name, chance in likely)

    def _actions(self, reader: Language) -> str:
        return "".join(
            f'<p class="did {escape(done["status"])}">{escape(named("action", done["name"], reader))}'
            f" <small>{escape(named('done', done['status'], reader))}</small></p>"
            for done in self.actions
        )

    def _times(self, reader: Language) -> str:
        steps = [
            f"<li><span>{escape(named('step', name, reader))}</span> {_duration(value)}</li>"
            for name, value in self.milliseconds.items()
        ]
        return f'<ul class="times">{"".join(steps)}</ul>' if steps else ""


def turn_card(view: TurnView | None, reader: Language) -> str:
    """The demonstration's panel."""
    body = f"<p>{escape(text('turn.empty', reader))}</p>" if view is None else view.html(reader)
    return f'<section class="card seen"><h2>{escape(text("turn.heading", reader))}</h2>{body}</section>'


def trace_details(trace: TurnTrace, reader: Language) -> str:
    """A stored turn, folded up under its message; nothing where the assistant was silent."""
    view = TurnView()
    view.add_trace(trace)
    if view.source is None and not view.actions:
        return ""
    words = [named("intent", view.intent, reader)] if view.intent else []
    if view.confidence is not None:
        words.append(f"{view.confidence:.0%}")
    summary = " · ".join(words) or text("turn.heading", reader)
    return f"<details><summary>{escape(summary)}</summary>{view.html(reader)}</details>"


def _intent(intent: str | None, confidence: float | None, reader: Language) -> str:
    if intent is None:
        return ""
    name = f"<b>{escape(named('intent', intent, reader))}</b> <code>{escape(intent)}</code>"
    if confidence is None:
        return f"{name}<small>{escape(text('turn.known', reader))}</small>"
    return name + _bar(confidence)


def _bar(share: float) -> str:
    percent = f"{share:.0%}"
    return f'<span class="bar"><i style="width:{percent}"></i></span> <small>{percent}</small>'


def _duration(milliseconds: float) -> str:
    if milliseconds >= 1_000:
        return f"{milliseconds / 1_000:.1f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 1 else "< 1 ms"


def _pairs(values: Mapping[str, Any]) -> str:
    return "".join(
        f'<span class="pair"><span>{escape(str(name))}</span> {escape(_plain(value))}</span>'
        for name, value in values.items()
    )


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    if isinstance(value, Mapping):
        return ", ".join(str(part) for part in value.values() if part)
    return str(value)


def _list(items: Iterable[str]) -> str:
    rows = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<ul>{rows}</ul>" if rows else ""
