"""Messages that want several things: each is answered from its own facts, and one question is open at a time."""

from __future__ import annotations

import pytest
from apps.support.reading.clauses import wish_clauses
from apps.support.reading.intents import INTENTS, example_messages
from sqlalchemy import select

from apps.support.conversations import records
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.turn import Token
from apps.support.replies.language import Language
from apps.support.shop.database import Database
from apps.support.shop.models import Conversation, Customer, OrderStatus
from tests.support.conftest import ANNA, WEI
from tests.support.stored import Begin, OrderOf, Talk, order

OPTIONS, RETURNS = "Delivery › Delivery options", "Returns and exchanges › Returning an item"
ABROAD = "Delivery › International delivery"
METHODS = "Payment and invoices › Payment methods"


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        (
            "How much does express delivery cost, and can I still return a jacket after three weeks?",
            ["How much does express delivery cost", "can I still return a jacket after three weeks?"],
        ),
        (
            "Cancel order W1234567. Also, change the address of W1234568",
            ["Cancel order W1234567.", "change the address of W1234568"],
        ),
        (
            "I moved. When does it arrive? My e-mail is anna@example.com. Can I pay later?",
            ["I moved. When does it arrive?", "My e-mail is anna@example.com. Can I pay later?"],
        ),
        ("加急配送多少钱？还有，夹克能退吗？", ["加急配送多少钱？", "夹克能退吗？"]),
        ("我想取消订单W1234567，另外退款要多久", ["我想取消订单W1234567", "退款要多久"]),
        ("加急配送多少钱，我买了三周的夹克，还能退吗？", ["加急配送多少钱", "我买了三周的夹克，还能退吗？"]),
    ],
)
def test_a_message_falls_apart_where_a_second_wish_begins(text: str, clauses: list[str]) -> None:
    assert wish_clauses(text) == clauses


@pytest.mark.parametrize(
    "text",
    [
        "I want to change my name and address",
        "cancel order W1234567 and refund me",
        "I want to exchange it for black or white",
        "I ordered a tent, how do I return it?",
        "I need help, can you help me?",
        "Delivery to Springfield, IL 62704, USA and nothing else",
        "where? when? how? why? what?",
        "你好，我想取消订单W1234567，邮箱是anna@example.com",
        "订单W1234567到哪了，我很着急",
        "我想退货，怎么退？",
    ],
)
def test_a_message_with_one_wish_stays_whole(text: str) -> None:
    assert wish_clauses(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "I want to cancel order W1234567, and I want my money back",
        "I want a refund. How do I obtain one?",
        "I want to track my refund. I would like to track it",
        "what about returns, do I pay for it?",
        "Where is my order? When will my order arrive? Has it been shipped?",
    ],
)
def test_two_sentences_about_one_thing_are_one_wish(talk: Talk, text: str) -> None:
    assert talk(text)[-1].further_intents == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_packaged_example_of_one_intent_is_taken_for_two(talk: Talk, language: Language) -> None:
    texts = [text for intent in INTENTS for text in example_messages(intent, language)]
    in_clauses = [text for text in texts if len(wish_clauses(text)) > 1]
    assert [text for text in in_clauses if talk(text)[-1].further_intents] == []


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("How much does express delivery cost?", "$12.95"),
        ("how much does standard shipping cost for a jacket?", "$4.95"),
        ("加急配送多少钱？", "$12.95"),
        ("夹克的标准运费是多少钱", "$4.95"),
    ],
)
def test_the_price_of_the_delivery_is_not_that_of_a_product(talk: Talk, text: str, price: str) -> None:
    told = talk(text)[-1]
    assert price in told.facts.values()
    assert price in told.reply
    assert "$79" not in told.reply


@pytest.mark.parametrize(
    ("text", "citations"),
    [
        (
            "How much does express delivery cost, and can I still return a jacket after three weeks?",
            [OPTIONS, RETURNS],
        ),
        (
            "Which payment methods do you accept? And do you ship to Canada?",
            [METHODS, ABROAD],
        ),
        (
            "How much is express delivery, and do you deliver to Canada?",
            [OPTIONS, ABROAD],
        ),
        ("加急配送多少钱？还有，买了三周的夹克还能退吗？", ["配送 › 配送方式", "退货与换货 › 退货"]),
        ("你们配送到加拿大吗？另外可以用支付宝付款吗？", ["配送 › 国际配送", "支付与发票 › 支付方式"]),
    ],
)
def test_each_question_is_answered_from_its_own_section(talk: Talk, text: str, citations: list[str]) -> None:
    told = talk(text)[-1]
    assert told.citations == citations
    assert len(told.further_intents) == 1
    first, second = told.reply.split("\n")
    assert citations[0] in first
    assert citations[1] in second


