"""What a playbook is given, and what it decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from sqlalchemy.orm import Session

from apps.support.conversations.state import ConversationState, PendingAction
from apps.support.reading.entities import Entities
from apps.support.reading.guard import HandoverReason
from apps.support.replies.language import Language
from apps.support.replies.sentences import Note
from apps.support.shop.policy import Policy, load_policy

Awaiting = Literal["order", "proof", "address", "item", "option"]


@dataclass
class Case:
    """One turn's question. The playbook reads the database and changes nothing but `state`."""

    session: Session
    state: ConversationState
    language: Language
    intent: str
    entities: Entities
    text: str
    today: date
    confidence: float = 1.0  # in the intent
    policy: Policy = field(default_factory=load_policy)
    new_proof: bool = False  # the message offered an order number, e-mail or postcode that is new


@dataclass
class Outcome:
    """What is to be said and done."""

    notes: list[Note] = field(default_factory=list)
    citations: list[str] = field(default_factory=list)
    looked_up: dict[str, Any] = field(default_factory=dict)
    awaiting: Awaiting | None = None  # the detail that the next message should bring
    pending: PendingAction | None = None  # ask for a yes to this
    handover: HandoverReason | None = None
    complaint: bool = False
    understood: bool = True  # False counts towards the hand-over on low confidence
    closing: str = ""  # said as written after the reply: a proposal that is still open
    exact: bool = False  # said as written: the customer agrees to, or learns of, exactly this

    @property
    def asks(self) -> bool:
        """Whether the customer's answer is waited for."""
        return self.pending is not None or self.awaiting is not None

    @property
    def comes_last(self) -> bool:
        """Whether nothing more may be said after it."""
        return self.asks or self.handover is not None
