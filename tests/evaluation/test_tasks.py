"""`duet eval tasks`: what is derived from a task, who is judged right, and how the customer talks."""

from __future__ import annotations

import json
import random
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from apps.support.conversations.turn import IntentResult, TurnResult
from apps.support.shop.database import Database
from apps.support.shop.models import (
    Address,
    Customer,
    Order,
    OrderStatus,
    Payment,
    PaymentKind,
    PaymentMethod,
    PaymentStatus,
    Return,
    ReturnItem,
    ReturnKind,
    ReturnStatus,
    Variant,
)
from apps.support.shop.policy import load_policy
from evaluation.cases import CaseFile
from evaluation.errors import DataError
from evaluation.support.tasks import playing
from evaluation.support.tasks.customers import customer_of
from evaluation.support.tasks.errands import Heard
from evaluation.support.tasks.goals import Change, Changes, address_words, given_address, goals_of
from evaluation.support.tasks.hands import hands
from evaluation.support.tasks.identity import policy_for
from evaluation.support.tasks.judge import differences, end_of, expected_end, not_told, prices_of
from evaluation.support.tasks.questions import Question
from evaluation.support.tasks.replies import asked_for
from evaluation.support.tasks.simulated import SimulatedCustomer
from evaluation.support.tasks.task_file import Task, load_tasks
from evaluation.support.tasks.wrong_objects import wrong_object
from tests.evaluation.tiny_shop import ELM, OAK, open_shop, task

RETURN_TENT = ("return_delivered_order_items",
               {"order_id": "#A1001", "item_ids": ["t-2"], "payment_method_id": "paypal_1"})  # fmt: skip
COPPER = ("modify_pending_order_items", {"order_id": "#A1002", "item_ids": ["k-steel"],
          "new_item_ids": ["k-copper"], "payment_method_id": "card_1"})  # fmt: skip
EXCHANGE = ("exchange_delivered_order_items", {"order_id": "#A1001", "item_ids": ["k-steel"],
            "new_item_ids": ["k-lid"], "payment_method_id": "card_1"})  # fmt: skip
CANCEL = ("cancel_pending_order", {"order_id": "#A1003", "reason": "no longer needed"})
MOVE = ("modify_pending_order_address", {"order_id": "#A1003", **ELM})
MOVE_PROFILE = ("modify_user_address", {"user_id": "nia_1", **ELM})
NO_REPLY = Heard("", [], Changes())


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Database]:
    with open_shop(tmp_path) as database:
        yield database


def carry_out(shop: Database, *todo: tuple[str, dict[str, Any]]) -> None:
    """Do the benchmark's actions to the database."""
    with shop.write() as session:
        variants = {row.sku: row for row in session.scalars(select(Variant))}
        methods = {row.external_id: row for row in session.scalars(select(PaymentMethod))}
        for name, given in todo:
            if name == "modify_user_address":
                session.scalars(select(Customer)).one().address = given_address(given)
                continue
            order = session.scalars(select(Order).where(Order.number == given["order_id"][1:])).one()
            items = [item for item in order.items if item.variant.sku in given.get("item_ids", [])]
            if named := given.get("payment_method_id"):
                order.payments.append(
                    Payment(
                        method=methods[named],
                        kind=PaymentKind.REFUND,
                        status=PaymentStatus.PENDING,
                        amount=100,
                        currency="USD",
                    )
                )
            if name == "cancel_pending_order":
                order.status = OrderStatus.CANCELLED
            elif name == "modify_pending_order_address":
                order.address = given_address(given)
            elif name == "modify_pending_order_items":
                items[0].variant = variants[given["new_item_ids"][0]]
            else:
                new = [variants[sku] for sku in given.get("new_item_ids", [])] or [None] * len(items)
                order.returns.append(
                    Return(
                        number=secrets.token_hex(4),
                        kind=ReturnKind.EXCHANGE if new[0] else ReturnKind.RETURN,
                        status=ReturnStatus.REQUESTED,
                        refund=0,
                        currency="USD",
                        items=[
                            ReturnItem(order_item=item, replacement=replacement, quantity=1)
                            for item, replacement in zip(items, new, strict=True)
                        ],
                    )
                )


