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
from tests.support.desk_server import (
    AGENT_TOKEN,
    BOT_TOKEN,
    SECRET,
    DeskServer,
    desk_server,
    sign_chatwoot,
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


def receives(url: str, desk: DeskServer, thread: str) -> None:
    """The server takes a webhook, if need be while it is still loading its model."""
    body = json.dumps(desk.chatwoot_webhook(thread, ASK)).encode()
    headers = sign_chatwoot(body)

    def accepted() -> bool:
        try:
            answer = httpx.post(f"{url}/integrations/chatwoot", content=body, headers=headers, timeout=60)
        except httpx.ConnectError:
            return False
        assert answer.status_code == 200, answer.text
        return True

    until(accepted)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_kill_at_any_moment_leaves_exactly_one_reply(desk: DeskServer, tmp_path: Path) -> None:
    catalog.resolve(EDGE, catalog.home())
    database = Database(f"sqlite:///{tmp_path}/shop.db")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        **{name: "" for name in os.environ if name.startswith("DUET_ZENDESK")},
        "DUET_DATABASE_URL": f"sqlite:///{tmp_path}/shop.db",
        "DUET_ADAPTERS_DIR": str(tmp_path),
        "DUET_API_KEYS": "",
        "DUET_CHATWOOT_URL": desk.url,
        "DUET_CHATWOOT_TOKEN": BOT_TOKEN,
        "DUET_CHATWOOT_READER_TOKEN": AGENT_TOKEN,
        "DUET_CHATWOOT_WEBHOOK_SECRET": SECRET,
    }

    def begun() -> bool:
        with database.read() as session:
            return (
                session.scalar(select(DeskEvent.after_message_id).order_by(DeskEvent.id.desc())) is not None
            )

    def at_the_desk() -> bool:
        return bool(desk.replies("1/3"))

    # As soon as the webhook is answered; when the turn has begun; when the desk has the reply but has not said so.
    for thread, moment in (("1/1", lambda: True), ("1/2", begun), ("1/3", at_the_desk)):
        with started("--port", str(port), "--model", EDGE, **settings) as process:
            receives(url, desk, thread)
            if thread == "1/3":
                desk.wait_for_replies("1/2", 1)
                desk.hold.set()
            until(moment)
            process.send_signal(signal.SIGKILL)
            process.wait()
            desk.hold.clear()
    with started("--port", str(port), "--model", EDGE, **settings):
        for thread in ("1/1", "1/2", "1/3"):
            desk.wait_for_replies(thread, 1)
        receives(url, desk, "1/4")
        desk.wait_for_replies("1/4", 1)  # nothing of the others was left to send before it
        time.sleep(1)
    assert [len(desk.replies(thread)) for thread in ("1/1", "1/2", "1/3", "1/4")] == [1, 1, 1, 1]
    with database.read() as session:
        assert {post.status.value for post in session.scalars(select(DeskPost))} == {"sent"}
        assert len(session.scalars(select(Message)).all()) == 8
    database.close()
