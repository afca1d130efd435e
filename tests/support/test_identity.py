"""Whose order it is: what proves it, and that nothing is shown or done before."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.support.conversations import records
from apps.support.conversations.guessing import FIRST_WAIT_S, LONGEST_WAIT_S, MOST_OF_ONE_KEY, Guesses
from apps.support.conversations.identity import MOST_FAILED_PROOFS
from apps.support.shop.policy import PACKAGED, Policy, load_policy
from tests.support.conftest import OpenChat
from tests.support.small_shop import MAX, ZOE, Chat, statuses

PRIVATE = ("551005", "Desk Lamp", "$40.00", "Dover", "zoe", "4242")


@pytest.fixture
def with_proofs(tmp_path: Path) -> object:
    def make(*proofs: str) -> Policy:
        line = 'proofs = ["order+email", "order+postcode"]'
        text = PACKAGED.read_text("utf-8")
        assert line in text
        listed = ", ".join(f'"{proof}"' for proof in proofs)
        (tmp_path / "policy.toml").write_text(text.replace(line, f"proofs = [{listed}]"), encoding="utf-8")
        return load_policy(tmp_path / "policy.toml")

    return make


def notes(chat: Chat) -> list[list[str]]:
    with chat.database.read() as session:
        return [trace.looked_up["notes"] for trace in records.traces_of(session, chat.id)]


def test_an_order_is_shown_only_after_proof_and_then_what_was_asked(any_chat: OpenChat) -> None:
    chat = any_chat(None)
    asked = chat("Where is my order 1005? = status")
    assert asked.intent.name == "track_order"
    wrong = chat("it is mallory@example.com = identify")
    for answer in (asked, wrong):
        assert set(answer.facts) == {"proofs"}
        assert not any(word in answer.reply for word in PRIVATE)
    shown = chat(f"sorry, {ZOE} = identify")
    assert shown.facts["tracking"] == "551005"
    assert "#1005" in shown.reply


def test_the_postcode_of_the_order_or_of_its_customer_is_proof(chat: OpenChat) -> None:
    for code in ("78701", "78701-1234", "19901"):
        conversation = chat(None)
        conversation("Cancel order 1002 = cancel")
        shown = conversation(f"my postcode is {code} = identify")
        assert shown.actions == [{"name": "cancel", "status": "proposed"}]
    conversation = chat(None)
    conversation("Cancel order 1002 = cancel")
    assert conversation("my postcode is 02108 = identify").actions == []


def test_a_wish_with_its_proof_in_one_message_is_followed_at_once(chat: OpenChat) -> None:
    conversation = chat(None)
    assert conversation(f"cancel 1002 my e-mail is {ZOE} = cancel").actions == [
        {"name": "cancel", "status": "proposed"}
    ]


def test_a_proven_order_opens_nothing_else_of_the_customers(chat: OpenChat) -> None:
    conversation = chat(None)
    conversation(f"1005, {ZOE} = status")
    conversation("orders")
    shown = conversation.pipeline.reader.seen[-1]  # type: ignore[attr-defined]
    assert "Desk Lamp" in shown
    assert "Keyboard" not in shown
    assert conversation("cancel 1002 = cancel ?").actions == []
    assert "gift card" not in shown


def test_an_order_number_is_no_postcode_of_itself(chat: OpenChat) -> None:
    conversation = chat(None)
    conversation("status of 1002 = status", "1002 = identify", "postcode 1002 = identify")
    assert "1002" not in conversation.state.proven


def test_an_order_that_does_not_exist_gets_the_answer_of_an_order_of_somebody_else(chat: OpenChat) -> None:
    seen = []
    for number in ("1005", "1999"):
        conversation = chat(None)
        first = conversation(f"where is {number}? = status")
        second = conversation("mallory@example.com = identify")
        third = conversation("the postcode is 99999 = identify")
        seen.append(
            ([a.reply.replace(number, "N") for a in (first, second, third)], notes(conversation), third.facts)
        )
    assert seen[0] == seen[1]


def test_five_wrong_proofs_hand_over(any_chat: OpenChat) -> None:
    chat = any_chat(None)
    chat("where is order 1005? = status")
    tries = [chat(f"the postcode is {code} = identify") for code in range(10001, 10001 + MOST_FAILED_PROOFS)]
    assert [answer.handed_over for answer in tries] == [False] * (MOST_FAILED_PROOFS - 1) + [True]
    assert chat(f"{ZOE} = identify").reply == ""


def test_guesses_count_whatever_else_they_ask_for(chat: OpenChat) -> None:
    conversation = chat(None)
    answers = [conversation(f"cancel 1005, postcode {code} = cancel") for code in range(10001, 10006)]
    assert answers[-1].handed_over


def test_who_has_shown_who_they_are_is_asked_what_for(chat: OpenChat) -> None:
    assert "I have found order #1005" in chat(None)(f"1005, {ZOE} = identify").reply
    assert "Thank you, Zoe Lind." in chat()("it's me = identify").reply


def test_giving_a_number_alone_is_no_wrong_proof(chat: OpenChat) -> None:
    conversation = chat(None)
    conversation("where is my order? = status", "the number is 1005 = identify")
    assert conversation.state.failed_proofs == 0


@pytest.mark.parametrize(
    "command", ["status", "orders", "cancel", "return", "balance", "spent", "profile", "repay"]
)
def test_a_stranger_is_told_nothing_of_anybody(chat: OpenChat, command: str) -> None:
    conversation = chat(None)
    answer = conversation(f"I am {ZOE}, Zoe Lind, 19901 = {command}")
    assert set(answer.facts) == {"proofs"}
    assert answer.actions == []
    assert not any(word in answer.reply for word in ("Keyboard", "$", "Dover", "1002"))


def test_a_name_with_a_postcode_opens_all_orders_where_the_shop_allows_it(
    any_chat: OpenChat, with_proofs: object
) -> None:
    allowed = with_proofs("name+postcode")  # type: ignore[operator]
    chat = any_chat(None, policy=allowed)
    assert "your full name and your postcode" in chat("cancel my pending orders = cancel").reply
    assert chat("I'm Zoe Berg, 19901 = identify").actions == []
    chat("Lind, sorry: Zoe Lind, 19901 = identify")
    assert chat("cancel P Q").actions == [{"name": "cancel", "status": "proposed"}] * 2
    chat("yes")
    assert statuses(chat.database)["1002"] == "cancelled"
    strict = any_chat_again(chat)
    strict("where is my order? = status")
    assert "status" not in strict("Zoe Lind, 19901 = identify").facts


def any_chat_again(chat: Chat) -> Chat:
    """A stranger's conversation in the same shop, by the usual rules."""
    pipeline = chat.pipeline
    return Chat(type(pipeline)(pipeline.database, pipeline.reader, pipeline.replies), None)


