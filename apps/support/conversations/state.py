"""What a conversation remembers beyond the model's window: structured, stored with the conversation."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SEGMENT_CHARACTERS = 1_600
"""How much of the dialogue stays in the prompt: with the system prompt about 700 tokens, so that a 512-token
window is always filled and the prompt's length never grows with the conversation."""

ActionName = Literal[
    "cancel", "change_address", "change_item", "return", "exchange", "newsletter", "default_address"
]


class PendingAction(BaseModel):
    """A write that the customer was asked to agree to. `key` is what makes it run once."""

    model_config = ConfigDict(frozen=True)

    key: str
    name: ActionName
    order_id: int | None = None
    arguments: dict[str, Any] = {}
    asked_at_turn: int
    sentence: str = ""  # the words that the customer was asked to agree to
    reminded: bool = False  # asked a second time, after a question in between


class Postponed(BaseModel):
    """A wish of an earlier message that waits until the open question of another one is settled."""

    model_config = ConfigDict(frozen=True)

    intent: str
    text: str


class Exchange(BaseModel):
    """One turn as the model saw it; kept to the letter, so that the engine finds it in its prefix cache."""

    model_config = ConfigDict(frozen=True)

    prompt: str
    reply: str


class ConversationState(BaseModel):
    turn: int = 0
    trusted_customer_id: int | None = None  # named by a trusted key
    email: str | None = None  # what the customer gave as proof; checked against each order again
    postcode: str | None = None
    failed_proofs: int = 0
    proven: list[str] = Field(default_factory=list)  # numbers of the orders that were shown
    order_number: str | None = None  # the order in question, proven or not
    choices: list[str] = Field(default_factory=list)  # the orders that the customer was asked to choose from
    product_ids: list[int] = Field(default_factory=list)  # the products in question
    topic: str | None = None  # the intent that was answered last
    intent: str | None = None  # of the question that waits for an order number, a proof or a detail
    question: str | None = None  # its words: the reply answers them, not the e-mail that was sent in between
    awaiting: Literal["order", "proof", "address", "item", "option"] | None = None
    pending: PendingAction | None = None
    postponed: list[Postponed] = Field(default_factory=list)
    last_action: str | None = None  # key of the action that ran last
    last_receipt: list[str] = Field(default_factory=list)
    low_confidence: int = 0  # turns in a row
    segment: list[Exchange] = Field(default_factory=list)

    def leave_open_nothing(self) -> None:
        """Forget what a person who takes over settles: the pending yes, the open question, what was to follow."""
        self.pending, self.awaiting, self.postponed = None, None, []

    def remember(self, prompt: str, reply: str) -> None:
        """Append a turn to the segment; a full segment drops its older half at once, which keeps most turns
        a pure extension of the last prompt."""
        self.segment.append(Exchange(prompt=prompt, reply=reply))
        if sum(len(turn.prompt) + len(turn.reply) for turn in self.segment) > SEGMENT_CHARACTERS:
            self.segment = self.segment[-max(1, len(self.segment) // 2) :]
            while len(self.segment) > 1 and self._size() > SEGMENT_CHARACTERS:
                self.segment.pop(0)
            if self._size() > SEGMENT_CHARACTERS:
                self.segment = []

    def _size(self) -> int:
        return sum(len(turn.prompt) + len(turn.reply) for turn in self.segment)
