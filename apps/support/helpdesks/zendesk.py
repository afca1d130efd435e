"""Zendesk tickets: developer.zendesk.com, "Verifying webhooks" and "Ticket events".

The assistant answers tickets that nobody is assigned to and that do not carry HANDED_OVER_TAG. Zendesk's
idempotency keys are for new tickets only, not for comments: so a comment carries the number of its post in its
metadata, by which one whose sending broke off is found.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import AliasPath, BaseModel, Field, ValidationError

from apps.support.errors import PayloadError, SignatureError
from apps.support.helpdesks.automatic import is_automatic
from apps.support.helpdesks.desks import (
    DeskClient,
    Outgoing,
    check_signature,
    same_text,
)
from apps.support.reading.cleaning import storable
from apps.support.shop.models import DeskEvent, DeskName

COMMENT_ADDED = "zen:event-type:ticket.comment_added"
TICKET_CREATED = "zen:event-type:ticket.created"
HANDED_OVER_TAG = "duet_handed_over"
CLOCK_TOLERANCE = timedelta(minutes=5)


class _Comment(BaseModel):
    id: str | int
    body: str | None
    is_public: bool
    is_staff: bool = Field(validation_alias=AliasPath("author", "is_staff"))


class _Ticket(BaseModel):
    id: str | int
    subject: str | None = None
    description: str | None = None
    is_public: bool = True
    assignee_id: str | int | None = None
    requester_id: str | int | None = None
    submitter_id: str | int | None = None
    tags: list[str] | None = None


class _Type(BaseModel):
    type: str


class _Event(_Type):
    time: datetime
    detail: _Ticket
    comment: _Comment | None = Field(default=None, validation_alias=AliasPath("event", "comment"))
    sequence: str | int | None = Field(
        default=None, validation_alias=AliasPath("event", "meta", "sequence", "id")
    )


class Zendesk:
    """`url` is https://SUBDOMAIN.zendesk.com; `email` and `token` an agent's and an API token."""

    name = DeskName.ZENDESK

    def __init__(self, url: str, email: str, token: str, secret: str) -> None:
        self._secret = secret.encode()
        self._client = DeskClient(url, auth=(f"{email}/token", token))

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> DeskEvent | None:
        stamp = headers.get("x-zendesk-webhook-signature-timestamp", "")
        signed = hmac.new(self._secret, stamp.encode("utf-8", "replace") + body, hashlib.sha256).digest()
        expected = base64.b64encode(signed).decode()
        check_signature(expected, headers.get("x-zendesk-webhook-signature"), _moment(stamp), now)
        try:
            if _Type.model_validate_json(body).type not in (COMMENT_ADDED, TICKET_CREATED):
                return None
            event = _Event.model_validate_json(body)
        except ValidationError as error:
            raise PayloadError(f"this is no ticket event of Zendesk: {error.errors()[0]['msg']}") from error
        text = _text_of(event)
        ticket = str(event.detail.id)
        if text is None or not text.strip() or is_automatic(text, subject=event.detail.subject or ""):
            return None
        if not (ticket.isascii() and ticket.isdigit()):
            raise PayloadError("a ticket's id is a number")
        at = event.time
        return DeskEvent(
            desk=self.name,
            thread=ticket,
            key=_key_of(event),
            text=storable(text),
            for_assistant=HANDED_OVER_TAG not in (event.detail.tags or ())
            and str(event.detail.assignee_id or "0") == "0",
            written_at=at if at.tzinfo else at.replace(tzinfo=UTC),
        )

    def say(self, thread: str, message: Outgoing) -> str | None:
        ticket: dict[str, Any] = {
            "comment": {"body": message.text, "public": not message.private},
            "metadata": {"duet_post": str(message.post_id)},
        }
        if not (message.private or message.closing):
            # Thanks reopened a solved ticket: it is solved again. Others wait for the customer.
            ticket["status"] = "solved" if message.farewell else "pending"
        audit = self._client.send("PUT", f"{_path(thread)}.json", json={"ticket": ticket}).get("audit") or {}
        made = [event["id"] for event in audit.get("events", ()) if event.get("type") == "Comment"]
        return str(made[0]) if made else None

    def find(self, thread: str, message: Outgoing) -> str | None:
        options = {"params": {"sort_order": "desc", "per_page": 100}}
        listed = self._client.send("GET", f"{_path(thread)}/comments.json", **options).get("comments", [])
        for there in listed:
            custom = (there.get("metadata") or {}).get("custom") or {}
            if custom.get("duet_post") == str(message.post_id):
                return str(there["id"])
        oldest = message.written_at - CLOCK_TOLERANCE
        for there in listed:
            if (
                there.get("public", True) != message.private
                and datetime.fromisoformat(there["created_at"]) >= oldest
                and str(there["id"]) not in message.known
                and same_text(there.get("body"), message.text)
            ):
                return str(there["id"])
        return None

    def hand_over(self, thread: str) -> None:
        self._client.send("PUT", f"{_path(thread)}/tags.json", json={"tags": [HANDED_OVER_TAG]})
        self._client.send("PUT", f"{_path(thread)}.json", json={"ticket": {"status": "open"}})

    def take_back(self, thread: str) -> None:
        self._client.send("DELETE", f"{_path(thread)}/tags.json", json={"tags": [HANDED_OVER_TAG]})
        self._client.send("PUT", f"{_path(thread)}.json", json={"ticket": {"assignee_id": None}})

    def close(self) -> None:
        self._client.close()


def _text_of(event: _Event) -> str | None:
    """What the customer wrote; None where it was not the customer, or not in public."""
    if event.type == COMMENT_ADDED:
        comment = event.comment
        if comment is None:
            raise PayloadError("the event has no comment")
        return comment.body if comment.is_public and not comment.is_staff else None
    ticket = event.detail
    by_customer = ticket.requester_id is not None and str(ticket.requester_id) == str(ticket.submitter_id)
    return ticket.description if ticket.is_public and by_customer else None


def _key_of(event: _Event) -> str:
    """One update brings one message: a new ticket and its first comment are events of the same sequence."""
    if event.sequence is not None:
        return f"{event.detail.id}/{event.sequence}"[:255]
    if event.comment is not None:
        return f"{event.detail.id}/comment/{event.comment.id}"[:255]
    return f"{event.detail.id}/created"[:255]


def _path(thread: str) -> str:
    return f"/api/v2/tickets/{thread}"


def _moment(stamp: str) -> datetime:
    try:
        sent_at = datetime.fromisoformat(stamp)
    except ValueError as error:
        raise SignatureError(
            "the request is not signed: X-Zendesk-Webhook-Signature-Timestamp is missing"
        ) from error
    return sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=UTC)
