"""What a playbook is given, and what it decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, Protocol

from sqlalchemy.orm import Session

from apps.support.reading.choices import OptionTable, Wanted
from apps.support.reading.context import Context
from apps.support.reading.state import ConversationState, Line, Question, Step, Wish
from apps.support.replies.facts import Value
from apps.support.replies.sentences import Note, write
from apps.support.shop.models import Address, PaymentMethod
from apps.support.shop.policy import Policy
from apps.support.words import Language

HandoverReason = Literal[
    "requested", "anger", "danger", "legal", "low_confidence", "failure", "identity", "policy"
]


class DetailReader(Protocol):
    """Reads what a wish needs besides its command."""

    def choose(self, table: OptionTable, message: str) -> Wanted: ...

    def address(self, message: str) -> Address: ...


@dataclass
class Room:
    """What deciding about a message needs: one session, whose orders are known, and the rules."""

    session: Session
    state: ConversationState
    context: Context
    language: Language
    today: date
    policy: Policy
    reader: DetailReader
    wrong_proof: bool = False  # the message offers a proof, and it is none

    def case(
        self, wish: Wish, method: PaymentMethod | None = None, proposed: dict[int, int] | None = None
    ) -> Case:
        return Case(**vars(self), wish=wish, method=method, proposed=proposed or {})

    def write(self, key: str, /, *, must: tuple[str, ...] = (), **values: Value) -> Note:
        """The sentence `key` in the customer's language, by the shop's policy."""
        return write(key, self.language, must=must, policy=self.policy, **values)


@dataclass(kw_only=True)
class Case(Room):
    """One wish of a turn. The playbook reads the database and changes nothing but `state`."""

    wish: Wish
    method: PaymentMethod | None = None  # asked for in the same message
    proposed: dict[int, int] = field(default_factory=dict)  # item → variant of the open proposal

    def choose(self, table: OptionTable) -> Wanted:
        """Which of a product's options the message wants."""
        wanted = self.reader.choose(table, self.wish.text)
        return table.completed(wanted, self.wish.text) if self.wish.alone else wanted


@dataclass(frozen=True)
class Planned:
    """A write that may be proposed: the step, its deed and consequence in words, and its row on a card."""

    step: Step
    deed: Note
    consequence: Note | None
    line: Line
    refund: tuple[int, str] | None = None  # what it gives back: minor units and currency


@dataclass
class Outcome:
    """What is to be said and done about one wish."""

    notes: list[Note] = field(default_factory=list)
    citations: list[str] = field(default_factory=list)
    looked_up: dict[str, Any] = field(default_factory=dict)
    question: Question | None = None  # what the next message should bring
    planned: list[Planned] = field(default_factory=list)  # to be proposed
    handover: HandoverReason | None = None
    complaint: bool = False
    understood: bool = True  # False counts towards the hand-over
    exact: bool = False  # said as written: the customer agrees to, or learns of, exactly this

    @property
    def asks(self) -> bool:
        """Whether the customer's answer is waited for."""
        return bool(self.planned) or self.question is not None


def asking(
    about: Literal["order", "item", "option", "method"], wish: Wish, offered: Mapping[int, str], *notes: Note
) -> Outcome:
    """The question which of the things is meant: of each its id and what it is called."""
    question = Question(about=about, wish=wish, choices=tuple(offered), labels=tuple(offered.values()))
    return Outcome(list(notes), question=question, exact=True)


def told(*notes: Note, **looked_up: Any) -> Outcome:
    """Said in the assistant's own words."""
    return Outcome(list(notes), looked_up=looked_up)


def said(*notes: Note, **looked_up: Any) -> Outcome:
    """Said as written."""
    return Outcome(list(notes), looked_up=looked_up, exact=True)
