"""Webhooks of Chatwoot and Zendesk: which requests are believed, and which of them are a customer's message."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.settings import Settings, SettingsError
from apps.support.errors import PayloadError, SignatureError
from apps.support.helpdesks.chatwoot import Chatwoot
from apps.support.helpdesks.configured import configured_desks
from apps.support.helpdesks.zendesk import Zendesk
from apps.support.reading.cleaning import ATTACHMENT
from tests.support.desk_server import (
    EMAIL,
    SECRET,
    DeskServer,
    sign_chatwoot,
    sign_zendesk,
)

THREAD, TICKET = "1/42", "5158"
ASK = "how long does delivery take?"


class TestWhatIsAnswered:
    desk = DeskServer()
    now = datetime.now(UTC)
    chatwoot = Chatwoot("http://127.0.0.1", "t", SECRET)
    zendesk = Zendesk("http://127.0.0.1", EMAIL, "t", SECRET)

    @pytest.mark.parametrize(
        "changed",
        [
            {"message_type": "outgoing"},
            {"message_type": "template"},
            {"message_type": "activity"},
            {"private": True},
            {"event": "message_updated"},
            {"event": "conversation_opened"},
            {"content": None},
            {"content": " \n"},
        ],
    )
    def test_only_what_a_customer_writes_in_chatwoot(self, changed: dict[str, Any]) -> None:
        body = json.dumps(self.desk.chatwoot_webhook(THREAD, ASK) | changed).encode()
        assert self.chatwoot.read(headers(sign_chatwoot(body)), body, datetime.now(UTC)) is None

    @pytest.mark.parametrize(
        "changed",
        [
            {"created_at": "2020-03-03 13:05:57 UTC"},
            {"created_at": 1714557600},
            {"created_at": "2020-08-30T15:43:04.000Z"},
            {"attachments": None, "private": None, "content_type": None, "content_attributes": None},
            {"message_type": 0},
            {"content_attributes": {"email": None}, "sender": None},
            {"content_type": "input_select"},
            {"content_attributes": "{}", "sender": []},
            {"content_attributes": {"email": "a@example.com"}},
            {"sender": {"id": 7, "phone_number": "+4917112345", "email": None}},
        ],
    )
    def test_what_older_chatwoots_and_other_channels_send_is_read(self, changed: dict[str, Any]) -> None:
        body = json.dumps(self.desk.chatwoot_webhook(THREAD, ASK) | changed).encode()
        read = self.chatwoot.read(headers(sign_chatwoot(body)), body, datetime.now(UTC))
        assert read is not None
        assert read.text == ASK
        assert read.written_at.tzinfo is not None

    @pytest.mark.parametrize(
        "changed",
        [
            {"content": None, "attachments": [{"id": 1, "file_type": "image"}]},
            {"content": "", "attachments": [{"id": 1, "file_type": "audio"}]},
            {"content": "", "content_type": "sticker"},
        ],
    )
    def test_a_picture_without_words_is_a_message(self, changed: dict[str, Any]) -> None:
        body = json.dumps(self.desk.chatwoot_webhook(THREAD, "x") | changed).encode()
        read = self.chatwoot.read(headers(sign_chatwoot(body)), body, datetime.now(UTC))
        assert read is not None
        assert read.text == ATTACHMENT

    @pytest.mark.parametrize(
        "changed",
        [
            {"content_attributes": {"email": {"subject": "Re: Your order", "auto_reply": True}}},
            {"content_attributes": {"email": {"subject": "Automatic reply: Your order"}}},
            {"content": "Automatische Antwort: Ich bin bis zum 3. Januar nicht im Büro."},
            {"content": "自动回复：您好，我正在休假。"},
            {"content": "Out of Office: back on Monday"},
            {"sender": {"id": 7, "email": "no-reply@example.com"}},
            {"sender": {"id": 7, "email": "MAILER-DAEMON@mail.example.com"}},
            {"sender": {"id": 7, "email": "bounces+123@example.com"}},
        ],
    )
    def test_what_a_machine_wrote_is_not_answered(self, changed: dict[str, Any]) -> None:
        body = json.dumps(self.desk.chatwoot_webhook(THREAD, ASK) | changed).encode()
        assert self.chatwoot.read(headers(sign_chatwoot(body)), body, datetime.now(UTC)) is None

    @pytest.mark.parametrize(
        "text", ["Automatic reply: I am away.", "Auto: closed today", "Undeliverable: your order"]
    )
    def test_what_a_machine_wrote_to_zendesk_is_not_answered(self, text: str) -> None:
        body = json.dumps(self.desk.zendesk_webhook(TICKET, text)).encode()
        assert self.zendesk.read(headers(sign_zendesk(body)), body, datetime.now(UTC)) is None

    @pytest.mark.parametrize("text", ["autoreply keeps coming from you", "automatic reply please stop"])
    def test_who_only_speaks_of_automatic_replies_is_a_person(self, text: str) -> None:
        body = json.dumps(self.desk.zendesk_webhook(TICKET, text)).encode()
        assert self.zendesk.read(headers(sign_zendesk(body)), body, datetime.now(UTC)) is not None

    def test_other_events_of_a_desk_are_let_be(self) -> None:
        body = b'{"event": "webwidget_triggered", "id": 1, "source_id": "x"}'
        assert self.chatwoot.read(headers(sign_chatwoot(body)), body, datetime.now(UTC)) is None
        body = b'{"type": "zen:event-type:ticket.status_changed", "detail": {"id": "1"}}'
        assert self.zendesk.read(headers(sign_zendesk(body)), body, datetime.now(UTC)) is None

    @pytest.mark.parametrize(
        "comment",
        [{"is_public": False}, {"author": {"id": "1", "is_staff": True}}, {"body": None}, {"body": " "}],
    )
    def test_only_what_a_customer_writes_in_zendesk(self, comment: dict[str, Any]) -> None:
        webhook = self.desk.zendesk_webhook(TICKET, ASK)
        webhook["event"]["comment"].update(comment)
        body = json.dumps(webhook).encode()
        assert self.zendesk.read(headers(sign_zendesk(body)), body, datetime.now(UTC)) is None

    def test_a_new_ticket_and_its_first_comment_are_one_message(self) -> None:
        comment = self.desk.zendesk_webhook(TICKET, ASK)
        created = comment | {
            "type": "zen:event-type:ticket.created",
            "detail": self.desk.zendesk_detail(TICKET, description=ASK),
            "event": {"meta": comment["event"]["meta"]},
        }
        read = []
        for payload in (comment, created):
            body = json.dumps(payload).encode()
            read.append(self.zendesk.read(headers(sign_zendesk(body)), body, datetime.now(UTC)))
        assert read[0] is not None
        assert read[1] is not None
        assert (read[0].key, read[0].text) == (read[1].key, read[1].text)

    def test_a_ticket_that_an_agent_made_is_not_a_customers(self) -> None:
        payload = self.desk.zendesk_webhook(TICKET, ASK) | {
            "type": "zen:event-type:ticket.created",
            "detail": self.desk.zendesk_detail(TICKET, description=ASK, submitter_id="1"),
        }
        body = json.dumps(payload).encode()
        assert self.zendesk.read(headers(sign_zendesk(body)), body, datetime.now(UTC)) is None


def headers(signed: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in signed.items()}


class TestSignatures:
    @pytest.fixture(params=["chatwoot", "zendesk"])
    def read(self, request: pytest.FixtureRequest) -> Callable[..., Any]:
        desk = DeskServer()
        if request.param == "chatwoot":
            reader: Any = Chatwoot("http://127.0.0.1", "t", SECRET)
            sign: Any = sign_chatwoot
            body = json.dumps(desk.chatwoot_webhook(THREAD, ASK)).encode()
        else:
            reader, sign = Zendesk("http://127.0.0.1", EMAIL, "t", SECRET), sign_zendesk
            body = json.dumps(desk.zendesk_webhook(TICKET, ASK)).encode()

        def read_it(sent: bytes | None = None, drop: str = "nothing", **how: Any) -> Any:
            signed = headers(sign(body, **how))
            signed = {name: value for name, value in signed.items() if not name.endswith(drop)}
            return reader.read(signed, body if sent is None else sent, datetime.now(UTC))

        return read_it

    def test_a_signed_request_of_now_is_read(self, read: Callable[..., Any]) -> None:
        assert read().text == ASK
        assert read(at=time.time() - 200).text == ASK

    @pytest.mark.parametrize(
        "how",
        [
            {"secret": "another"},
            {"sent": b"{}"},
            {"sent": b""},
            {"at": 0},
            {"at": 10**10},
            {"drop": "-signature"},
            {"drop": "-timestamp"},
        ],
    )
    def test_any_other_is_refused(self, read: Callable[..., Any], how: dict[str, Any]) -> None:
        with pytest.raises(SignatureError):
            read(**how)

    def test_an_old_request_is_refused(self, read: Callable[..., Any]) -> None:
        for seconds in (-400, 400):
            with pytest.raises(SignatureError, match="not from now"):
                read(at=time.time() + seconds)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b"\xff", b"[" * 50_000, b'{"event": 1}', b'{"event": "message_created"}'],
)
def test_a_signed_request_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadError):
        Chatwoot("http://127.0.0.1", "t", SECRET).read(headers(sign_chatwoot(body)), body, datetime.now(UTC))
    with pytest.raises(PayloadError):
        Zendesk("http://127.0.0.1", EMAIL, "t", SECRET).read(
            headers(sign_zendesk(body)), body, datetime.now(UTC)
        )


def test_half_of_a_desks_settings_is_an_error() -> None:
    assert configured_desks(Settings()) == {}
    with pytest.raises(SettingsError, match=r"DUET_CHATWOOT_TOKEN.*DUET_CHATWOOT_WEBHOOK_SECRET"):
        configured_desks(Settings(chatwoot_url="https://chat.example.com"))
    with pytest.raises(SettingsError, match="https://"):
        configured_desks(
            Settings(chatwoot_url="chat.example.com", chatwoot_token="t", chatwoot_webhook_secret="s")
        )
