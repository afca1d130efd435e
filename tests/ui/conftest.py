"""A real server, on a real port, with the real small model."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
import uvicorn
from openai import OpenAI

from apps.settings import Settings
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.understanding import MessageReader
from apps.support.replies.writer import ReplyWriter
from core_model import DuetChatModel, Engine
from tests.conftest import EDGE
from tests.ui.silent_adapters import write_silent_adapter
from ui.metrics import Metrics
from ui.runtime import LoadRuntime, Runtime, assemble
from ui.served_models import ServedModel
from ui.server import create_app

MODEL = "smollm2-135m-instruct"


@dataclass(frozen=True)
class Server:
    url: str
    engine: Engine

    def client(self) -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0, timeout=300)

    def wait_until_idle(self) -> None:
        """Return once the engine does nothing; fail if it goes on working."""
        deadline = time.monotonic() + 30
        while (load := self.engine.statistics).running or load.waiting:
            assert time.monotonic() < deadline, "the engine still works for a client that has gone"
            time.sleep(0.02)


class BorrowingRuntime(Runtime):
    """Leaves the engine running, which other tests use too."""

    def close(self) -> None:
        self.database.close()


def borrowed(
    engine: Engine, assistants: Sequence[ServedModel] = (), reader: MessageReader | None = None
) -> LoadRuntime:
    """How a server gets an engine that is in memory already, and with a `reader` a support assistant."""

    def load(settings: Settings, metrics: Metrics) -> Runtime:
        parts = vars(assemble(engine, MODEL, settings, metrics, assistants))
        if reader is not None:
            replies = ReplyWriter(DuetChatModel(engine=engine), most_tokens=8)
            parts = {**parts, "support": SupportPipeline(parts["database"], reader, replies)}
        return BorrowingRuntime(**parts)

    return load


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 300
    while httpx.get(f"{url}/ready", timeout=300).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for_pages(url: str) -> None:
    """They are built after the start; until then each of them says so and asks again."""
    while "http-equiv" in httpx.get(url).text:
        time.sleep(0.2)


@contextmanager
def serving(settings: Settings, load: LoadRuntime) -> Iterator[str]:
    """The URL of a server that listens."""
    config = uvicorn.Config(
        create_app(settings, load), port=0, log_level="warning", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:  # a server that goes on would keep the whole run from ending
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def server(edge_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    # A reader that changes nothing: the support routes are there, and what they read is not what is tested.
    adapters = tmp_path_factory.mktemp("adapters")
    write_silent_adapter(adapters / "support-reader", edge_engine, EDGE)
    settings = Settings(home=tmp_path_factory.mktemp("home"), adapters_dir=adapters, api_keys=())

    with serving(settings, borrowed(edge_engine)) as url:
        wait_until_ready(url)
        yield Server(url, edge_engine)


@pytest.fixture
def client(server: Server) -> Iterator[OpenAI]:
    with server.client() as client:
        yield client
