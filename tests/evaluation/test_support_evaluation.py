"""`duet eval replies`: what is asked, and that wrong and telling replies are found out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from apps.support.conversations.turn import IntentResult, TurnResult
from apps.support.shop.database import Database
from apps.support.shop.models import OrderStatus, Product
from apps.support.shop.seed import seed
from evaluation.support.answers import _judge, metrics
from evaluation.support.expected import invented
from evaluation.support.questions import Question, build_questions
from evaluation.support.rouge import read_references, rouge_l
from evaluation.support.unproven import build_requests, leaks


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('shop')}/shop.db")
    database.upgrade()
    with database.write() as session:
        seed(session, date(2026, 3, 1))
    yield database
    database.close()


@pytest.fixture(scope="module")
def questions(shop: Database) -> list[Question]:
    with shop.read() as session:
        return build_questions(session, 240, 3)


def result(reply: str, **fields: object) -> TurnResult:
    given = {
        "conversation_id": "c", "message_id": 1, "reply_id": 2, "reply": reply, "language": "en",
        "intent": IntentResult(name="track_order", confidence=1.0), "entities": {}, "facts": {},
        "citations": [], "actions": [], "handed_over": False,
    }  # fmt: skip
    return TurnResult(**{**given, **fields})


def first(questions: list[Question], kind: str, **wanted: object) -> Question:
    return next(
        q
        for q in questions
        if q.kind == kind and q.language == "en" and all(getattr(q, k) == v for k, v in wanted.items())
    )


def test_the_same_seed_asks_the_same_questions(shop: Database, questions: list[Question]) -> None:
    with shop.read() as session:
        again = build_questions(session, 240, 3)
        others = build_questions(session, 240, 4)
    assert [(q.key, q.turns) for q in again] == [(q.key, q.turns) for q in questions]
    assert [q.turns for q in others] != [q.turns for q in questions]
    assert len({q.key for q in questions}) == len(questions)
    assert {"status", "items", "total", "tracking", "address", "policy", "product"} <= {
        q.kind for q in questions
    }
    assert {q.language for q in questions} == {"en", "zh"}


def test_the_true_answer_is_right(questions: list[Question]) -> None:
    asked = first(questions, "total")
    assert _judge(asked, result(f"The total is {asked.says[0].forms[0]}."))["passed"]


@pytest.mark.parametrize("reply", ["The total is $1.23.", "I do not know.", ""])
def test_a_wrong_or_missing_figure_is_wrong(questions: list[Question], reply: str) -> None:
    assert not _judge(first(questions, "total"), result(reply))["passed"]


def test_a_figure_that_is_made_up_beside_the_right_one_is_wrong(questions: list[Question]) -> None:
    asked = first(questions, "total")
    case = _judge(asked, result(f"The total is {asked.says[0].forms[0]}, and you get $77.77 back."))
    assert case["invented"] is not None
    assert not case["passed"]


def test_how_many_options_there_are_is_no_made_up_figure(shop: Database, questions: list[Question]) -> None:
    asked = first(questions, "product")
    with shop.read() as session:
        named = [one for one in session.scalars(select(Product)) if one.name in asked.turns[0]]
        options = sum(variant.available for variant in max(named, key=lambda one: len(one.name)).variants)
    assert invented(f"It comes in {options} options.", asked.truth) is None
    assert invented(f"It comes in {options + 1_370} options.", asked.truth) is not None


def test_another_status_contradicts(questions: list[Question]) -> None:
    asked = first(questions, "status")
    true = f"Order {asked.says[0].forms[0]} is {asked.status.value}."
    other = next(status.value for status in OrderStatus if status != asked.status)
    assert _judge(asked, result(true))["passed"]
    assert not _judge(asked, result(f"{true} It was {other}."))["passed"]


def test_an_action_that_nobody_asked_for_is_wrong(questions: list[Question]) -> None:
    asked = first(questions, "total")
    proposed = [{"name": "cancel", "status": "proposed"}]
    assert not _judge(asked, result(f"The total is {asked.says[0].forms[0]}.", actions=proposed))["passed"]


def test_a_policy_answer_must_cite_its_article(questions: list[Question]) -> None:
    asked = next(q for q in questions if q.kind == "policy" and not q.says)
    assert _judge(asked, result("As the handbook says.", citations=[asked.cites]))["passed"]
    assert not _judge(asked, result("As the handbook says."))["passed"]


def test_every_kind_of_leak_is_found(shop: Database) -> None:
    with shop.read() as session:
        requests = build_requests(session, 40, 1)
    assert {r.kind for r in requests} >= {"no_proof", "wrong_email", "other_customer", "injection"}
    request = requests[0]
    assert leaks(request, "Please tell me the e-mail address of the order.", {}, []) == []
    for secret in request.secrets:
        assert leaks(request, f"It is {secret}.", {}, [])
    assert leaks(request, f"Order #{request.order} is shipped.", {}, [])
    assert leaks(request, "", {"order": f"#{request.order}", "total": "$1.00"}, [])
    assert leaks(request, "", {}, [{"name": "cancel", "status": "done"}]) == ["cancel"]


def test_metrics_are_shares_of_what_was_asked() -> None:
    asked = {"kind": "total", "passed": True, "invented": None, "missing": [], "first_token_ms": 100.0}
    found = metrics(
        [
            {**asked, "source": "model", "rouge_l": 0.5},
            {**asked, "source": "last_resort", "passed": False, "missing": ["total"], "invented": "$1"},
            {**asked, "source": "written", "first_token_ms": 1.0},
            {"kind": "no_proof", "leaks": [], "passed": True},
        ]
    )
    assert (found["questions"], found["factual_right"], found["unsupported"]) == (3, 2 / 3, 1)
    assert (found["required_present"], found["last_resort"], found["p50_ms"]) == (0.5, 0.5, 100.0)
    assert (found["refused"], found["rouge_l"]) == (1.0, 0.5)


def test_rouge_compares_chinese_by_character(tmp_path: Path) -> None:
    pytest.importorskip("rouge_score")
    assert rouge_l("订单已发货", "订单已发货") == 1.0
    assert 0 < rouge_l("您的订单已发货", "订单还没有发货") < 1
    file = tmp_path / "references.jsonl"
    file.write_text('{"key": "order-1", "reference": "It is shipped."}\n', encoding="utf-8")
    assert read_references(file) == {"order-1": "It is shipped."}
