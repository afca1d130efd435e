"""What is proposed, how it is corrected and agreed to, and that one yes makes all of it or nothing."""

from __future__ import annotations

import threading

from sqlalchemy import select

from apps.support.conversations.pipeline import SupportPipeline
from apps.support.errors import ConflictError
from apps.support.shop.models import AuditEntry, Order, OrderStatus, PaymentKind
from tests.support.conftest import OpenChat
from tests.support.small_shop import order_of, statuses
from tests.support.stored import count
from tests.support.typed_reader import TypedReader


def test_one_yes_runs_the_proposal_once(any_chat: OpenChat) -> None:
    chat = any_chat()
    asked = chat("cancel P")
    assert asked.actions == [{"name": "cancel", "status": "proposed"}]
    assert "#1002" in asked.reply
    assert asked.facts["amount"] == "$290.00"
    assert asked.proposal is not None
    assert statuses(chat.database)["1002"] == "pending"
    done = chat("yes")
    assert done.actions == [{"name": "cancel", "status": "done"}]
    assert done.receipt is not None
    again = chat("yes")
    assert (again.actions, again.reply) == ([], done.reply)
    cancelled = order_of(chat.database, "1002")
    assert cancelled.status == OrderStatus.CANCELLED
    assert [p.amount for p in cancelled.payments if p.kind == PaymentKind.REFUND] == [29000]
    with chat.database.read() as session:
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.before, entry.conversation_id) == (
            "cancel",
            {"status": "pending"},
            chat.id,
        )


