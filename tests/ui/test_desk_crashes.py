"""kill -9 on a real server between a desk's webhook and its reply: the customer gets exactly one."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from apps.support.database import Database
from apps.support.models import DeskEvent, DeskPost, Message
from core_model import catalog
from tests.conftest import EDGE
from tests.postgresql import new_database
from tests.support.desk_server import (
    AGENT_TOKEN,
    API_TOKEN,
    BOT_TOKEN,
    EMAIL,
    SECRET,
    DeskServer,
    desk_server,
    sign_chatwoot,
    sign_zendesk,
)
from tests.ui.test_serve_command import free_port, started

ASK = "how long does delivery take?"


@pytest.fixture
def desk() -> Iterator[DeskServer]:
    with desk_server() as server:
        yield server


def until(condition: Callable[[], bool], timeout_s: float = 240) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Chatwoot:
    """A desk's webhooks, and how the server is told of the desk."""

    threads = ("1/1", "1/2", "1/3", "1/4")

    def __init__(self, desk: DeskServer) -> None:
        self.desk = desk
        self.settings = {
            "DUET_CHATWOOT_URL": desk.url,
            "DUET_CHATWOOT_TOKEN": BOT_TOKEN,
            "DUET_CHATWOOT_READER_TOKEN": AGENT_TOKEN,
            "DUET_CHATWOOT_WEBHOOK_SECRET": SECRET,
        }

    def request(self, thread: str) -> tuple[str, bytes, dict[str, str]]:
        body = json.dumps(self.desk.chatwoot_webhook(thread, ASK)).encode()
        return "/integrations/chatwoot", body, sign_chatwoot(body)


class Zendesk:
    threads = ("11", "12", "13", "14")

    def __init__(self, desk: DeskServer) -> None:
        self.desk = desk
        self.settings = {
            "DUET_ZENDESK_URL": desk.url,
            "DUET_ZENDESK_EMAIL": EMAIL,
            "DUET_ZENDESK_TOKEN": API_TOKEN,
            "DUET_ZENDESK_WEBHOOK_SECRET": SECRET,
        }

    def request(self, thread: str) -> tuple[str, bytes, dict[str, str]]:
        body = json.dumps(self.desk.zendesk_webhook(thread, ASK)).encode()
        return "/integrations/zendesk", body, sign_zendesk(body)


def receives(url: str, desk: Chatwoot | Zendesk, thread: str) -> None:
    """The server takes a webhook, if need be while it is still loading its model."""
    path, body, headers = desk.request(thread)

    def accepted() -> bool:
        try:
            answer = httpx.post(f"{url}{path}", content=body, headers=headers, timeout=60)
        except httpx.ConnectError:
            return False
        assert answer.status_code == 200, answer.text
        return True

    until(accepted)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("service", "kind"), [(Chatwoot, "sqlite"), (Zendesk, "postgresql")], ids=["chatwoot", "zendesk"]
)
def test_a_kill_at_any_moment_leaves_exactly_one_reply(
    service: type[Chatwoot | Zendesk],
    kind: str,
    desk: DeskServer,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    catalog.resolve(EDGE, catalog.home())
    database_url = f"sqlite:///{tmp_path}/shop.db"
    if kind == "postgresql":
        database_url = new_database(request.getfixturevalue("postgresql_url"))
    database = Database(database_url)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    there = service(desk)
    first, second, third, last = there.threads
    settings = {
        **{name: "" for name in os.environ if name.startswith(("DUET_ZENDESK", "DUET_CHATWOOT"))},
        "DUET_DATABASE_URL": database_url,
        "DUET_ADAPTERS_DIR": str(tmp_path),
        "DUET_API_KEYS": "",
        **there.settings,
    }

    def begun() -> bool:
        with database.read() as session:
            return (
                session.scalar(select(DeskEvent.after_message_id).order_by(DeskEvent.id.desc())) is not None
            )

    def at_the_desk() -> bool:
        return bool(desk.replies(third))

    # As soon as the webhook is answered; when the turn has begun; when the desk has the reply but has not said so.
    for thread, moment in ((first, lambda: True), (second, begun), (third, at_the_desk)):
        with started("--port", str(port), "--model", EDGE, **settings) as process:
            receives(url, there, thread)
            if thread == third:
                desk.wait_for_replies(second, 1)
                desk.hold.set()
            until(moment)
            process.send_signal(signal.SIGKILL)
            process.wait()
            desk.hold.clear()
    with started("--port", str(port), "--model", EDGE, **settings):
        for thread in (first, second, third):
            desk.wait_for_replies(thread, 1)
        receives(url, there, last)
        desk.wait_for_replies(last, 1)  # nothing of the others was left to send before it
        time.sleep(1)
    assert [len(desk.replies(thread)) for thread in there.threads] == [1, 1, 1, 1]
    with database.read() as session:
        assert {post.status.value for post in session.scalars(select(DeskPost))} == {"sent"}
        assert len(session.scalars(select(Message)).all()) == 8
    database.close()
