"""Bodies of `/api/support`: what comes in and what goes out."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from apps.body import Body
from apps.support.reading.cleaning import MOST_STORED_CHARACTERS, storable
from apps.support.reading.commands import INTENT_NAMES, parse
from apps.support.shop.models import ConversationStatus, OrderStatus, Role, TicketStatus
from apps.support.words import languages

MOST_ROW_ID = 2**31 - 1
ID_PATTERN = r"^[A-Za-z0-9_-]+$"

Clean = AfterValidator(storable)
Short = Annotated[str, Field(min_length=1, max_length=255), Clean]
Text = Annotated[str, Field(min_length=1, max_length=MOST_STORED_CHARACTERS), Clean]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _spoken(code: str) -> str:
    if code not in languages():
        raise ValueError(f"the assistant speaks {', '.join(languages())}")
    return code


def _commands(text: str) -> str:
    parse(text)  # raises ValueError
    return text


SpokenLanguage = Annotated[str, AfterValidator(_spoken)]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class NewConversation(Body):
    """`customer_email` names the customer on the caller's word: only a caller who knows may send it."""

    model_config = ConfigDict(extra="forbid")

    customer_email: Short | None = None
    channel: Short = "api"
    language: SpokenLanguage | None = None


class NewMessage(_In):
    text: Text


class ClassifyRequest(NewMessage):
    """`adapter`: a shop's own classification adapter; without it the assistant's reader."""

    adapter: Short | None = None


class NewHandover(Body):
    model_config = ConfigDict(extra="forbid")

    reason: Short = "requested"


class NewFeedback(_In):
    rating: Literal[-1, 1]
    comment: Text | None = None
    corrected_intent: Short | None = Field(default=None, description=f"one of {', '.join(INTENT_NAMES)}")
    corrected_commands: Annotated[Short, AfterValidator(_commands)] | None = Field(
        default=None, description="as the turn's `commands` should have been: `return a; with 2`"
    )


class AgentMessage(NewMessage):
    """`draft_id`: the draft that the message was made from, changed or not."""

    draft_id: Annotated[int, Field(ge=1, le=MOST_ROW_ID)] | None = None


class TicketChange(_In):
    status: TicketStatus | None = None
    assignee: Short | None = None


class OrderTold(_In):
    """What happened to an order in the shop's own systems. A parcel is named by its tracking number."""

    status: OrderStatus | None = None
    tracking_number: Short | None = None
    carrier: Short | None = None
    shipped_on: date | None = None
    expected_on: date | None = None
    delivered_on: date | None = None


class VariantTold(_In):
    """`price` in the variant's currency, with a decimal point: "129.90"."""

    price: Annotated[Decimal, Field(ge=0, lt=10**11)] | None = None
    stock: Annotated[int, Field(ge=-MOST_ROW_ID, le=MOST_ROW_ID)] | None = None
    available: bool | None = None


class ChangesOut(BaseModel):
    """What became another value, before and after, as it is told: a price as "129.90" in the variant's currency.

    Empty where all was so already.
    """

    before: dict[str, Any]
    after: dict[str, Any]


class DraftRequest(_In):
    """Without `text` the customer's last message is answered."""

    conversation_id: Annotated[str, Field(max_length=64, pattern=ID_PATTERN)]
    text: Text | None = None


class ConversationOut(_Out):
    id: str
    status: ConversationStatus
    channel: str
    language: str | None
    customer_email: str | None = None
    created_at: datetime
    updated_at: datetime


class MessageOut(_Out):
    id: int
    role: Role
    text: str
    intent: str | None
    confidence: float | None
    complete: bool
    created_at: datetime


class ConversationDetail(ConversationOut):
    messages: list[MessageOut]
    next_message: int | None = Field(
        description="send as `after` for the following messages; null at the end"
    )


class TicketOut(_Out):
    id: int
    conversation_id: str
    status: TicketStatus
    reason: str
    intent: str | None
    summary: str
    assignee: str | None
    created_at: datetime
    updated_at: datetime


class TraceOut(_Out):
    message_id: int
    reply_id: int | None
    understood: dict[str, Any]
    looked_up: dict[str, Any]
    done: dict[str, Any]
    said: dict[str, Any]
    milliseconds: dict[str, float]


class ConversationPage(BaseModel):
    data: list[ConversationOut]
    next: str | None = Field(description="send as `before` for the next page; null at the end")


class TicketPage(BaseModel):
    data: list[TicketOut]
    next: int | None


class TracePage(BaseModel):
    data: list[TraceOut]
    next: int | None = Field(description="send as `after` for the next page; null at the end")
