"""The code studio in a real browser."""

from __future__ import annotations

import re

import pytest

from apps.code.sandbox import Sandbox
from tests.ui.pages.conftest import OpenPage, Site

pytestmark = pytest.mark.browser


def ask(page, task: str, effort: str) -> None:  # type: ignore[no-untyped-def]
    page.locator("#task textarea").fill(task)
    page.get_by_text(effort, exact=True).first.click()
    page.locator("#write").click()
    page.wait_for_selector("#answer .listing .line")


def test_code_is_streamed_and_judged_and_survives_a_change_of_language(open_page: OpenPage) -> None:
    page = open_page("/code")
    ask(page, "A function that adds two numbers.", "Quick")
    page.wait_for_selector("#stop", state="hidden")
    assert "Parses" in page.locator("#verdict").inner_text()
    code = page.locator("#answer .listing").inner_text()
    page.get_by_text("中文", exact=True).click()
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('语法正确')")
    assert page.locator("#answer .listing").inner_text() == code


def test_with_effort_the_verdict_of_the_given_examples_is_shown(
    open_page: OpenPage, sandbox: Sandbox
) -> None:
    page = open_page("/code")
    ask(page, "def add(a, b): the sum of a and b.\n\n>>> add(2, 3)\n5\n", "Normal")
    page.wait_for_selector("#verdict .checks li")
    page.wait_for_selector("#stop", state="hidden")
    assert re.search(r"[01] of 1 examples? pass|does not", page.locator("#verdict").inner_text())


def test_stopping_ends_the_work(open_page: OpenPage, site: Site) -> None:
    page = open_page("/code")
    cancelled = site.engine.statistics.cancelled
    ask(page, "A very long program with many classes.", "Quick")
    page.locator("#stop").click()
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('Stopped')")
    for _ in range(100):
        if site.engine.statistics.cancelled > cancelled and not site.engine.statistics.running:
            break
        page.wait_for_timeout(100)
    assert site.engine.statistics.cancelled > cancelled
    assert site.engine.statistics.running == 0
