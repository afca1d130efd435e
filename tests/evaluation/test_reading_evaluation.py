"""`duet eval reading`: right and wrong readings are told apart, and stored prompts bring their constraint back."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest
from typer.testing import CliRunner

from apps.settings import PACKAGED_ADAPTERS
from core_model.guidance import matches
from evaluation.errors import DataError
from evaluation.reader_data.catalog import read_catalog
from evaluation.reader_data.making import Example, Maker
from evaluation.reader_data.wordings import read_wordings
from evaluation.support.reading import ReadingCase, grammar_of, metrics_of, read_examples
from ui.cli import app

FOLDER = PACKAGED_ADAPTERS / "support-reader"
ONE_ORDER = "P pending: a Mechanical Keyboard; b Pet Bed\n> {}\n="
TWO_ORDERS = "P pending: a Mechanical Keyboard; b Pet Bed\nQ delivered: c T-Shirt\n> {}\n="


def case(
    right: str,
    read: str,
    kind: str = "cancel.item",
    confidence: float = 0.9,
    prompt: str = TWO_ORDERS.format("…"),
) -> ReadingCase:
    return ReadingCase(kind, prompt, right, read, confidence, 20.0)


def figure(name: str, *cases: ReadingCase) -> float:
    return metrics_of(cases)[name]


@pytest.mark.parametrize(
    ("right", "read", "wrong"),
    [
        ("cancel P", "cancel P", 0),
        ("cancel P", "cancel Q", 1),
        ("return a", "return a b", 1),
        ("return P", "return a b", 0),  # the same in other words
        ("return P not a", "return b", 0),
        ("return ?", "return c", 1),  # what is not there is not taken for something else
        ("return", "return c", 1),  # nobody named it
        ("return a", "return a or c", 0),  # asks which
        ("status P", "status Q", 0),  # changes nothing
    ],
)
def test_a_change_of_something_else_is_a_wrong_object(right: str, read: str, wrong: int) -> None:
    assert figure("wrong_object", case(right, read)) == wrong


def test_the_only_order_may_be_meant_without_being_named() -> None:
    prompt = ONE_ORDER.format("cancel it")
    assert figure("wrong_object", case("cancel", "cancel P", prompt=prompt)) == 0
    assert figure("wrong_object", case("cancel ?", "cancel P", prompt=prompt)) == 1


def test_a_change_that_nobody_asked_for_is_a_wrong_action() -> None:
    assert figure("wrong_action", case("status P", "cancel P")) == 1
    assert figure("wrong_action", case("status P", "tracking P")) == 0
    assert figure("wrong_action", case("status P", "cancel P", confidence=0.3)) == 0  # not proposed


def test_answers_to_a_proposal_are_counted_by_themselves() -> None:
    found = metrics_of(
        [
            case("yes", "yes", "yes"),
            case("no", "yes", "no.reason"),
            case("wait", "wait", "wait"),
            case("about", "about", "about"),
            case("status P", "status Q", "status.item"),
        ]
    )
    assert found["answers_right"] == 0.75
    assert found["no_taken_as_yes"] == 1
    assert (found["right_yes"], found["right_no"], found["right_status"]) == (1.0, 0.0, 0.0)
    assert found["commands_right"] == pytest.approx(3 / 5)


def test_only_what_would_be_carried_out_counts_as_taken_for_a_yes() -> None:
    assert figure("taken_as_yes", case("wait", "yes")) == 1
    assert figure("taken_as_yes", case("no; swap b", "yes")) == 1
    assert figure("taken_as_yes", case("wait", "yes", confidence=0.5)) == 0  # asked again
    assert figure("taken_as_yes", case("no", "no; yes")) == 0  # a no beside it stops it
    assert figure("taken_as_yes", case("yes; with 1", "yes")) == 0  # it is one


def test_a_handle_in_another_case_is_another_thing() -> None:
    assert figure("commands_right", case("return p", "return P")) == 0
    assert figure("commands_right", case("return  p", "return p")) == 1


def test_who_is_handed_over_is_told_apart_from_who_only_uses_such_words() -> None:
    found = metrics_of(
        [
            case("product fire pit", "danger", "harmless.alarm"),
            case("product fire pit", "product fire pit", "harmless.alarm"),
            case("danger", "danger", "danger"),
            case("law", "anger", "law"),  # a person takes over all the same
            case("anger", "none", "anger"),
        ]
    )
    assert found["harmless_handed_over"] == 0.5
    assert found["alarm_handed_over"] == pytest.approx(2 / 3)
    assert found["danger_handed_over"] == 1.0


def test_messages_with_several_wishes_are_one_kind() -> None:
    found = metrics_of([case("cancel P; return c", "cancel P; return c", "cancel.item+return.item")])
    assert found["right_several"] == 1.0


@pytest.fixture(scope="module")
def made() -> list[Example]:
    maker = Maker(read_catalog(FOLDER), read_wordings(sorted((FOLDER / "test").glob("*.txt"))), 5)
    return [
        *islice(maker.readings(1), 0, None, 12),
        *maker.several_wishes(10),
        *maker.choices(25),
        *maker.addresses(5),
    ]


def test_the_constraint_of_a_stored_prompt_allows_what_is_right(made: list[Example]) -> None:
    assert len(made) > 60
    for example in made:
        assert matches(grammar_of(example.prompt), example.completion), example


def test_examples_are_read_with_their_line_and_a_limit_takes_some_of_all(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    rows = [{"prompt": f"> {n}\n=", "completion": "yes", "kind": "yes"} for n in range(10)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert list(read_examples(path)) == list(range(1, 11))
    assert list(read_examples(path, 2)) == [1, 6]
    path.write_text('{"prompt": "x"}\n', encoding="utf-8")
    with pytest.raises(DataError, match="line 1"):
        read_examples(path)


def test_a_missing_test_file_is_said_with_what_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUET_ADAPTERS_DIR", str(tmp_path))
    result = CliRunner().invoke(app, ["eval", "reading"])
    assert result.exit_code == 1
    assert "make-reader-data" in result.output