def test_a_price_is_said_only_of_what_it_is_the_price_of(
    sqlite_assistant: SupportPipeline, begin: Begin
) -> None:
    """With the real small model, which is free to say whatever its part's facts allow."""
    database = sqlite_assistant.database
    text = "How much is the camping tent, and how much does express delivery cost?"
    told = sqlite_assistant.answer(begin(database), text)
    price = told.facts["price"].removesuffix(".00")  # the model may leave the cents out
    lines = told.reply.splitlines()  # a part may have several
    of_the_tent = [number for number, line in enumerate(lines) if price in line]
    of_delivery = [number for number, line in enumerate(lines) if "$12.95" in line]
    assert of_the_tent
    assert of_delivery
    assert max(of_the_tent) < min(of_delivery)


def test_the_trace_tells_what_was_understood_of_each_part(
    sqlite_assistant: SupportPipeline, begin: Begin
) -> None:
    database = sqlite_assistant.database
    conversation = begin(database)
    text = "Which payment methods do you accept, and how much does express delivery cost?"
    pieces = [event.text for event in sqlite_assistant.stream(conversation, text) if isinstance(event, Token)]
    with database.read() as session:
        (trace,) = records.traces_of(session, conversation)
        assert records.messages_of(session, conversation)[-1].text == "".join(pieces)
    parts = trace.understood["parts"]
    assert [part["intent"] for part in parts] == ["check_payment_methods", "delivery_options"]
    assert [part["text"] for part in parts] == [
        "Which payment methods do you accept",
        "how much does express delivery cost?",
    ]
    assert [part["policy"] for part in trace.looked_up["parts"]] == [METHODS, OPTIONS]


def test_a_question_beside_an_action_is_answered_before_the_yes_is_asked(
    sqlite_shop: Database, talk: Talk, order_of: OrderOf
) -> None:
    number = order_of(sqlite_shop, ANNA, OrderStatus.PENDING)
    text = f"Cancel order {number}, {ANNA}. And which payment methods do you accept?"
    asked, done = talk(text, "yes")
    assert asked.citations == [METHODS]
    assert asked.actions == [{"name": "cancel", "status": "proposed"}]
    assert asked.reply.endswith("Please answer yes or no.")
    assert done.actions == [{"name": "cancel", "status": "done"}]
    assert order(sqlite_shop, number).status == OrderStatus.CANCELLED


@pytest.mark.parametrize(("answer", "cancelled"), [("yes", True), ("no", False)])
def test_a_second_action_waits_for_the_answer_to_the_first(
    sqlite_shop: Database, talk: Talk, order_of: OrderOf, answer: str, cancelled: bool
) -> None:
    number = order_of(sqlite_shop, ANNA, OrderStatus.PENDING)
    with sqlite_shop.write() as session:
        session.scalars(select(Customer).where(Customer.email == ANNA)).one().newsletter = True
    text = f"Cancel order {number}. Also, unsubscribe me from the newsletter"
    asked, settled, done = talk(text, answer, "yes", customer=ANNA)
    assert asked.actions == [{"name": "cancel", "status": "proposed"}]
    assert "your other request" in asked.reply
    assert [action["name"] for action in settled.actions] == ["cancel", "newsletter"]
    assert settled.reply.endswith("Please answer yes or no.")
    assert done.actions == [{"name": "newsletter", "status": "done"}]
    assert (order(sqlite_shop, number).status == OrderStatus.CANCELLED) is cancelled
    with sqlite_shop.read() as session:
        assert not session.scalars(select(Customer).where(Customer.email == ANNA)).one().newsletter


def test_a_second_action_sees_what_the_first_one_did(
    sqlite_shop: Database, talk: Talk, order_of: OrderOf
) -> None:
    number = order_of(sqlite_shop, WEI, OrderStatus.PENDING)
    text = f"取消订单 {number}。另外，我想修改订单 {number} 的收货地址"
    _, done = talk(text, "是的", customer=WEI)
    assert [action["name"] for action in done.actions] == ["cancel"]
    assert "已取消" in done.reply