def judged(shop: Database, wanted: Task, *done: tuple[str, dict[str, Any]]) -> list[str]:
    with shop.read() as session:
        customer = customer_of(session, wanted)
        before = end_of(session, customer.id)
    carry_out(shop, *done)
    with shop.read() as session:
        return differences(expected_end(before, wanted, prices_of(session)), end_of(session, customer.id))


def customer(shop: Database, wanted: Task, seed: int = 0, identity: str = "signed-in") -> SimulatedCustomer:
    playable = playing.playable_task(shop, wanted)
    rng = random.Random(seed)
    return SimulatedCustomer(
        playable.customer, playable.goals, playable.questions, rng.choice(hands()), rng, identity, True
    )


ALL = (RETURN_TENT, COPPER, EXCHANGE, MOVE, MOVE_PROFILE)


def test_the_right_actions_pass_whatever_they_are(shop: Database) -> None:
    assert judged(shop, task(*ALL), *ALL) == []


@pytest.mark.parametrize("wanted", [*ALL, CANCEL], ids=lambda action: action[0])
def test_who_does_nothing_fails(shop: Database, wanted: tuple[str, dict[str, Any]]) -> None:
    assert judged(shop, task(wanted)) != []


@pytest.mark.parametrize(
    "done",
    [
        ("cancel_pending_order", {"order_id": "#A1002"}),
        ("return_delivered_order_items", {"order_id": "#A1001", "item_ids": ["t-2", "k-steel"]}),
        ("modify_pending_order_address", {"order_id": "#A1003", **ELM, "address2": "Flat 3"}),
        MOVE_PROFILE,
    ],
    ids=lambda action: action[0],
)
def test_who_does_something_else_fails(shop: Database, done: tuple[str, dict[str, Any]]) -> None:
    assert judged(shop, task(RETURN_TENT), done)


def test_another_option_than_the_wanted_one_fails(shop: Database) -> None:
    with_lid = (COPPER[0], {**COPPER[1], "new_item_ids": ["k-lid"]})
    assert judged(shop, task(COPPER), with_lid) == ["order A1002: items is 1 k-lid, should be 1 k-copper"]


def test_money_that_goes_another_way_fails(shop: Database) -> None:
    to_card = (RETURN_TENT[0], {**RETURN_TENT[1], "payment_method_id": "card_1"})
    wrong = judged(shop, task(RETURN_TENT), to_card)
    assert len(wrong) == 1
    assert wrong[0].startswith("order A1001: methods is ")


def test_what_must_be_told_is_found_with_and_without_thousands_commas() -> None:
    asked = task(tell=("1095.55", "Tactile"))
    assert not_told(asked, ["You get $1,095.55 back.", "It is tactile."]) == []
    assert not_told(asked, ["You get $1,095.56 back."]) == ["1095.55", "Tactile"]
    assert not_told(asked, ["You get $21,095.55 back, it is tactile."]) == ["1095.55"]
    assert not_told(task(tell=("180.1",)), ["It costs $180.10."]) == []


def test_goals_are_the_changes_of_the_actions(shop: Database) -> None:
    wanted = task(("get_order_details", {"order_id": "#A1001"}), RETURN_TENT, COPPER, MOVE)
    with shop.read() as session:
        found = goals_of(wanted, customer_of(session, wanted))
    assert [goal.changes for goal in found] == [
        Changes([Change("return", "A1001", "t-2")]),
        Changes([Change("change_item", "A1002", "k-steel", "k-copper")]),
        Changes([Change("change_address", "A1003", to=address_words(given_address(ELM)))]),
    ]
    assert [goal.method for goal in found] == ["paypal_1", None, None]  # the original method needs no word


def test_cancelling_every_pending_order_is_one_goal(shop: Database) -> None:
    both = task(CANCEL, ("cancel_pending_order", {"order_id": "#A1002", "reason": "no longer needed"}))
    (errand,) = customer(shop, both).errands
    assert errand.remaining == Changes([Change("cancel", "A1003"), Change("cancel", "A1002")])


