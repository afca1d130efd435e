"""kill -9 on a real server between a desk's webhook and its reply: the customer gets exactly one.

TEST_KILLS=200 kills as often at random moments; TEST_KILLS_SEED draws others.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from apps.settings import Settings
from apps.support.shop.database import Database
from apps.support.shop.models import DeskEvent, DeskPost, Message
from core_model import catalog
from tests.conftest import DEFAULT
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
KILLS = int(os.environ.get("TEST_KILLS", "2"))
KILLS_SEED = int(os.environ.get("TEST_KILLS_SEED", "1"))
LATEST_KILL_S = 4.0
"""After the webhook was taken: on an idle machine the reply is there by then."""


@pytest.fixture
def desk() -> Iterator[DeskServer]:
    with desk_server() as server:
        yield server


def until(condition: Callable[[], bool], timeout_s: float = 240) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@dataclass(frozen=True)
class Service:
    """How a desk sends its webhooks, and how the server is told of it. `threads` are four of its conversations."""

    path: str
    threads: tuple[str, str, str, str]
    webhook: Callable[[DeskServer, str, str], dict[str, Any]]
    sign: Callable[[bytes], dict[str, str]]
    url: str
    settings: dict[str, str]


CHATWOOT = Service(
    "/integrations/chatwoot",
    ("1/1", "1/2", "1/3", "1/4"),
    DeskServer.chatwoot_webhook,
    sign_chatwoot,
    "DUET_CHATWOOT_URL",
    {
        "DUET_CHATWOOT_TOKEN": BOT_TOKEN,
        "DUET_CHATWOOT_READER_TOKEN": AGENT_TOKEN,
        "DUET_CHATWOOT_WEBHOOK_SECRET": SECRET,
    },
)
ZENDESK = Service(
    "/integrations/zendesk",
    ("11", "12", "13", "14"),
    DeskServer.zendesk_webhook,
    sign_zendesk,
    "DUET_ZENDESK_URL",
    {"DUET_ZENDESK_EMAIL": EMAIL, "DUET_ZENDESK_TOKEN": API_TOKEN, "DUET_ZENDESK_WEBHOOK_SECRET": SECRET},
)


def receives(url: str, desk: DeskServer, service: Service, thread: str) -> None:
    """The server takes a webhook, if need be while it is still loading its model."""
    body = json.dumps(service.webhook(desk, thread, ASK)).encode()
    headers = service.sign(body)

    def accepted() -> bool:
        try:
            answer = httpx.post(f"{url}{service.path}", content=body, headers=headers, timeout=60)
        except httpx.ConnectError:
            return False
        assert answer.status_code == 200, answer.text
        return True

    until(accepted)


def settings_for(service: Service, desk: DeskServer, database_url: str) -> dict[str, str]:
    """The environment of a server that answers the desk; skips the test without a trained reader."""
    catalog.resolve(DEFAULT, catalog.home())
    adapters = Settings().adapters_dir
    if not (adapters / "support-reader" / "adapter_config.json").exists():
        pytest.skip("adapters/support-reader is not trained")
    return {
        **{name: "" for name in os.environ if name.startswith(("DUET_ZENDESK", "DUET_CHATWOOT"))},
        "DUET_DATABASE_URL": database_url,
        "DUET_ADAPTERS_DIR": str(adapters.absolute()),
        "DUET_API_KEYS": "",
        service.url: desk.url,
        **service.settings,
    }


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("service", "kind"), [(CHATWOOT, "sqlite"), (ZENDESK, "postgresql")], ids=["chatwoot", "zendesk"]
)
def test_a_kill_at_any_moment_leaves_exactly_one_reply(
    service: Service,
    kind: str,
    desk: DeskServer,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    database_url = f"sqlite:///{tmp_path}/shop.db"
    if kind == "postgresql":
        database_url = new_database(request.getfixturevalue("postgresql_url"))
    database = Database(database_url)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    first, second, third, last = service.threads
    settings = settings_for(service, desk, database_url)

    def begun() -> bool:
        with database.read() as session:
            return (
                session.scalar(select(DeskEvent.after_message_id).order_by(DeskEvent.id.desc())) is not None
            )

    def at_the_desk() -> bool:
        return bool(desk.replies(third))

    # As soon as the webhook is answered; when the turn has begun; when the desk has the reply but has not said so.
    for thread, moment in ((first, lambda: True), (second, begun), (third, at_the_desk)):
        with started("--port", str(port), "--model", DEFAULT, **settings) as process:
            receives(url, desk, service, thread)
            if thread == third:
                desk.wait_for_replies(second, 1)
                desk.hold.set()
            until(moment)
            process.send_signal(signal.SIGKILL)
            process.wait()
            desk.hold.clear()
    with started("--port", str(port), "--model", DEFAULT, **settings):
        for thread in (first, second, third):
            desk.wait_for_replies(thread, 1)
        receives(url, desk, service, last)
        desk.wait_for_replies(last, 1)  # nothing of the others was left to send before it
        time.sleep(1)
    assert [len(desk.replies(thread)) for thread in service.threads] == [1, 1, 1, 1]
    with database.read() as session:
        assert {post.status.value for post in session.scalars(select(DeskPost))} == {"sent"}
        assert len(session.scalars(select(Message)).all()) == 8
    database.close()


@pytest.mark.slow
@pytest.mark.timeout(600 + 120 * KILLS)
def test_kills_at_random_moments_leave_one_reply_each(desk: DeskServer, tmp_path: Path) -> None:
    settings = settings_for(CHATWOOT, desk, f"sqlite:///{tmp_path}/shop.db")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    moments = random.Random(KILLS_SEED)
    threads = [f"1/{number}" for number in range(1, KILLS + 1)]
    for thread in threads:
        with started("--port", str(port), "--model", DEFAULT, **settings) as process:
            receives(url, desk, CHATWOOT, thread)
            time.sleep(moments.uniform(0.0, LATEST_KILL_S))
            process.send_signal(signal.SIGKILL)
            process.wait()
    with started("--port", str(port), "--model", DEFAULT, **settings):
        for thread in threads:
            desk.wait_for_replies(thread, 1)
        receives(url, desk, CHATWOOT, "1/1000000")
        desk.wait_for_replies("1/1000000", 1)  # nothing of the others was left to send before it
        time.sleep(1)
    assert {thread: len(desk.replies(thread)) for thread in threads} == dict.fromkeys(threads, 1)