def test_an_email_alone_opens_all_orders_where_the_shop_allows_it(
    chat: OpenChat, with_proofs: object
) -> None:
    conversation = chat(None, policy=with_proofs("email"))  # type: ignore[operator]
    conversation("which orders do I have? = orders")
    assert "#1002" in conversation(f"{ZOE} = identify").reply
    strict = any_chat_again(conversation)
    strict("which orders do I have? = orders")
    assert "#1002" not in strict(f"{ZOE} = identify").reply


def test_wrong_names_count_as_wrong_proofs(chat: OpenChat, with_proofs: object) -> None:
    conversation = chat(None, policy=with_proofs("name+postcode"))  # type: ignore[operator]
    conversation("where is my order? = status")
    answers = [conversation(f"I am Zoe Lund, {code} = identify") for code in range(20001, 20006)]
    assert answers[-1].handed_over


def test_a_customer_named_by_a_trusted_caller_sees_only_their_own(chat: OpenChat) -> None:
    conversation = chat(MAX)
    assert "1003" in conversation("orders").reply
    other = conversation(f"and 1002? I am {ZOE} = status ?")
    assert "Keyboard" not in other.reply
    assert "status" not in other.facts


def test_a_new_address_is_no_proof_of_the_old_one(chat: OpenChat) -> None:
    conversation = chat(None)
    conversation("change the address of 1002 = readdress to given")
    answer = conversation("Elm Street 3, Springfield 62701 = readdress to given")
    assert answer.actions == []


def test_the_email_that_proved_an_order_opens_the_account_and_a_postcode_does_not(chat: OpenChat) -> None:
    by_email, by_code = chat(None), chat(None)
    assert "Dover" in by_email(f"1005, {ZOE} = status", "profile").reply
    assert "Dover" not in by_code("1005, 19901 = status", "profile").reply


def test_guesses_count_over_conversations(any_chat: OpenChat) -> None:
    """Four guesses a conversation, and then a new one: the order is closed all the same, also to the right proof."""
    pipeline = any_chat(None).pipeline
    tried = 0
    for _ in range(2):
        guessing = Chat(pipeline, None)
        guessing("Where is my order 1005? = status")
        for _ in range(MOST_FAILED_PROOFS - 1):
            tried += 1
            guessing(f"the postcode is {10000 + tried} = identify")
    late = Chat(pipeline, None)
    late("Where is my order 1005? = status")
    right = late(f"it is {ZOE} = identify")
    assert right.handed_over
    assert not any(word in right.reply for word in PRIVATE)
    other = Chat(pipeline, None)
    other("Cancel order 1002 = cancel")
    assert other("my postcode is 78701 = identify").actions == [{"name": "cancel", "status": "proposed"}]


def test_who_has_proven_one_order_guesses_no_better_at_others(chat: OpenChat) -> None:
    thief = chat(None)
    thief("Where is my order 1003? = status")
    thief(f"it is {MAX} = identify")
    for code in range(10001, 10001 + MOST_FAILED_PROOFS):
        thief(f"and order 1005, postcode {code} = identify")
    honest = Chat(thief.pipeline, None)
    honest("Where is my order 1005? = status")
    assert honest("the postcode is 19901 = identify").handed_over


def test_each_failure_too_many_doubles_the_wait_and_a_day_forgets() -> None:
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    for _ in range(MOST_FAILED_PROOFS - 1):
        guesses.failed(["order 1"])
    assert not guesses.are_too_many(["order 1"])
    for wait_s in (FIRST_WAIT_S, 2 * FIRST_WAIT_S, 4 * FIRST_WAIT_S):
        guesses.failed(["order 1"])
        assert guesses.are_too_many(["order 2", "order 1"])
        assert not guesses.are_too_many(["order 2"])
        now[0] += wait_s - 1
        assert guesses.are_too_many(["order 1"])
        now[0] += 1
        assert not guesses.are_too_many(["order 1"])
    now[0] += LONGEST_WAIT_S + 1
    guesses.failed(["order 1"])
    assert not guesses.are_too_many(["order 1"])


def test_a_key_may_guess_more_often_than_an_order_may_be_guessed_at() -> None:
    guesses = Guesses(lambda: 0.0)
    for number in range(MOST_OF_ONE_KEY):
        assert not guesses.are_too_many(["key page"])
        guesses.failed([f"order {number}", "key page"])
    assert guesses.are_too_many(["order new", "key page"])
    assert not guesses.are_too_many(["order new", "key desk"])
