"""One turn, from the message to the stored reply: what travels through the pipeline, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from apps.support.conversations.state import ConversationState
from apps.support.playbooks import Outcome
from apps.support.reading.entities import Entities
from apps.support.reading.guard import Guarded
from apps.support.reading.intents import IntentGuess
from apps.support.replies.language import Language
from apps.support.replies.sentences import Note
from apps.support.replies.words import DEFAULT
from apps.support.shop.models import ConversationStatus
from apps.support.shop.policy import Policy, load_policy


@dataclass
class Part:
    """One wish of a message, and what came of it. Most messages have one, and it is all of the message."""

    text: str = ""
    entities: Entities = field(default_factory=Entities)
    # The handbook's section that speaks of most of its words; looked for where a message has several parts.
    section: str | None = None
    guess: IntentGuess | None = None
    intent: str | None = None  # the one that is answered: it may be an earlier turn's
    question: str | None = None  # an earlier turn's words, where this one only brings what they lacked
    outcome: Outcome = field(default_factory=Outcome)


@dataclass
class Turn:
    """What is known so far; each step of the pipeline adds its share and its time."""

    conversation_id: str
    message_id: int | None  # of the customer's message; None in a draft
    raw_text: str
    state: ConversationState
    status: ConversationStatus
    previous_language: str | None
    now: datetime
    policy: Policy = field(default_factory=load_policy)
    language: Language = DEFAULT
    unspoken: str | None = None  # the message's language, where the assistant does not speak it
    guarded: Guarded | None = None
    entities: Entities = field(default_factory=Entities)
    new_proof: bool = False
    parts: list[Part] = field(default_factory=lambda: [Part()])
    actions: list[dict[str, Any]] = field(default_factory=list)
    ticket_id: int | None = None
    handed_over: bool = False
    milliseconds: dict[str, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.guarded.text if self.guarded else self.raw_text

    @property
    def first(self) -> Part:
        return self.parts[0]

    @property
    def spoken_parts(self) -> list[Part]:
        """In the order of the reply: what needs an answer, or ends the conversation, is heard last."""
        return sorted(self.parts, key=lambda part: part.outcome.comes_last)

    @property
    def notes(self) -> list[Note]:
        return [note for part in self.parts for note in part.outcome.notes]

    @property
    def citations(self) -> list[str]:
        return list(dict.fromkeys(cited for part in self.parts for cited in part.outcome.citations))


class IntentResult(BaseModel):
    name: str | None
    confidence: float | None
    alternatives: list[tuple[str, float]] = []


class TurnResult(BaseModel):
    """The answer to one message, as the API gives it."""

    conversation_id: str
    message_id: int | None
    reply_id: int | None
    reply: str
    language: str
    intent: IntentResult
    further_intents: list[IntentResult] = []  # of the message's other wishes
    entities: dict[str, Any]
    facts: dict[str, str]
    citations: list[str]
    actions: list[dict[str, Any]]
    handed_over: bool
    ticket_id: int | None = None


class IntentFound(BaseModel):
    """Understood: sent before anything is looked up."""

    intent: IntentResult
    further_intents: list[IntentResult] = []
    entities: dict[str, Any]
    language: str


class FactsFound(BaseModel):
    """Looked up and done: sent before the first word of the reply."""

    facts: dict[str, str]
    citations: list[str]
    actions: list[dict[str, Any]]


class Token(BaseModel):
    text: str


TurnEvent = IntentFound | FactsFound | Token | TurnResult


def intent_of(part: Part) -> IntentResult:
    if part.guess is None:
        return IntentResult(name=part.intent, confidence=None)
    return IntentResult(
        name=part.intent,
        confidence=round(part.guess.confidence, 4),
        alternatives=[(name, round(chance, 4)) for name, chance in part.guess.alternatives],
    )


def understood_of(turn: Turn) -> IntentFound:
    first, *further = (intent_of(part) for part in turn.parts)
    return IntentFound(
        intent=first, further_intents=further, entities=turn.entities.as_json(), language=turn.language
    )


def result_of(turn: Turn, reply: str, reply_id: int | None) -> TurnResult:
    return TurnResult(
        conversation_id=turn.conversation_id,
        message_id=turn.message_id,
        reply_id=reply_id,
        reply=reply,
        **understood_of(turn).model_dump(),
        facts=facts_of(turn),
        citations=turn.citations,
        actions=turn.actions,
        handed_over=turn.handed_over,
        ticket_id=turn.ticket_id,
    )


def facts_of(turn: Turn) -> dict[str, str]:
    """The turn's facts by name; a name that stands twice is numbered."""
    named: dict[str, str] = {}
    for fact in (fact for note in turn.notes for fact in note.facts):
        name, number = fact.name, 2
        while name in named and named[name] != fact.text:
            name, number = f"{fact.name}_{number}", number + 1
        named[name] = fact.text
    return named
