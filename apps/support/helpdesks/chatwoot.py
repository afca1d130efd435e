"""Chatwoot as an agent bot: github.com/chatwoot/chatwoot, lib/webhooks/trigger.rb and app/models/message.rb.

The bot answers conversations that are `pending`; `open` ones belong to people. Chatwoot has no idempotency
key: `echo_id` is not stored, and a `source_id` would keep the message from being sent on to the customer's
channel. So a message whose sending broke off is looked for by its text among those after the customer's.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AliasPath, BeforeValidator, ConfigDict, Field, ValidationError

from apps.body import Body
from apps.support.errors import PayloadError, SignatureError
from apps.support.helpdesks.automatic import is_automatic
from apps.support.helpdesks.desks import (
    DeskClient,
    Outgoing,
    check_signature,
    same_text,
)
from apps.support.reading.cleaning import ATTACHMENT, storable
from apps.support.shop.models import DeskEvent, DeskName

ANSWERED_STATUS = "pending"
INCOMING, OUTGOING = 0, 1
CLOCK_TOLERANCE = timedelta(minutes=5)


class _Sent(Body):
    model_config = ConfigDict(strict=False)


def _object(value: Any) -> Any:
    """Nothing where a channel sends text or a list in an object's place."""
    return value if isinstance(value, dict | _Sent) else {}


class _Mail(_Sent):
    subject: str = ""
    auto_reply: bool = False  # Chatwoot found the headers of RFC 3834


class _Attributes(_Sent):
    email: Annotated[_Mail, BeforeValidator(_object)] = _Mail()


class _Sender(_Sent):
    email: str = ""


class _Event(_Sent):
    event: str = Field(max_length=255)


def _iso(moment: Any) -> Any:
    """The form of Chatwoot's documentation, "2020-03-03 13:05:57 UTC", as ISO 8601."""
    return moment.replace(" UTC", "+00:00") if isinstance(moment, str) else moment


class _Message(_Event):
    id: int
    content: str = ""
    content_type: str = "text"
    content_attributes: Annotated[_Attributes, BeforeValidator(_object)] = _Attributes()
    message_type: str | int
    private: bool = False
    attachments: list[Any] = Field(default=[])
    created_at: Annotated[datetime, BeforeValidator(_iso)]
    account: int = Field(validation_alias=AliasPath("account", "id"))
    conversation: int = Field(validation_alias=AliasPath("conversation", "id"))
    status: str = Field(validation_alias=AliasPath("conversation", "status"))
    sender: Annotated[_Sender, BeforeValidator(_object)] = _Sender()

    @property
    def text(self) -> str:
        """What the customer wrote; a picture without words has a mark of its own."""
        if self.content.strip():
            return self.content
        return ATTACHMENT if self.attachments or self.content_type == "sticker" else ""

    @property
    def by_customer(self) -> bool:
        """Whether a person wrote it to the shop."""
        mail = self.content_attributes.email
        automatic = mail.auto_reply or is_automatic(
            self.content, subject=mail.subject, sender=self.sender.email
        )
        return self.message_type in ("incoming", INCOMING) and not self.private and not automatic


class Chatwoot:
    """`token` is the agent bot's; `reader_token` an agent's, because a bot may not list messages."""

    name = DeskName.CHATWOOT

    def __init__(self, url: str, token: str, secret: str, reader_token: str | None = None) -> None:
        self._secret = secret.encode()
        self._client = DeskClient(url, headers={"api_access_token": token})
        self._reader = {"api_access_token": reader_token or token}

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> DeskEvent | None:
        stamp = headers.get("x-chatwoot-timestamp", "")
        signed = hmac.new(self._secret, stamp.encode("utf-8", "replace") + b"." + body, hashlib.sha256)
        check_signature(
            f"sha256={signed.hexdigest()}", headers.get("x-chatwoot-signature"), _moment(stamp), now
        )
        try:
            if _Event.model_validate_json(body).event != "message_created":
                return None
            message = _Message.model_validate_json(body)
        except ValidationError as error:
            raise PayloadError(f"this is no event of Chatwoot: {error.errors()[0]['msg']}") from error
        if not (message.by_customer and message.text):
            return None
        created_at = message.created_at
        return DeskEvent(
            desk=self.name,
            thread=f"{message.account}/{message.conversation}",
            key=str(message.id),
            text=storable(message.text),
            for_assistant=message.status == ANSWERED_STATUS,
            written_at=created_at if created_at.tzinfo else created_at.replace(tzinfo=UTC),
        )

    def say(self, thread: str, message: Outgoing) -> str | None:
        body = {"content": message.text, "message_type": "outgoing", "private": message.private}
        answer = self._client.send("POST", f"{_path(thread)}/messages", json=body)
        return str(answer["id"]) if "id" in answer else None

    def find(self, thread: str, message: Outgoing) -> str | None:
        after = int(message.after or 0)
        oldest = (message.written_at - CLOCK_TOLERANCE).timestamp()
        path = f"{_path(thread)}/messages"
        options = {"params": {"after": after}} if after else {}
        listed = self._client.send("GET", path, headers=self._reader, **options).get("payload", [])
        for there in listed:
            if (
                there["id"] > after
                and there.get("message_type") == OUTGOING
                and bool(there.get("private")) == message.private
                and there.get("created_at", oldest) >= oldest
                and str(there["id"]) not in message.known
                and same_text(there.get("content"), message.text)
            ):
                return str(there["id"])
        return None

    def hand_over(self, thread: str) -> None:
        self._client.send("POST", f"{_path(thread)}/toggle_status", json={"status": "open"})

    def take_back(self, thread: str) -> None:
        self._client.send("POST", f"{_path(thread)}/toggle_status", json={"status": ANSWERED_STATUS})

    def close(self) -> None:
        self._client.close()


def _path(thread: str) -> str:
    account, conversation = thread.split("/")
    return f"/api/v1/accounts/{account}/conversations/{conversation}"


def _moment(stamp: str) -> datetime:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 11):
        raise SignatureError("the request is not signed: X-Chatwoot-Timestamp is missing")
    return datetime.fromtimestamp(int(stamp), UTC)
