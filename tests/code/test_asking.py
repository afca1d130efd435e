"""Whether a task asks for code, by the default model's judgement."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.code.asking import Asking
from core_model import Engine, load_engine
from tests.conftest import DEFAULT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = load_engine(DEFAULT)
    yield engine
    engine.close()


def test_tasks_are_told_from_greetings_and_questions_in_both_languages(engine: Engine) -> None:
    asking = Asking(engine)
    tasks = [
        "a class for a bank account",
        "reverse a linked list",
        "判断一个字符串是否回文",
        "merge two sorted arrays",
    ]
    others = ["Thank you very much!", "Where is my order?", "你好", "Wie geht es dir?"]
    assert [text for text in tasks if not asking.asks_for_code(text)] == []
    assert [text for text in others if asking.asks_for_code(text)] == []


def test_what_says_what_to_call_is_never_refused(engine: Engine) -> None:
    assert Asking(engine).asks_for_code("Hello! How are you today?\n\n>>> greet('Anna')\n'Hello, Anna'\n")


def test_a_model_that_cannot_tell_refuses_nothing(
    edge_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.code.asking._TELLS_APART", 100.0)  # more than any model
    assert Asking(edge_engine).asks_for_code("Thank you very much!")
