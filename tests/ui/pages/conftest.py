"""A browser, and a real server with the real small model for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from apps.settings import Settings
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.replies.writer import ReplyWriter
from apps.support.shop.database import Database
from apps.support.shop.seed import seed
from core_model import DuetChatModel, Engine, load_engine
from tests.support.conftest import sqlite_shop  # noqa: F401 - a fixture
from tests.support.stored import TODAY
from tests.ui.conftest import MODEL, BorrowingRuntime, borrowed, serving, wait_for_pages, wait_until_ready
from tests.ui.pages.click_reader import ClickReader
from ui.metrics import Metrics
from ui.runtime import LoadRuntime, Runtime

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
SECONDS = 1000
OpenPage = Callable[..., Any]


@dataclass(frozen=True)
class Site:
    url: str
    engine: Engine
    database: Database


def with_assistant(engine: Engine) -> LoadRuntime:
    """The server's parts, and the assistant with a reader of typed commands."""

    def load(settings: Settings, metrics: Metrics) -> Runtime:
        runtime = borrowed(engine)(settings, metrics)
        replies = ReplyWriter(DuetChatModel(engine=engine), most_tokens=24)
        support = SupportPipeline(runtime.database, ClickReader(), replies)
        return BorrowingRuntime(**{**vars(runtime), "support": support})

    return load


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("pages")
    database = Database(f"sqlite:///{folder}/shop.db")
    database.upgrade()
    with database.write() as session:
        seed(session, TODAY)
    settings = Settings(home=folder, database_url=f"sqlite:///{folder}/shop.db", adapters_dir=folder)
    engine = load_engine(MODEL, weights="int8")
    with serving(settings, with_assistant(engine)) as address:
        wait_until_ready(address)
        wait_for_pages(address)
        yield Site(address, engine, database)
    engine.close()
    database.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium: apt install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any, site: Site) -> Iterator[OpenPage]:
    """Opens a path of the site in English.

    Fails the test if a page fetched anything from elsewhere, got an error for an answer, or had one in it.
    """
    pages: list[Any] = []
    troubles: list[str] = []

    def open_one(path: str, **options: Any) -> Any:
        opened = browser.new_page(locale="en-GB", **options)
        pages.append(opened)
        opened.set_default_timeout(180 * SECONDS)
        opened.on(
            "console", lambda said: said.type == "error" and troubles.append(f"{said.text} {said.location}")
        )
        opened.on("response", lambda got: got.status >= 400 and troubles.append(f"{got.status} {got.url}"))
        opened.on("pageerror", lambda error: troubles.append(str(error)))
        ours = (site.url, "data:", "blob:")
        opened.on("request", lambda asked: asked.url.startswith(ours) or troubles.append(asked.url))
        opened.goto(site.url + path)
        return opened

    yield open_one
    for page in pages:
        page.close()
    assert troubles == []