def test_two_yeses_at_once_run_it_once(any_chat: OpenChat) -> None:
    chat = any_chat()
    chat("cancel P")
    before = chat.pipeline
    others = [SupportPipeline(before.database, before.reader, before.replies) for _ in range(2)]
    failures: list[Exception] = []

    def say_yes(pipeline: SupportPipeline) -> None:
        try:
            pipeline.answer(chat.id, "yes")
        except ConflictError as error:
            failures.append(error)

    threads = [threading.Thread(target=say_yes, args=(pipeline,)) for pipeline in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refunds = [p for p in order_of(chat.database, "1002").payments if p.kind == PaymentKind.REFUND]
    assert len(refunds) == 1
    assert count(chat.database, AuditEntry) == 1


def test_anything_but_a_yes_runs_nothing(chat: OpenChat) -> None:
    for answer in (
        "no",
        "wait",
        "about",
        "thanks",
        "unclear",
        "status P",
        "ask return_policy",
        "greet",
        "none",
    ):
        conversation = chat()
        conversation("cancel P", answer)
        assert statuses(conversation.database)["1002"] == "pending"
    assert count(conversation.database, AuditEntry) == 0


def test_an_unclear_message_keeps_the_proposal_and_asks_again(chat: OpenChat) -> None:
    conversation = chat()
    asked = conversation("cancel P")
    unclear = conversation("mumble mumble")
    assert asked.reply in unclear.reply
    assert conversation("yes").actions == [{"name": "cancel", "status": "done"}]


def test_a_question_about_the_proposal_keeps_it_and_says_it_again(chat: OpenChat) -> None:
    conversation = chat()
    asked = conversation("cancel P")
    assert conversation("about").reply == asked.reply
    assert conversation("wait").reply == "Of course, take your time."
    assert conversation("yes").actions == [{"name": "cancel", "status": "done"}]


def test_another_question_is_answered_and_the_yes_asked_for_again(chat: OpenChat) -> None:
    conversation = chat()
    asked = conversation("cancel P")
    between = conversation("status R")
    assert between.reply.startswith("Order #1005")
    assert between.reply.endswith(asked.reply)
    assert conversation("yes").actions == [{"name": "cancel", "status": "done"}]


def test_a_no_drops_it_and_a_later_yes_finds_nothing(chat: OpenChat) -> None:
    conversation = chat()
    conversation("cancel P")
    assert conversation("no").actions == [{"name": "cancel", "status": "dropped"}]
    assert conversation("yes").actions == []
    assert statuses(conversation.database)["1002"] == "pending"


def test_a_no_with_another_wish_proposes_the_other_one(chat: OpenChat) -> None:
    conversation = chat()
    conversation("cancel P")
    other = conversation("no; cancel Q")
    assert "#1007" in other.reply
    assert "#1002" not in other.reply
    conversation("yes")
    assert statuses(conversation.database) | {"1003": ""} == {
        "1002": "pending",
        "1007": "cancelled",
        "1005": "shipped",
        "1001": "delivered",
        "1003": "",
    }


def test_a_yes_with_another_question_does_and_answers_both(chat: OpenChat) -> None:
    conversation = chat()
    conversation("cancel P")
    done = conversation("yes; status R")
    assert done.actions == [{"name": "cancel", "status": "done"}]
    assert "#1005" in done.reply
    assert statuses(conversation.database)["1002"] == "cancelled"


def test_a_correction_replaces_the_same_things(chat: OpenChat) -> None:
    conversation = chat()
    conversation("return e")
    corrected = conversation("return f g")
    assert "Pet Bed" not in corrected.reply
    assert "Mug" in corrected.reply
    all_but_one = conversation("return S not e")
    assert "$49.00" in all_but_one.reply
    conversation("yes")
    (back,) = order_of(conversation.database, "1001").returns
    assert back.refund == 4900


def test_a_correction_of_the_order_replaces_it(chat: OpenChat) -> None:
    conversation = chat()
    conversation("cancel P", "cancel Q")
    assert conversation.state.pending is not None
    assert len(conversation.state.pending.steps) == 1
    conversation("yes")
    assert statuses(conversation.database)["1002"] == "pending"
    assert statuses(conversation.database)["1007"] == "cancelled"


def test_another_wish_joins_and_one_yes_runs_all(any_chat: OpenChat) -> None:
    chat = any_chat()
    chat("cancel P")
    joined = chat("return e")
    assert [action["name"] for action in joined.actions] == ["cancel", "return"]
    assert "#1002" in joined.reply
    assert "#1001" in joined.reply
    done = chat("yes")
    assert [action["status"] for action in done.actions] == ["done", "done"]
    assert statuses(chat.database)["1002"] == "cancelled"
    assert len(order_of(chat.database, "1001").returns) == 1
    assert count(chat.database, AuditEntry) == 2


def test_none_of_it_is_done_where_one_is_refused_meanwhile(any_chat: OpenChat) -> None:
    chat = any_chat()
    chat("cancel Q; return e; cancel P")
    with chat.database.write() as session:
        session.scalars(select(Order).where(Order.number == "1002")).one().status = OrderStatus.SHIPPED
    refused = chat("yes")
    assert [action["status"] for action in refused.actions][:3] == ["refused"] * 3
    assert "#1002" in refused.reply
    assert statuses(chat.database)["1007"] == "pending"
    assert order_of(chat.database, "1001").returns == []
    assert count(chat.database, AuditEntry) == 0


def test_all_pending_orders_are_cancelled_with_one_yes(any_chat: OpenChat) -> None:
    chat = any_chat()
    asked = chat("cancel P Q")
    assert asked.reply.count("?") == 1
    chat("yes")
    assert statuses(chat.database)["1002"] == statuses(chat.database)["1007"] == "cancelled"


def test_what_is_refused_is_said_beside_what_is_proposed(chat: OpenChat) -> None:
    conversation = chat()
    asked = conversation("cancel P R")
    assert "#1005 cannot be cancelled" in asked.reply
    assert [action["name"] for action in asked.actions] == ["cancel"]
    conversation("yes")
    assert statuses(conversation.database)["1005"] == "shipped"


def test_what_lacks_a_detail_follows_once_the_proposal_is_settled(chat: OpenChat) -> None:
    for answer in ("no", "yes"):
        conversation = chat()
        asked = conversation("return e; swap c")
        assert [action["name"] for action in asked.actions] == ["return"]
        assert "Which one" not in asked.reply
        settled = conversation(answer)
        assert "Now to your other request." in settled.reply
        assert "Which one would you like for Mug?" in settled.reply


def test_a_change_that_is_not_read_clearly_is_not_proposed(chat: OpenChat) -> None:
    unsure = chat(sure=0.4)
    assert unsure("cancel P").actions == []
    assert unsure.state.pending is None
    assert "#1005" in unsure("status R").reply


def test_a_yes_that_is_not_read_clearly_carries_nothing_out(chat: OpenChat, typed: TypedReader) -> None:
    conversation = chat()
    asked = conversation("cancel P")
    typed.confidence = 0.6
    again = conversation("yes")
    assert statuses(conversation.database)["1002"] == "pending"
    assert conversation.state.pending is not None
    assert again.actions == []
    assert "#1002" in again.reply
    typed.confidence = 0.3
    assert conversation("yes; swap c").actions == []  # a correction that was not understood is no bare yes
    assert statuses(conversation.database)["1002"] == "pending"
    typed.confidence = 1.0
    assert conversation("yes").actions == [{"name": "cancel", "status": "done"}]
    assert asked.actions == [{"name": "cancel", "status": "proposed"}]


def test_a_yes_beside_a_no_or_a_wait_is_no_yes(chat: OpenChat) -> None:
    for answer in ("yes; no", "no; yes", "wait; yes"):
        conversation = chat()
        conversation("cancel P", answer)
        assert statuses(conversation.database)["1002"] == "pending"


def test_a_changed_mind_about_a_thing_replaces_what_was_to_become_of_it(chat: OpenChat) -> None:
    conversation = chat()
    conversation("return f")
    other = conversation("swap f | c")
    assert [action["name"] for action in other.actions] == ["exchange"]


def test_a_proposal_outlives_a_long_conversation(chat: OpenChat) -> None:
    conversation = chat()
    conversation("cancel P", *["status R", "thanks"] * 10)
    assert conversation("yes").actions == [{"name": "cancel", "status": "done"}]


def test_a_quoted_mail_below_the_yes_does_no_harm(chat: OpenChat) -> None:
    conversation = chat()
    conversation("cancel P")
    mail = "On Mon, 3 Jun 2024 at 10:00, Shop <help@shop.example> wrote:\n> Shall I cancel #1002?"
    assert conversation(f"yes\n\n{mail}").actions == [{"name": "cancel", "status": "done"}]


def test_what_is_quoted_or_asked_agrees_to_nothing(chat: OpenChat, typed: TypedReader) -> None:
    typed.readings |= {"yes?": "yes", "是？": "yes"}
    conversation = chat()
    conversation("cancel P")
    for answer in ("> yes", "yes?", "是？"):
        asked = conversation(answer)
        assert asked.actions == []
        assert asked.proposal is not None
    assert statuses(conversation.database)["1002"] == "pending"


def test_an_order_that_is_cancelled_and_changed_at_once_is_asked_about(chat: OpenChat) -> None:
    conversation = chat()
    for message in ("cancel Q; swap c | b", "swap c; cancel Q | b", "cancel Q; repay Q with 3"):
        assert conversation(message).actions == []
    both = conversation("cancel P; swap c | b")
    assert [action["name"] for action in both.actions] == ["cancel", "change_item"]


def test_a_yes_that_repeats_what_is_proposed_agrees_to_it(chat: OpenChat) -> None:
    for wish in ("cancel Q", "return e", "swap b | b", "swap f; with 2 | b"):
        conversation = chat()
        again = wish.partition(";")[0].partition(" |")[0]
        name = conversation(wish).actions[0]["name"]
        assert conversation(f"yes; {again}").actions == [{"name": name, "status": "done"}]


def test_a_yes_beside_another_option_asks_for_that_one(chat: OpenChat) -> None:
    conversation = chat()
    conversation("swap f | b")
    corrected = conversation("yes; swap f | c")
    assert corrected.actions == [{"name": "exchange", "status": "proposed"}]
    assert "red" in corrected.reply


def test_a_wish_for_a_part_of_what_is_proposed_leaves_out_the_rest(chat: OpenChat) -> None:
    conversation = chat()
    both = conversation("return e; cancel Q")
    assert both.proposal is not None
    assert len(both.proposal.lines) == 2
    joined = conversation("return f g")
    assert joined.proposal is not None
    assert "Pet Bed" not in joined.reply
    part = conversation("return f")
    assert part.proposal is not None
    assert ("Mug" in part.reply, "Lamp" in part.reply) == (True, False)
    assert "#1007" in part.reply  # of another kind, and not taken back


def test_another_option_for_one_of_two_changes_that_one_alone(chat: OpenChat) -> None:
    conversation = chat()
    conversation("swap a b | Mechanical Keyboard: b / Smart Thermostat: b")
    revised = conversation("swap a | c")
    assert revised.proposal is not None
    assert len(revised.proposal.lines) == 2
    only = conversation("swap a | none")
    assert only.proposal is not None
    assert len(only.proposal.lines) == 1