def test_two_wishes_about_an_order_that_was_not_named_are_both_met_once_it_is(
    sqlite_shop: Database, talk: Talk, order_of: OrderOf
) -> None:
    number = order_of(sqlite_shop, ANNA, OrderStatus.SHIPPED)
    asked, told = talk("Where is my order? And can I get an invoice for my order?", f"{number} {ANNA}")
    assert asked.facts == {}
    assert order(sqlite_shop, number).shipments[0].tracking_number in told.reply
    assert order(sqlite_shop, number).invoice_number in told.reply


def test_each_part_is_about_the_order_that_it_names(
    sqlite_shop: Database, talk: Talk, order_of: OrderOf
) -> None:
    shipped = order_of(sqlite_shop, ANNA, OrderStatus.SHIPPED)
    delivered = order_of(sqlite_shop, ANNA, OrderStatus.DELIVERED)
    text = f"Where is my order {shipped}, and can I get the invoice for order {delivered}?"
    told = talk(text, customer=ANNA)[-1]
    where, invoice = told.reply.split("\n")
    assert shipped in where
    assert delivered not in where
    assert order(sqlite_shop, delivered).invoice_number in invoice


def test_a_question_about_delivery_in_general_is_not_about_the_order_beside_it(
    sqlite_shop: Database, talk: Talk, order_of: OrderOf
) -> None:
    number = order_of(sqlite_shop, WEI, OrderStatus.SHIPPED)
    told = talk(f"订单 {number} 到哪了？另外加急配送要多久？", customer=WEI)[-1]
    assert order(sqlite_shop, number).shipments[0].tracking_number in told.reply
    assert told.citations == ["配送 › 配送时间"]


def test_the_open_question_stays_about_its_order(
    sqlite_shop: Database, talk: Talk, order_of: OrderOf
) -> None:
    pending = order_of(sqlite_shop, ANNA, OrderStatus.PENDING)
    shipped = order_of(sqlite_shop, ANNA, OrderStatus.SHIPPED)
    text = f"Change the shipping address of order {pending}. And where is my order {shipped}?"
    asked, proposed = talk(text, "12 Oak Street, Springfield, IL 62704, USA", customer=ANNA)
    assert shipped in asked.reply
    assert proposed.actions == [{"name": "change_address", "status": "proposed"}]
    assert f"#{pending}" in proposed.reply


def test_a_person_who_takes_over_takes_the_second_wish_as_well(
    sqlite_shop: Database, talk: Talk, order_of: OrderOf
) -> None:
    number = order_of(sqlite_shop, ANNA, OrderStatus.PENDING)
    text = f"Cancel order {number}. Also, unsubscribe me from the newsletter"
    taken = talk(text, "I want to talk to a human", customer=ANNA)[-1]
    assert taken.handed_over
    with sqlite_shop.read() as session:
        state = records.load_state(session.get_one(Conversation, taken.conversation_id))
    assert state.pending is None
    assert state.postponed == []


def test_a_complaint_beside_a_question_gets_its_ticket(talk: Talk) -> None:
    told = talk("I want to make a complaint about your courier. And which payment methods do you accept?")[-1]
    assert f"T{told.ticket_id}" in told.reply
    assert told.citations == [METHODS]
    assert not told.handed_over


def test_a_question_in_chinese_is_no_order_number_that_was_asked_for(talk: Talk) -> None:
    asked, told = talk("我要退货", "你们配送到加拿大吗？另外可以用支付宝付款吗？")
    assert "订单号" in asked.reply
    assert told.citations == ["配送 › 国际配送", "支付与发票 › 支付方式"]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (
            "Which payment methods do you accept? Also, can you write me a poem about the sea?",
            "With the other part of your message I'm afraid I can't help.",
        ),
        (
            "你们支持哪些付款方式？另外，今天北京天气怎么样？",
            "您消息里的另一部分，抱歉我帮不上忙。",
        ),
    ],
)
def test_what_is_none_of_the_shops_business_is_refused_beside_what_is(
    text: str, refusal: str, talk: Talk
) -> None:
    (told,) = talk(text)
    assert told.intent.name == "check_payment_methods"
    assert told.citations
    assert told.reply.endswith(refusal)


def test_a_question_without_words_of_its_own_belongs_to_the_wish_beside_it(talk: Talk) -> None:
    (told,) = talk("Which payment methods do you accept? What should I do?")
    assert told.intent.name == "check_payment_methods"
    assert "other part" not in told.reply