@pytest.mark.parametrize(
    ("info", "question"),
    [
        ("120.00", Question("refund", "A1001")),
        ("15.5", Question("difference", "A1002")),
        ("771000111", Question("tracking", "A1001")),
        ("25", Question("balance")),
        ("9 Elm Road", Question("address", "A1002")),
        ("hinged", None),
    ],
)
def test_a_question_is_found_for_what_must_be_told(
    shop: Database, info: str, question: Question | None
) -> None:
    playable = playing.playable_task(shop, task(RETURN_TENT, COPPER, tell=(info,)))
    if question is None:
        assert list(playable.unknown) == [info]
    else:
        assert [Question(**{**vars(q), "infos": ()}) for q in playable.questions] == [question]


def test_every_hand_can_say_everything_and_a_yes_in_many_ways() -> None:
    first, *others = hands()
    assert len(hands()) >= 6
    for hand in others:
        assert set(hand.words) == set(first.words)
        for what, wordings in hand.words.items():
            slots = [set(re.findall(r"\{(\w+)\}", wording)) for wording in [*wordings, *first.words[what]]]
            assert all(used <= set().union(*slots[len(wordings) :]) for used in slots), (hand.name, what)
    assert len({wording for hand in hands() for wording in hand.words["yes"]}) >= 50


@pytest.mark.parametrize("seed", range(40))
def test_a_customer_never_says_an_internal_id(shop: Database, seed: int) -> None:
    talker = customer(shop, task(*ALL, tell=("771000111",)), seed)
    said = [talker.open_with()]
    for reply in ("Which order do you mean?", "Which option would you like?", "Which item?", "", "", "", ""):
        said.append(talker.answer(Heard(reply, [], Changes())) or "")
    assert not re.search(r"k-steel|k-copper|k-lid|t-2|t-4|paypal_1|card_1|nia_1|[{}]|None", " ".join(said))


@pytest.mark.parametrize("seed", range(30))
def test_a_right_proposal_gets_a_yes_and_what_is_done_is_not_asked_for_again(
    shop: Database, seed: int
) -> None:
    talker = customer(shop, task(COPPER), seed)
    talker.open_with()
    (goal,) = [errand.wanted for errand in talker.errands]
    proposed = Heard("Shall I?", [{"name": "change_item", "status": "proposed"}], goal.changes)
    talker.answer(proposed)
    if not talker.agreed:  # asked something about it first
        talker.answer(proposed)
    assert talker.agreed == goal.changes
    goodbye = talker.answer(Heard("Done.", [{"name": "change_item", "status": "done"}], Changes()))
    assert talker.errands[0].end == "done"
    assert goodbye
    assert talker.answer(NO_REPLY) is None


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize(
    "wrong",
    [
        Change("cancel", "A1002"),
        Change("change_item", "A1002", "k-steel", "k-lid"),
        Change("change_item", "A1003", "t-4", "t-2"),
        Change("default_address", None, to="x"),
    ],
)
def test_a_wrong_proposal_never_gets_a_yes(shop: Database, seed: int, wrong: Change) -> None:
    talker = customer(shop, task(COPPER), seed)
    talker.open_with()
    for _ in range(4):
        answer = talker.answer(Heard("Shall I?", [], Changes([wrong])))
        assert not talker.agreed
        if answer is None:
            break
    assert talker.errands[0].end == "given up"


def test_a_proposal_that_leaves_something_out_is_completed_once_and_then_taken(shop: Database) -> None:
    both = task(
        (EXCHANGE[0].replace("exchange", "return"), {"order_id": "#A1001", "item_ids": ["k-steel", "t-2"]})
    )
    talker = customer(shop, both, seed=3)
    talker.open_with()
    half = Heard("Shall I?", [], Changes([Change("return", "A1001", "t-2")]))
    completed = talker.answer(half) or ""
    assert not talker.agreed
    assert "kettle" in completed.lower()
    for _ in range(2):
        talker.answer(half)
    assert talker.agreed == half.proposal


def test_goals_are_given_up_after_fruitless_tries(shop: Database) -> None:
    talker = customer(shop, task(CANCEL))
    talker.open_with()
    messages = 0
    while talker.answer(Heard("I do not understand.", [], Changes())) is not None:
        messages += 1
    assert talker.errands[0].end == "given up"
    assert messages <= 4


