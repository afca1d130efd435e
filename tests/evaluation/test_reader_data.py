"""`duet adapters make-reader-data`: what the test has is nothing that training has."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from apps.settings import PACKAGED_ADAPTERS
from apps.support.reading.commands import parse
from evaluation.reader_data.build import build_reader_data
from evaluation.reader_data.catalog import read_catalog
from evaluation.reader_data.making import Maker
from evaluation.reader_data.wordings import Wording, read_wordings, unseen_wordings

FOLDER = PACKAGED_ADAPTERS / "support-reader"


def test_a_message_that_differs_only_in_case_and_punctuation_is_known() -> None:
    training = {"yes": [Wording("Yes, please!", "")], "no": [Wording("not now", "")]}
    test = {
        "yes": [Wording("yes please", ""), Wording("aye", "")],
        "wait": [Wording("Not now...", "")],  # known, if under another kind
    }
    assert unseen_wordings(test, training) == {"yes": [Wording("aye", "")]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The reader's own, with a message in the test that training has, and a kind that the test lacks."""
    copy = tmp_path / "reader"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("*.safetensors"))
    with (copy / "wordings" / "more.txt").open("w", encoding="utf-8") as file:
        file.write("# greet\nTop of the evening to you\n# ask.review\nmay i rate it\n")
    with (copy / "test" / "more.txt").open("w", encoding="utf-8") as file:
        file.write("# greet\ntop of the evening, to you!\n")
    for path in (copy / "test").glob("*.txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join(without(lines, "# ask.review")), encoding="utf-8")
    return copy


def without(lines: list[str], kind: str) -> list[str]:
    kept, here = [], False
    for line in lines:
        here = line.startswith(kind) if line.startswith("# ") else here
        kept += [] if here else [line]
    return kept


def test_what_is_left_out_of_the_test_and_what_it_lacks_is_said(folder: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    build_reader_data(folder, tmp_path / "made", None, 1, 1, notes.append)
    rows = (tmp_path / "made" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    messages = [json.loads(row)["prompt"].casefold() for row in rows]
    assert not any("top of the evening" in message for message in messages)
    assert any("messages that training has" in note for note in notes)
    (missing,) = [note for note in notes if note.startswith("kinds without a test message")]
    assert "ask.review" in missing


def test_a_located_wish_is_about_an_item_of_the_order_that_it_names() -> None:
    maker = Maker(read_catalog(FOLDER), read_wordings(sorted((FOLDER / "wordings").glob("*.txt"))), 3)
    examples = list(maker.located(60))
    assert len(examples) == 60
    for example in examples:
        (command,) = parse(example.completion)
        holders = {
            line[0]
            for line in example.prompt.split("\n")
            for handle in command.items
            if f" {handle} " in line
        }
        assert command.items
        assert len(holders & set("PQRSTUVW")) == 1, example
