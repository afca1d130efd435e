"""What a conversation remembers beyond the model's window: structured, stored with the conversation."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from apps.support.reading.commands import CHANGING

SEGMENT_CHARACTERS = 1_600
"""How much of the dialogue stays in the prompt: with the system prompt about 700 tokens, so that a 512-token
window is always filled and the prompt's length never grows with the conversation."""
MOST_WAITING = 8

ActionName = Literal[
    "cancel",
    "change_address",
    "change_item",
    "return",
    "exchange",
    "change_payment",
    "newsletter",
    "default_address",
]


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True)


class Wish(_Stored):
    """A command with what it is about by the database's ids: handles change from message to message."""

    verb: str
    orders: tuple[int, ...] = ()
    items: tuple[int, ...] = ()
    excluded: tuple[int, ...] = ()
    alternatives: bool = False
    pick: Literal["cheapest", "dearest"] | None = None
    like: int | None = None
    to: str | None = None  # "given", "home", or "order"
    to_order: int | None = None
    methods: tuple[int, ...] = ()
    words: str = ""
    topic: str = ""
    unknown: bool = False
    text: str = ""  # the message that it was read from
    alone: bool = False  # the message is about no other product: every option that it names is this one's

    @property
    def is_change(self) -> bool:
        """Whether it proposes a write, and so needs a clear reading."""
        return self.verb in CHANGING or self.topic in ("newsletter_on", "newsletter_off")


class Step(_Stored):
    """One write of a proposal."""

    name: ActionName
    order_id: int | None = None
    arguments: dict[str, Any] = {}
    wish: int = 0  # the place of the wish that it follows from


class Line(_Stored):
    """One row of a proposal's or receipt's card: what, from what to what, the money and its way."""

    title: str
    action: ActionName | None = None
    detail: str = ""
    before: str = ""
    after: str = ""
    money: str = ""
    method: str = ""


class Proposal(_Stored):
    """Writes that the customer was asked to agree to, all with one yes. `key` is what makes them run once."""

    key: str
    steps: tuple[Step, ...]
    wishes: tuple[Wish, ...]  # what it was made from: a correction is read beside them
    sentence: str  # the words that the customer was asked to agree to
    lines: tuple[Line, ...] = ()
    gives_back: dict[str, int] = {}  # currency → minor units


class Question(_Stored):
    """What the customer was asked for, and the wish that lacks it."""

    about: Literal["order", "item", "option", "address", "method", "identity"]
    wish: Wish | None = None
    text: str = ""  # of the message that is to be read again once it is known who writes
    choices: tuple[int, ...] = ()  # orders, items or variants that were offered, as they were listed
    labels: tuple[str, ...] = ()  # what each is called


class Exchange(_Stored):
    """One turn as the model saw it; kept to the letter, so that the engine finds it in its prefix cache."""

    prompt: str
    reply: str


class ConversationState(BaseModel):
    turn: int = 0  # raised by each message: a turn that is not the last one any more writes nothing
    answering_since: datetime | None = None  # when the turn began that is not answered yet
    opened_by: str = ""  # the name of the key
    trusted_customer_id: int | None = None  # named by a trusted key, or proven by what proves a customer
    email: str | None = None  # what the customer gave as proof; checked against each order again
    postcodes: list[str] = Field(default_factory=list)
    numbers: list[str] = Field(default_factory=list)  # of orders, as given by somebody unproven
    said: str = ""  # by somebody unproven, for the name in it
    failed_proofs: int = 0
    proven: list[str] = Field(default_factory=list)  # numbers of the orders that were shown
    order_id: int | None = None  # the order that is talked about
    item_ids: list[int] = Field(default_factory=list)  # the items that are talked about
    product_id: int | None = None  # the product that is talked about
    last: list[Wish] = Field(default_factory=list)  # of the message before
    question: Question | None = None
    pending: Proposal | None = None
    waiting: list[Wish] = Field(default_factory=list)  # wishes that follow once the open ones are settled
    last_action: str | None = None  # key of the proposal that ran last
    last_receipt: list[str] = Field(default_factory=list)
    given_back: dict[str, int] = Field(default_factory=dict)  # currency → minor units, in this conversation
    failures: int = 0  # turns in a row that brought nothing
    told: str = ""  # the last reply, to be said again
    segment: list[Exchange] = Field(default_factory=list)

    def leave_open_nothing(self) -> None:
        """Forget what a person who takes over settles: the pending yes, the open question, what was to follow."""
        self.pending, self.question, self.waiting = None, None, []

    def remember(self, prompt: str, reply: str) -> None:
        """Append a turn to the segment; a full segment drops its older half at once, which keeps most turns
        a pure extension of the last prompt."""
        self.segment.append(Exchange(prompt=prompt, reply=reply))
        if self._size() > SEGMENT_CHARACTERS:
            self.segment = self.segment[-max(1, len(self.segment) // 2) :]
            while len(self.segment) > 1 and self._size() > SEGMENT_CHARACTERS:
                self.segment.pop(0)
            if self._size() > SEGMENT_CHARACTERS:
                self.segment = []

    def _size(self) -> int:
        return sum(len(turn.prompt) + len(turn.reply) for turn in self.segment)