@pytest.mark.parametrize(
    ("reply", "asked"),
    [
        ("Which order do you mean: #A1001 or #A1002?", "order"),
        ("Which item do you mean: Tent or Kettle?", "item"),
        ("Which option would you like instead for Tent? Available: 2; 4.", "option"),
        ("Thank you. I also need the e-mail address or the postcode of order A1.", "identity"),
        ("Please write the whole new address in one message.", "address"),
        ("It is done. Is there anything else I can do for you?", "more"),
        ("How would you like to be refunded?", "method"),
        ("You get a return label by e-mail.", None),
    ],
)
def test_what_a_reply_asks_for_is_understood(reply: str, asked: str | None) -> None:
    assert asked_for(reply) == asked


@pytest.mark.parametrize(
    ("proposed", "wrong"),
    [
        (Change("return", "A1001", "t-2"), False),
        (Change("return", "A1001", "k-steel"), True),
        (Change("exchange", "A1001", "t-2", "t-4"), False),  # another deed, but of the item that is spoken of
        (Change("cancel", "A1002"), True),  # the order is spoken of, but nobody wants it cancelled
        (Change("change_address", "A1003", to="x"), True),
        (Change("default_address", to="x"), True),
    ],
)
def test_proposals_about_other_objects_are_counted(shop: Database, proposed: Change, wrong: bool) -> None:
    playable = playing.playable_task(shop, task(RETURN_TENT, COPPER))
    assert (wrong_object(Changes([proposed]), playable.goals, playable.questions) is not None) == wrong


def test_who_is_not_signed_in_says_who_they_are_when_asked(shop: Database) -> None:
    talker = customer(shop, task(CANCEL), seed=1, identity="name-and-postcode")
    said = f"{talker.open_with()} {talker.answer(Heard('Please tell me your e-mail or postcode.', [], Changes()))}"
    assert "nia@example.com" in said.lower()
    shown = load_policy()
    assert "name+postcode" not in policy_for("signed-in", shown).identity.proofs
    assert "name+postcode" in policy_for("name-and-postcode", shown).identity.proofs


class HastyClerk:
    """Cancels order A1003 whatever is asked, in the database that it is given."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def answer(self, conversation_id: str, text: str) -> TurnResult:
        carry_out(self.database, CANCEL)
        nothing: dict[str, Any] = {
            "intent": IntentResult(name=None, confidence=None),
            "entities": {},
            "facts": {},
        }
        return TurnResult(
            conversation_id=conversation_id, message_id=1, reply_id=2, reply="Done.", language="en",
            citations=[], actions=[], handed_over=False, **nothing,
        )  # fmt: skip


def test_an_interrupted_run_goes_on_and_tasks_do_not_disturb_each_other(
    shop: Database, tmp_path: Path
) -> None:
    tasks, left_out = playing.playable_tasks(shop, [task(CANCEL), task(MOVE, task_id="2")])
    seen: list[object] = []

    for seeds in (1, 1, 2):
        with CaseFile(tmp_path / "cases.jsonl", {}) as cases:
            playing.play_all(shop, tasks, seeds, HastyClerk, "signed-in", cases, 2, seen.append)
    assert len(seen) == 4
    assert left_out == []
    assert {case["task"]: case["passed"] for case in cases.cases.values()} == {"1": True, "2": False}
    figures = playing.metrics(cases.cases.values())
    assert figures["turns"] == sum(case["messages"] for case in cases.cases.values())
    assert all(
        turn["customer"] and turn["assistant"] for case in cases.cases.values() for turn in case["turns"]
    )
    with shop.read() as session:
        orders = session.scalars(select(Order)).all()
        assert {order.status for order in orders} == {"delivered", "pending"}
        oak = Address(*(OAK[name] for name in ("address1", "address2", "city", "state", "zip", "country")))
        assert next(order for order in orders if order.number == "A1003").address == oak


def test_a_file_without_tasks_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tasks.json"
    for content in ("[]", "{}", json.dumps([{"id": 1}])):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(DataError):
            load_tasks(file)
