"""One turn, from the message to the stored reply: what each step adds, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from apps.support.playbooks.case import Outcome
from apps.support.reading.commands import OUT_OF_SCOPE, Command
from apps.support.reading.identifiers import Identifiers
from apps.support.reading.reader import Reading
from apps.support.reading.state import ConversationState, Line, Wish
from apps.support.replies.sentences import Note
from apps.support.shop.models import ConversationStatus
from apps.support.words import Language

_SILENT = frozenset({"none"})


@dataclass(frozen=True)
class Incoming:
    """A message as it was stored, with the conversation it belongs to."""

    conversation_id: str
    message_id: int | None  # of the customer's message; None in a draft
    text: str  # cleaned
    state: ConversationState
    status: ConversationStatus
    language: Language
    unspoken: str | None  # the message's own language, where the assistant does not speak it
    now: datetime


@dataclass(frozen=True)
class Understood:
    """What the message names and wants."""

    identifiers: Identifiers
    reading: Reading
    wishes: tuple[Wish, ...]
    view: str  # the reader's prompt, for the trace


@dataclass
class Answered:
    """One wish and what came of it."""

    wish: Wish
    outcome: Outcome


@dataclass
class Settled:
    """What was decided and done."""

    answers: list[Answered] = field(default_factory=list)
    run: bool = False  # the open proposal got its yes
    closing: str = ""  # said as written after the reply: a proposal that is still open
    actions: list[dict[str, Any]] = field(default_factory=list)
    receipt: list[Line] = field(default_factory=list)
    ticket_id: int | None = None
    handed_over: bool = False

    @property
    def notes(self) -> list[Note]:
        return [note for answer in self.answers for note in answer.outcome.notes]

    @property
    def citations(self) -> list[str]:
        return list(dict.fromkeys(cited for a in self.answers for cited in a.outcome.citations))


class IntentResult(BaseModel):
    name: str | None
    confidence: float | None
    alternatives: list[tuple[str, float]] = []


class CardOut(BaseModel):
    """What is proposed, or was done: one row for each write."""

    lines: list[Line]


class ChoiceOut(BaseModel):
    """Something that can be clicked in place of being written: what it shows and what it says."""

    label: str
    text: str


class IntentFound(BaseModel):
    """Understood: sent before anything is looked up."""

    intent: IntentResult
    further_intents: list[IntentResult] = []  # of the message's other wishes
    commands: str = ""  # as the reader wrote them
    entities: dict[str, Any]
    language: str


class FactsFound(BaseModel):
    """Looked up and done: sent before the first word of the reply."""

    facts: dict[str, str]
    citations: list[str]
    actions: list[dict[str, Any]]


class TurnResult(IntentFound, FactsFound):
    """The answer to one message, as the API gives it."""

    conversation_id: str
    message_id: int | None
    reply_id: int | None
    reply: str
    proposal: CardOut | None = None  # what waits for a yes
    receipt: CardOut | None = None  # what was done
    choices: list[ChoiceOut] = []  # answers to the assistant's question
    handed_over: bool
    ticket_id: int | None = None
    draft_id: int | None = None  # of a draft: named again when it is sent


class Token(BaseModel):
    text: str


TurnEvent = IntentFound | FactsFound | Token | TurnResult


def intents_of(reading: Reading) -> list[IntentResult]:
    """The shop intents of what was read, the first with its confidence and alternatives."""
    found = []
    others = [(name.strip(), round(chance, 4)) for name, chance in reading.alternatives]
    for command in reading.commands:
        first = command is reading.commands[0]
        found.append(
            IntentResult(
                name=intent_name(command),
                confidence=round(reading.confidence, 4) if first else None,
                alternatives=others if first else [],
            )
        )
    return found


def intent_name(command: Command) -> str | None:
    return OUT_OF_SCOPE if command.verb in _SILENT else command.intent


def entities_of(identifiers: Identifiers) -> dict[str, Any]:
    """What can be looked up in the message, without what it has none of."""
    found = {
        "order_numbers": list(identifiers.numbers),
        "emails": list(identifiers.emails),
        "postcodes": list(identifiers.postcodes),
    }
    return {name: values for name, values in found.items() if values}


def intent_found(reading: Reading, identifiers: Identifiers, language: Language) -> IntentFound:
    first, *further = intents_of(reading)
    return IntentFound(
        intent=first,
        further_intents=further,
        commands=reading.text,
        entities=entities_of(identifiers),
        language=language,
    )


def facts_of(notes: list[Note]) -> dict[str, str]:
    """The turn's facts by name; a name that stands twice is numbered."""
    named: dict[str, str] = {}
    for fact in (fact for note in notes for fact in note.facts):
        name, number = fact.name, 2
        while name in named and named[name] != fact.text:
            name, number = f"{fact.name}_{number}", number + 1
        named[name] = fact.text
    return named
