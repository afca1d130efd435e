"""The shop assistant and the desk in a real browser: a customer on one page, a person on the other."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from apps.settings import Settings
from apps.support.conversations import records, tickets
from apps.support.shop.models import Customer, Order, OrderStatus
from apps.support.shop.seed import DEMO_EMAILS
from tests.ui.conftest import serving
from tests.ui.pages.conftest import OpenPage, Site, with_assistant

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)>[x](javascript:alert(1))${1+1}{{value}}"
ANNA, WEI = DEMO_EMAILS
WATCH_LENGTHS = """
  window.lengths = new Set();
  setInterval(() => {
    const reply = document.querySelector("#chat .msg.assistant:last-child p");
    if (reply) lengths.add(reply.innerText.length);
  }, 20);
"""


def say(page, text: str) -> None:  # type: ignore[no-untyped-def]
    """Send a message and wait until its turn has ended."""
    before = page.locator("#chat .msg.customer").count()
    page.get_by_label("Your message").or_(page.get_by_label("您的消息")).fill(text)
    page.locator("#send").click()
    wait_for_answer(page, before + 1)


def click(page, name: str) -> None:  # type: ignore[no-untyped-def]
    """Click a button in the conversation and wait until its turn has ended."""
    before = page.locator("#chat .msg.customer").count()
    page.locator("#chat").get_by_role("button", name=name).first.click()
    wait_for_answer(page, before + 1)


def wait_for_answer(page, messages: int) -> None:  # type: ignore[no-untyped-def]
    page.wait_for_function(
        "count => document.querySelectorAll('#chat .msg.customer').length === count"
        " && document.querySelector('#chat .messages').lastElementChild.matches('.msg.assistant:not(:has(.typing))')",
        arg=messages,
    )
    page.wait_for_selector("#send", state="visible")


def sign_in(page, email: str) -> None:  # type: ignore[no-untyped-def]
    """Type an e-mail into the sign-in box. What follows does not wait for Gradio to take it over."""
    page.locator("#customer input").fill(email)
    page.locator("#customer input").press("Enter")


def last_customer(site: Site) -> str | None:
    with site.database.read() as session:
        customer = records.list_conversations(session, status=None, limit=1, before=None)[0][0].customer
        return customer.email if customer else None


def order_of(site: Site, email: str, status: OrderStatus, first_item: str | None = None) -> str:
    """The number of such an order; its first item gets another name, if one is given."""
    with site.database.write() as session:
        order = session.scalars(
            select(Order).join(Customer).where(Customer.email == email, Order.status == status)
        ).first()
        if first_item is not None:
            order.items[0].name, order.items[0].variant = first_item, None
        return order.number


def test_an_answer_is_streamed_with_what_was_understood(open_page: OpenPage) -> None:
    page = open_page("/")
    page.wait_for_selector("#chat .messages")
    page.evaluate(WATCH_LENGTHS)
    say(page, "How long does delivery take?")
    assert page.evaluate("lengths.size") > 4
    assert "Delivery ›" in page.locator("#chat").inner_text()
    understood = page.locator("#understood").inner_text()
    assert "ask delivery_period" in understood
    assert re.search(r"Delivery period delivery_period\s+97%", understood)
    assert "first word" in understood
    assert "Delivery ›" in understood


def test_an_order_is_shown_once_it_is_proven_and_as_text(open_page: OpenPage, site: Site) -> None:
    number = order_of(site, WEI, OrderStatus.SHIPPED, first_item=HOSTILE)
    page = open_page("/")
    say(page, HOSTILE)
    say(page, "Where is my order?")
    assert page.locator("#order .card").count() == 0
    say(page, f"{number} {WEI}")
    card = page.locator("#order .card").inner_text()
    assert number in card
    assert "Shipped" in card
    assert "Tracking" in card
    assert HOSTILE[:80] in card
    assert HOSTILE in page.locator("#chat").inner_text()
    assert page.locator("#chat img, #order img, #understood img, #chat a, #order a").count() == 0


def status_of(site: Site, number: str) -> OrderStatus | None:
    with site.database.read() as session:
        return session.scalar(select(Order.status).where(Order.number == number))


def test_a_proposal_is_a_card_whose_no_leaves_everything_as_it_is(open_page: OpenPage, site: Site) -> None:
    number = order_of(site, ANNA, OrderStatus.PENDING)
    page = open_page("/")
    sign_in(page, ANNA)
    say(page, f"cancel {number}")
    assert number in page.locator("#chat .deed.open").inner_text()
    assert "waits for a yes" in page.locator("#understood").inner_text()
    click(page, "No")
    assert "Not done" in page.locator("#chat .deed.dropped").inner_text()
    assert page.locator("#chat [data-say]").count() == 0
    assert status_of(site, number) == OrderStatus.PENDING


def test_a_yes_makes_the_card_a_receipt_and_a_reload_keeps_it(open_page: OpenPage, site: Site) -> None:
    number = order_of(site, WEI, OrderStatus.PENDING)
    page = open_page("/")
    sign_in(page, WEI)
    say(page, f"cancel {number}")
    page.reload()
    page.wait_for_selector("#chat .deed.open")
    assert page.locator("#customer input").input_value() == WEI
    click(page, "Yes")
    assert status_of(site, number) == OrderStatus.CANCELLED
    for _ in range(2):
        receipt = page.locator("#chat .deed.done").inner_text()
        assert "Done" in receipt
        assert number in receipt
        assert page.locator("#chat .msg").count() == 4
        assert "Cancelled" in page.locator("#order").inner_text()
        page.reload()
        page.wait_for_selector("#chat .deed.done")
        page.wait_for_selector("#order .card")
    page.locator("#new").click()
    page.wait_for_selector("#chat .messages.none")
    page.reload()
    page.wait_for_selector("#chat .messages.none")


def test_the_orders_that_may_be_meant_are_cards_to_click(open_page: OpenPage, site: Site) -> None:
    page = open_page("/")
    sign_in(page, ANNA)
    say(page, "orders")
    with site.database.read() as session:
        numbers = list(
            session.scalars(select(Order.number).join(Customer).where(Customer.email == ANNA)).all()
        )
    cards = page.locator("#chat .order-choice")
    assert cards.count() == len(numbers)
    for details in page.locator("#chat .offers details").all():
        details.locator("summary").click()
    click(page, f"#{numbers[-1]}")
    page.wait_for_selector(f"#order .card:has-text('{numbers[-1]}')")
    assert page.locator("#chat .order-choice").count() == 0


def test_a_message_that_does_not_reach_the_shop_is_shown_as_not_sent(site: Site, browser) -> None:  # type: ignore[no-untyped-def]
    page = browser.new_page(locale="en-GB")
    page.goto(site.url)
    page.wait_for_selector("#chat .messages")
    page.route("**/health", lambda route: route.abort())
    page.get_by_label("Your message").fill("hello")
    page.locator("#send").click()
    page.wait_for_selector("#unreachable.shown")
    assert "Not sent" in page.locator("#unreachable").inner_text()
    assert page.get_by_label("Your message").input_value() == "hello"
    page.unroute("**/health")
    page.locator("#unreachable").get_by_role("button", name="Try again").click()
    wait_for_answer(page, 1)
    assert not page.locator("#unreachable").is_visible()
    page.close()


def test_a_message_that_the_shop_did_not_take_can_be_sent_again(open_page: OpenPage, site: Site) -> None:
    page = open_page("/")
    sign_in(page, "nobody@example.org")
    page.get_by_label("Your message").fill("hello")
    page.locator("#send").click()
    page.wait_for_selector("#chat .msg.unsent")
    assert "Not sent." in page.locator("#chat").inner_text()
    sign_in(page, ANNA)
    page.locator("#chat").get_by_role("button", name="Try again").click()
    wait_for_answer(page, 1)
    assert page.locator("#chat .unsent").count() == 0
    assert last_customer(site) == ANNA


def test_a_page_says_its_language_and_its_title(open_page: OpenPage) -> None:
    page = open_page("/")
    page.wait_for_function(
        "document.title === 'Shop assistant · Duet' && document.documentElement.lang === 'en'"
    )
    page.get_by_text("中文", exact=True).click()
    page.wait_for_function(
        "document.title === '购物助手 · Duet' && document.documentElement.lang === 'zh-Hans'"
    )


def test_the_demonstration_s_panel_can_be_shut_and_is_shut_on_a_narrow_screen(open_page: OpenPage) -> None:
    page = open_page("/")
    switch = page.get_by_role("button", name="Demonstration")
    page.wait_for_selector("#understood", state="visible")
    switch.click()
    page.wait_for_selector("#understood", state="hidden")
    page.reload()
    page.wait_for_selector("#understood", state="hidden")
    assert switch.get_attribute("aria-expanded") == "false"
    narrow = open_page("/", viewport={"width": 390, "height": 844})
    narrow.wait_for_selector("#chat .messages")
    assert not narrow.locator("#customer").is_visible()
    narrow.get_by_role("button", name="Demonstration").click()
    narrow.wait_for_selector("#customer", state="visible")


def test_any_customer_of_the_shop_can_be_signed_in_and_nobody_else(open_page: OpenPage, site: Site) -> None:
    with site.database.read() as session:
        other = session.scalar(select(Customer.email).where(Customer.email.not_in(DEMO_EMAILS)))
    page = open_page("/")
    for email in ("nobody@example.org", other):
        sign_in(page, email)
        page.get_by_label("Your message").fill("hello")
        page.locator("#send").click()
        page.wait_for_selector("#chat .unsent" if email != other else "#chat .msg.assistant")
    assert last_customer(site) == other


def test_a_message_goes_at_once_as_whoever_stands_in_the_sign_in_box(open_page: OpenPage, site: Site) -> None:
    page = open_page("/")
    for email in (ANNA, WEI, ""):
        page.get_by_label("Your message").fill(f"hello from {email or 'a guest'}")
        page.locator("#customer input").fill(email)
        page.locator("#send").click()
        page.wait_for_selector(f"#chat .msg.customer:has-text('{email or 'a guest'}')")
        page.wait_for_selector("#chat .msg.assistant:last-child p:not(:has(.typing))")
        page.wait_for_selector("#send", state="visible")
        # The page is drawn anew meanwhile: what is there in between says nothing.
        page.wait_for_function("document.querySelectorAll('#chat .msg.customer').length === 1")
        assert last_customer(site) == (email or None)


def test_a_person_takes_over_answers_and_returns_the_conversation(open_page: OpenPage, site: Site) -> None:
    customer = open_page("/")
    say(customer, HOSTILE)
    say(customer, "hello")
    customer.locator("#person").click()
    customer.wait_for_selector("#status .person")
    ticket = re.search(r"T\d+", customer.locator("#status").inner_text())
    assert ticket is not None
    assert customer.locator("#person").is_disabled()

    person = open_page("/desk")
    person.get_by_role("button", name=ticket[0]).click()
    person.wait_for_selector("#reply textarea")
    shown = person.locator("#conversation").inner_text()
    assert HOSTILE in shown
    assert person.locator("#conversation img, #conversation a, #extra img").count() == 0
    person.locator("#conversation summary").first.click()
    assert "Time" in person.locator("#conversation details[open]").inner_text()

    person.locator("#draft").click()
    person.wait_for_function("document.querySelector('#reply textarea').value.length > 0")
    person.locator("#reply textarea").fill("I am Mia, <b>how</b> can I help?")
    person.locator("#send-reply").click()
    customer.wait_for_selector("#chat .msg.agent")
    assert "I am Mia, <b>how</b> can I help?" in customer.locator("#chat").inner_text()

    person.locator("#assignee input, #assignee textarea").fill("Mia")
    person.locator("#assignee input, #assignee textarea").press("Enter")
    person.wait_for_selector("#tickets [data-ticket] small:has-text('Mia')")
    person.locator("#return").click()
    person.wait_for_selector("#take-over", state="visible")
    assert "Closed" in person.locator("#ticket").inner_text()
    customer.wait_for_selector("#status p:not(.person)")
    with site.database.read() as session:
        assert tickets.get_ticket(session, int(ticket[0][1:])).assignee == "Mia"


def test_a_draft_is_refused_in_words_where_a_person_is_asked_for(open_page: OpenPage) -> None:
    customer = open_page("/")
    say(customer, "person")
    person = open_page("/desk")
    person.locator("[data-ticket]").first.click()
    person.locator("#draft").click()
    person.wait_for_function("document.querySelector('#said').innerText.includes('asks for a person')")


def test_the_pages_speak_chinese_on_a_narrow_screen(open_page: OpenPage, site: Site) -> None:
    page = open_page("/", viewport={"width": 390, "height": 844})
    say(page, "hello")
    page.get_by_text("中文", exact=True).click()
    page.wait_for_selector("text=有什么可以帮您")
    page.wait_for_selector("#chat >> text=智能助手")
    for path, words in (
        ("/", "智能助手为您服务"),
        ("/code", "写出来的代码一定能解析"),
        ("/desk", "客服工作台"),
    ):
        page.goto(site.url + path)
        page.wait_for_selector(f"text={words}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_the_pages_do_not_need_is_not_served(site: Site) -> None:
    assert httpx.get(f"{site.url}/gradio_api/file=/etc/passwd").status_code == 404
    assert httpx.get(f"{site.url}/nowhere").status_code == 404


def test_with_a_key_every_page_asks_for_it(site: Site, browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    settings = Settings(
        home=tmp_path, database_url=str(site.database.url), adapters_dir=tmp_path, api_keys=("secret",)
    )
    with serving(settings, with_assistant(site.engine)) as address:
        page = browser.new_page()
        page.goto(f"{address}/desk")
        page.wait_for_selector("input[type=password]", timeout=90_000)
        assert page.locator("#tickets").count() == 0
        page.locator("input").first.fill("mia")
        page.locator("input[type=password]").fill("secret")
        page.keyboard.press("Enter")
        page.wait_for_selector("#tickets", timeout=90_000)
        page.close()


def test_there_is_a_picture_of_each_page_in_the_docs() -> None:
    pictures = Path(__file__).parents[3] / "docs" / "pictures"
    assert {"support-chat.png", "code-studio.png", "desk.png"} <= {
        file.name for file in pictures.glob("*.png")
    }
