"""What is told and not done: orders, items, money, products, the handbook, and the talk around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from apps.support.conversations import records, tickets
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.shop.database import Database
from apps.support.shop.models import OrderStatus, Variant
from apps.support.shop.money import format_amount
from tests.support.conftest import ANNA, WEI, OpenChat
from tests.support.stored import OrderOf, Talk, order
from tests.support.typed_reader import TypedReader


@pytest.mark.parametrize(
    ("command", "facts"),
    [
        ("status R", {"order": "#1005", "status": "shipped", "tracking": "551005"}),
        ("tracking R", {"tracking": "551005", "carrier": "DHL"}),
        ("tracking P", {"order": "#1002", "status": "pending"}),
        ("items P", {"item_1": "Mechanical Keyboard", "item_2": "Smart Thermostat", "order": "#1002"}),
        ("total S", {"total": "$109.00", "order": "#1001"}),
        ("price f", {"price": "$9.00"}),
        ("price S dearest", {"price": "$60.00"}),
        ("price e or f or g cheapest", {"price": "$9.00"}),
        ("shipsto P", {"address": "12 Oak Street, Apt 3, Austin, TX 78701, USA"}),
        ("payment R", {"amount": "$40.00", "method": "the Visa card ending in 4242"}),
        ("invoice R", {"order": "#1005", "total": "$40.00"}),
        ("refund S", {"order": "#1001"}),
        ("balance", {"amount": "$50.00"}),
        ("spent", {"count": "4", "amount": "$447.00"}),
        ("profile", {"address": "5 Elm Road, Dover, DE 19901, USA", "email": "zoe@example.com"}),
        ("lost S", {"order": "#1001"}),
        ("lost R", {"order": "#1005"}),
    ],
)
def test_what_is_asked_is_told_and_said(chat: OpenChat, command: str, facts: dict[str, str]) -> None:
    answer = chat()(command)
    assert facts.items() <= answer.facts.items()
    assert answer.actions == []
    heard = {name: text for name, text in facts.items() if name != "order"}
    assert all(text in answer.reply for text in heard.values())


@pytest.mark.parametrize(
    ("command", "fact"),
    [("items", "item_1"), ("total", "total"), ("shipsto", "address"), ("payment", "amount")],
)
def test_a_follow_up_question_is_about_the_order_in_question(chat: OpenChat, command: str, fact: str) -> None:
    answer = chat()("status R", command)
    assert answer.facts[fact] in answer.reply
    assert answer.facts["order"] == "#1005"


def test_which_order_is_asked_with_all_of_them_named(chat: OpenChat) -> None:
    conversation = chat()
    asked = conversation("cancel")
    assert len(asked.choices) == 2
    assert "Mechanical Keyboard and Smart Thermostat" in asked.reply
    chosen = conversation("cancel Q")
    assert "#1007" in chosen.reply


def test_the_list_of_orders_names_them_all(chat: OpenChat) -> None:
    listed = chat()("orders")
    assert all(number in listed.reply for number in ("1002", "1007", "1005", "1001"))
    assert "1003" not in listed.reply


def test_sums_of_what_goes_back_in_a_conversation(chat: OpenChat) -> None:
    conversation = chat()
    assert "Nothing has been given back" in conversation("sum").reply
    conversation("cancel Q", "yes", "return e f", "yes")
    assert "$77.00" in conversation("sum").reply


def test_several_questions_are_answered_each_from_its_own_facts(chat: OpenChat) -> None:
    answer = chat()("tracking R; total S; product Mug")
    first, second, third = answer.reply.split("\n")
    assert "551005" in first
    assert "$109.00" in second
    assert "Mug" in third
    assert len(answer.further_intents) == 2


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("how much are mugs? = product Mug", "Mug costs from $8.00 to $12.00."),
        ("a blue mug? = product Mug | a", "Mug costs $9.00."),
        (
            "your cheapest keyboard? = product Keyboard | cheapest",
            "The cheapest Mechanical Keyboard is the one",
        ),
        ("do you sell a smoking jacket? = product jacket", "I find no jacket in our shop."),
    ],
)
def test_products_are_told_from_the_stock(chat: OpenChat, command: str, told: str) -> None:
    assert told in chat()(command.replace("= product", "= product")).reply


def test_a_product_stays_in_question(talk: Talk) -> None:
    named, asked = talk(
        "electric kettle? = product electric kettle", "what warranty does it have? = warranty"
    )
    assert asked.facts == {"product": named.facts["product"], "months": "24"}
    without = talk("camping tent = product camping tent", "what warranty does it have? = warranty")[-1]
    assert without.citations == ["Warranty and repairs › Warranty"]


@pytest.mark.parametrize("text", ["how much is the kettle? = product kettle", "水壶多少钱 = product 水壶"])
def test_a_product_is_known_by_its_last_word(text: str, talk: Talk, sqlite_shop: Database) -> None:
    answer = talk(text)[-1]
    with sqlite_shop.read() as session:
        kettles = select(Variant.price).where(Variant.sku.startswith("KTL"), Variant.available)
        low = min(session.scalars(kettles))
    assert format_amount(low, "USD") in answer.reply


@pytest.mark.parametrize(
    ("text", "citation"),
    [
        ("how long does delivery take? = ask delivery_period", "Delivery › Delivery times"),
        ("do you ship to Germany? = ask delivery_options", "Delivery › International delivery"),
        ("能寄到加拿大吗 = ask delivery_options", "配送 › 国际配送"),
        ("客服几点上班 = ask contact", "联系与投诉 › 客服"),
        ("do I pay for it? = ask return_policy", "Returns and exchanges › Returning an item"),
        ("取消订单要收费吗？ = ask cancellation_fee", "取消订单 › 取消费用"),
    ],
)
def test_the_handbook_is_told_with_the_section_that_speaks_of_the_question(
    talk: Talk, typed: TypedReader, text: str, citation: str
) -> None:
    words, command = text.split(" = ")
    typed.readings[words] = command
    answer = talk(words)[-1]
    assert answer.citations == [citation]
    assert answer.reply.endswith(f"({citation})")


def test_one_sentence_is_asked_for_its_half(talk: Talk) -> None:
    told = talk("How much does express delivery cost? = ask delivery_options")[-1]
    assert "$12.95" in told.facts.values()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("greet", "help you"),
        ("thanks", "welcome"),
        ("none", "I'm afraid I can't help with that."),
        ("split", "cannot be split"),
        ("exception", "shop's rules"),
        ("photo", "cannot see pictures"),
        ("other", "your own orders"),
        ("undo", "cannot undo"),
        ("language", "English, German and Chinese"),
    ],
)
def test_the_talk_around_it_has_its_sentence(chat: OpenChat, command: str, said: str) -> None:
    answer = chat()(command)
    assert said in answer.reply
    assert answer.actions == []


def test_what_was_said_is_said_again(chat: OpenChat) -> None:
    conversation = chat()
    assert "not said anything" in conversation("again").reply
    told = conversation("status R")
    assert conversation("again").reply == told.reply


def test_two_failures_offer_a_person_and_four_hand_over(any_chat: OpenChat) -> None:
    chat = any_chat()
    answers = [chat("mumble") for _ in range(4)]
    assert ["ask a colleague to take over" in answer.reply for answer in answers] == [
        False,
        True,
        True,
        False,
    ]
    assert [answer.handed_over for answer in answers] == [False, False, False, True]


def test_a_turn_that_is_understood_ends_the_failures(chat: OpenChat) -> None:
    conversation = chat()
    conversation("mumble", "mumble", "mumble", "status R", "mumble")
    assert conversation.state.failures == 1


@pytest.mark.parametrize(
    ("command", "reason"),
    [("person", "requested"), ("anger", "anger"), ("danger", "danger"), ("law", "legal")],
)
def test_a_person_takes_over_with_all_that_is_open(any_chat: OpenChat, command: str, reason: str) -> None:
    chat = any_chat()
    chat("cancel P; swap c")
    taken = chat(f"{command}; status R")
    assert taken.handed_over
    assert f"T{taken.ticket_id}" in taken.reply
    assert ("emergency services" in taken.reply) is (command == "danger")
    assert (chat.state.pending, chat.state.question, chat.state.waiting) == (None, None, [])
    with chat.database.read() as session:
        assert tickets.get_ticket(session, taken.ticket_id or 0).reason == reason
    silent = chat("hello?")
    assert (silent.reply, silent.handed_over) == ("", True)
    with chat.database.write() as session:
        tickets.return_to_bot(session, records.get_conversation(session, chat.id))
    assert chat("greet").reply


def test_a_complaint_gets_a_ticket_beside_the_answer_to_a_question(chat: OpenChat) -> None:
    filed = chat()("ask complaint; status R")
    assert f"T{filed.ticket_id}" in filed.reply
    assert "#1005" in filed.reply
    assert not filed.handed_over


def test_the_order_of_turn_two_is_known_a_hundred_turns_later(
    talk: Talk, sqlite_shop: Database, order_of: OrderOf
) -> None:
    number = order_of(sqlite_shop, ANNA, OrderStatus.SHIPPED)
    small_talk = ["thanks", "ask delivery_period", "ask payment_methods"] * 33
    answers = talk("greet", f"where is {number}? {ANNA} = status", *small_talk, "total")
    assert answers[-1].facts["total"] == format_amount(order(sqlite_shop, number).total, "USD")
    with sqlite_shop.read() as session:
        state = records.get_conversation(session, answers[0].conversation_id).state
    assert len(str(state)) < 8_000


@pytest.mark.parametrize(
    ("texts", "languages"),
    [
        (("where is my order = status", "订单到哪了 = status"), ["en", "zh"]),
        (("我想退货 = return",), ["zh"]),
        (("我的邮箱是anna.keller@example.com = identify",), ["zh"]),
    ],
)
def test_the_answer_is_in_the_language_of_the_words(
    talk: Talk, texts: tuple[str, ...], languages: list[str]
) -> None:
    assert [answer.language for answer in talk(*texts)] == languages


def test_chinese_orders_are_told_in_chinese(talk: Talk, sqlite_shop: Database, order_of: OrderOf) -> None:
    number = order_of(sqlite_shop, WEI, OrderStatus.PENDING)
    asked, done = talk(f"取消订单 {number} = cancel {number}", "是的，请取消 = yes", customer=WEI)
    assert f"#{number}" in asked.reply
    assert "已取消" in done.reply


@pytest.mark.parametrize("begun", [True, False])
def test_a_failure_inside_a_turn_goes_to_a_person(
    sqlite_assistant: SupportPipeline, begin: Callable[..., str], begun: bool
) -> None:
    class Broken:
        adapter = "broken"

        def __getattr__(self, _name: str) -> Any:
            raise RuntimeError("the reader is broken")

    pipeline = SupportPipeline(sqlite_assistant.database, Broken(), sqlite_assistant.replies)
    result = pipeline.answer(begin(sqlite_assistant.database, ANNA if begun else None), "status")
    assert result.handed_over
    with sqlite_assistant.database.read() as session:
        assert tickets.get_ticket(session, result.ticket_id or 0).reason == "failure"
