"""Both pages in a real browser, on a real server with the real small model."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from apps.settings import Settings
from apps.support.database import Database
from apps.support.seed import seed
from core_model import Engine
from tests.support.conftest import TODAY
from tests.ui.conftest import borrowed, serving, wait_until_ready

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt install chromium"),
]
SECONDS = 1000


@pytest.fixture(scope="module")
def url(edge_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pages")
    database = Database(f"sqlite:///{folder}/shop.db")
    database.upgrade()
    with database.write() as session:
        seed(session, TODAY)
    database.close()
    settings = Settings(home=folder, database_url=f"sqlite:///{folder}/shop.db", adapters_dir=folder)
    with serving(settings, borrowed(edge_engine)) as address:
        wait_until_ready(address)
        while "http-equiv" in httpx.get(address).text:  # the page that waits for the pages
            time.sleep(0.2)
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, url: str) -> Iterator[object]:  # type: ignore[no-untyped-def]
    """A page in English that fails the test if anything was fetched from elsewhere or went wrong in it."""
    opened = browser.new_page(locale="en-GB")
    opened.set_default_timeout(90 * SECONDS)
    troubles: list[str] = []
    opened.on(
        "console", lambda said: said.type == "error" and troubles.append(f"{said.text} {said.location}")
    )
    opened.on("response", lambda got: got.status >= 400 and troubles.append(f"{got.status} {got.url}"))
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on(
        "request",
        lambda asked: None if asked.url.startswith((url, "data:", "blob:")) else troubles.append(asked.url),
    )
    yield opened
    opened.close()
    assert troubles == []


def say(page, text: str) -> None:  # type: ignore[no-untyped-def]
    page.locator("#message textarea, #message input").first.fill(text)
    page.locator("#send").click()


def test_the_shop_assistant_answers_from_the_policy(page, url: str) -> None:  # type: ignore[no-untyped-def]
    page.goto(url)
    page.wait_for_selector("#send")
    say(page, "How long does delivery take?")
    page.wait_for_function("document.querySelector('#chat').innerText.includes('Delivery ›')")
    assert re.search(r"\d", page.locator("#chat").inner_text())
    assert "delivery_period" in page.locator("#understood").inner_text()


def test_text_of_a_customer_is_shown_as_text(page, url: str) -> None:  # type: ignore[no-untyped-def]
    page.goto(url)
    page.wait_for_selector("#send")
    say(page, "<b id=bold>hello</b> <img src=x onerror=alert(1)> **stars**")
    page.wait_for_function("document.querySelector('#chat').innerText.includes('onerror')")
    shown = page.locator("#chat").inner_text()
    assert "<b id=bold>hello</b>" in shown
    assert "**stars**" in shown
    assert page.locator("#bold, #chat img").count() == 0


def test_the_code_studio_streams_code_and_judges_it(page, url: str) -> None:  # type: ignore[no-untyped-def]
    page.goto(f"{url}/code")
    page.locator("#task textarea").fill("A function that adds two numbers.")
    page.get_by_text("Quick", exact=True).first.click()
    page.locator("#write").click()
    page.wait_for_selector("#answer .listing .line")
    page.wait_for_selector("#stop", state="hidden")
    assert "Parses" in page.locator("#verdict").inner_text()


def test_stopping_ends_the_work(page, url: str, edge_engine: Engine) -> None:  # type: ignore[no-untyped-def]
    page.goto(f"{url}/code")
    page.locator("#task textarea").fill("A very long program with many classes.")
    page.get_by_text("Quick", exact=True).first.click()
    cancelled = edge_engine.statistics.cancelled
    page.locator("#write").click()
    page.wait_for_selector("#answer .listing .line")
    page.locator("#stop").click()
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('Stopped')")
    for _ in range(100):
        if edge_engine.statistics.cancelled > cancelled and not edge_engine.statistics.running:
            break
        page.wait_for_timeout(100)
    assert edge_engine.statistics.cancelled > cancelled
    assert edge_engine.statistics.running == 0


def test_the_pages_speak_chinese_on_a_narrow_screen(page, url: str) -> None:  # type: ignore[no-untyped-def]
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(url)
    page.get_by_text("中文", exact=True).click()
    page.wait_for_selector("text=有什么可以帮您")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"{url}/code")
    page.wait_for_selector("text=写出来的代码一定能解析")


def test_what_the_pages_do_not_need_is_not_served(url: str) -> None:
    assert httpx.get(f"{url}/gradio_api/file=/etc/passwd").status_code == 404
    assert httpx.get(f"{url}/nowhere").status_code == 404


def test_there_is_a_picture_of_each_page_in_the_docs() -> None:
    pictures = Path(__file__).parents[2] / "docs" / "pictures"
    assert {"support-chat.png", "code-studio.png"} <= {file.name for file in pictures.glob("*.png")}
