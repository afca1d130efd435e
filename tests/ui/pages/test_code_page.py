"""The code studio in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from apps.code.sandbox import Sandbox
from apps.code.syntax import parses
from apps.settings import Settings
from core_model import load_engine
from tests.conftest import DEFAULT
from tests.ui.conftest import serving, wait_for_pages, wait_until_ready
from tests.ui.pages.conftest import SECONDS, OpenPage, Site
from ui.metrics import Metrics
from ui.runtime import Runtime, assemble

pytestmark = pytest.mark.browser

ADD = "def add(a, b): the sum of a and b.\n\n>>> add(2, 3)\n5\n"

# A short answer's listing may be gone, for the editor that follows it, before it could be waited for.
COUNT_LISTINGS = """() => {
    window.listings = 0;
    const count = () => { window.listings += document.querySelectorAll("#answer .listing .line").length > 0; };
    new MutationObserver(count).observe(document.body, { childList: true, subtree: true });
}"""


def ask(page: Any, task: str, effort: str) -> None:
    page.locator("#task textarea").fill(task)
    page.get_by_text(effort, exact=True).first.click()
    page.locator("#write").click()


def wait_for_answer(page: Any) -> None:
    page.wait_for_selector("#again", state="visible")
    page.wait_for_selector("#stop", state="hidden")


def code_in(page: Any, editor: str) -> str:
    """What stands in an editor, which shows only a part of a long text."""
    text: str = page.evaluate(
        "id => document.querySelector(`#${id} .cm-content`).cmTile.root.view.state.doc.toString()", editor
    )
    return text


def type_over(page: Any, editor: str, text: str) -> None:
    page.locator(f"#{editor} .cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def test_code_is_streamed_and_judged_and_survives_a_change_of_language(open_page: OpenPage) -> None:
    page = open_page("/code")
    page.evaluate(COUNT_LISTINGS)
    ask(page, "A class Account with deposit, withdraw and balance.", "Quick")
    wait_for_answer(page)
    assert page.evaluate("window.listings") > 1
    assert "Parses" in page.locator("#verdict").inner_text()
    code = code_in(page, "result")
    page.get_by_text("中文", exact=True).click()
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('语法正确')")
    assert code_in(page, "result") == code


def test_with_effort_the_verdict_of_the_given_examples_is_shown(
    open_page: OpenPage, sandbox: Sandbox
) -> None:
    page = open_page("/code")
    ask(page, ADD, "Normal")
    page.wait_for_selector("#verdict .checks li", state="attached")
    wait_for_answer(page)
    assert re.search(r"[01] of 1 examples? pass|does not", page.locator("#verdict").inner_text())


def test_stopping_ends_the_work(open_page: OpenPage, site: Site) -> None:
    page = open_page("/code")
    cancelled = site.engine.statistics.cancelled
    ask(page, "A very long program with many classes. " * 10, "Quick")
    page.wait_for_selector("#answer .listing .line")
    page.locator("#stop").click()
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('Stopped')")
    for _ in range(100):
        if site.engine.statistics.cancelled > cancelled and not site.engine.statistics.running:
            break
        page.wait_for_timeout(100)
    assert site.engine.statistics.cancelled > cancelled
    assert site.engine.statistics.running == 0


def test_the_result_can_be_edited_and_run_and_asked_for_again(
    open_page: OpenPage, site: Site, sandbox: Sandbox
) -> None:
    page = open_page("/code")
    ask(page, ADD, "Quick")
    wait_for_answer(page)
    type_over(page, "result", "def double(n): return 2 * n\nprint(f'six times seven is {double(21)}')\n")
    page.locator("#result .cm-content").press("Control+Enter")
    page.wait_for_selector("#output .output:has-text('six times seven is 42')")
    page.locator("#call input, #call textarea").fill("double([1, 2])")
    page.locator("#run").click()
    page.wait_for_selector("#output .output:has-text('double([1, 2]) → [1, 2, 1, 2]')")
    page.locator("#call input, #call textarea").fill("triple(1)")
    page.locator("#run").click()
    page.wait_for_selector("#output .problem:has-text('no function of this name')")
    asked = site.engine.statistics.requests
    page.locator("#again").click()
    page.wait_for_selector("#running", state="hidden")
    wait_for_answer(page)
    assert site.engine.statistics.requests > asked
    assert not page.locator("#output").inner_text().strip()


def test_a_selection_is_edited_and_what_changed_is_shown(open_page: OpenPage) -> None:
    page = open_page("/code")
    page.get_by_role("tab", name="Edit").click()
    page.get_by_role("button", name="Throw an exception").click()
    page.wait_for_function("getSelection().toString().includes('int pop()')")
    before = code_in(page, "part")
    page.locator("#instruction textarea, #instruction input").press("Control+Enter")
    page.wait_for_selector("#answer .changes")
    assert "class Stack" not in page.locator("#answer .added, #answer .removed").all_inner_texts()
    page.locator("#shown").get_by_text("Code", exact=True).click()
    page.wait_for_selector("#result .cm-content", state="visible")
    after = code_in(page, "result")
    assert parses(after, "java")
    assert before.partition("    public int pop()")[0] == after[: before.index("    public int pop()")]
    page.locator("#insert").click()
    page.wait_for_selector("#insert", state="hidden")
    assert code_in(page, "part") == after


def test_the_page_fits_a_narrow_screen_in_every_tab(open_page: OpenPage) -> None:
    page = open_page("/code", viewport={"width": 390, "height": 844})
    for tab in ("Write", "Edit", "Complete", "Translate"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_selector(f"#{tab.lower()}", state="visible")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The pages on the default model, which can fill gaps."""
    folder = tmp_path_factory.mktemp("studio")
    settings = Settings(home=folder, database_url=f"sqlite:///{folder}/shop.db", adapters_dir=folder)

    def load(settings: Settings, metrics: Metrics) -> Runtime:
        return assemble(load_engine(DEFAULT), DEFAULT, settings, metrics)

    with serving(settings, load) as address:
        wait_until_ready(address)
        wait_for_pages(address)
        yield address


@pytest.fixture
def page(browser: Any, studio: str) -> Iterator[Any]:
    page = browser.new_page(locale="en-GB")
    page.set_default_timeout(180 * SECONDS)
    page.goto(f"{studio}/code")
    yield page
    page.close()


@pytest.mark.slow
def test_what_is_suggested_stands_at_the_cursor_until_tab_takes_it(page: Any) -> None:
    page.get_by_role("tab", name="Complete").click()
    start = "def area(width, height):\n    return width * "
    type_over(page, "gap", start)
    page.wait_for_selector("#gap.ghostly")  # by itself, once the typing has paused
    shown = page.evaluate(
        "getComputedStyle(document.querySelectorAll('#gap .cm-line')[1], '::after').content"
    )
    assert shown.strip('"').startswith("height")
    assert code_in(page, "gap") == start
    page.keyboard.press("Escape")
    page.wait_for_selector("#gap:not(.ghostly)")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#gap.ghostly")
    page.keyboard.press("Tab")
    assert code_in(page, "gap").startswith(f"{start}height")
    assert page.locator("#gap.ghostly").count() == 0


@pytest.mark.slow
def test_a_task_that_asks_for_no_code_is_told_so_and_can_be_written_all_the_same(page: Any) -> None:
    ask(page, "What is the weather today?", "Quick")
    page.wait_for_selector("#verdict :text('does not ask for code')")
    page.wait_for_selector("#again", state="visible")
    assert not page.locator("#result").is_visible()
    page.locator("#again").click()
    page.wait_for_selector("#result .cm-content", state="visible")
    assert code_in(page, "result").strip()
