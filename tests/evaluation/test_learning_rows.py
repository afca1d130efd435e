"""What the desk said as training files: how often each row is seen, and beside which of the first training."""

from __future__ import annotations

import json
from pathlib import Path

from apps.support.replies.sentences import Note
from core_model.checkpoint import load_checkpoint
from core_model.tokenizer import Tokenizer
from core_model.training.recipe import Recipe, Schedule
from core_model.training.replies import read_reply_data
from evaluation.learning import readings, replies
from evaluation.learning.rows import distinct, kept_apart
from evaluation.reply_pairs.pairs import Pair
from evaluation.reply_pairs.situations import Situation
from evaluation.support.reading import ReadingExample


def example(message: str, kind: str, right: str = "none") -> ReadingExample:
    return ReadingExample(f"guest\n> {message}\n=", right, kind)


def test_a_correction_is_trained_on_four_times(random_model: Path, tmp_path: Path) -> None:
    rows = [example(f"corrected {n}", "corrected") for n in range(20)]
    rows += [example(f"confirmed {n}", "confirmed") for n in range(30)]
    first = [example(f"first {n}", "status") for n in range(400)]
    data = readings.write_rows(tmp_path, rows, first)
    schedule = Schedule(held_out=0.1, max_tokens=64)
    recipe = Recipe(name="further", kind="completion", data=data, training=schedule)
    tokenizer = Tokenizer(load_checkpoint(random_model).tokenizer)
    examples = read_reply_data(recipe, tmp_path, None, tokenizer)
    told = [tokenizer.decode(row.tokens) for row in examples.training]
    counts = {kind: sum(f"> {kind}" in text for text in told) for kind in ("corrected", "confirmed", "first")}
    assert counts == {"corrected": 18 * readings.CORRECTIONS_SEEN, "confirmed": 27, "first": 270}


def test_the_desk_has_the_last_word_on_a_message_of_the_first_training(tmp_path: Path) -> None:
    readings.write_rows(tmp_path, [example("hello", "corrected")], [example("hello", "bye", "bye")] * 9)
    assert (tmp_path / "replayed.jsonl").read_text(encoding="utf-8") == ""
    (row,) = map(json.loads, (tmp_path / "corrected.jsonl").read_text(encoding="utf-8").splitlines())
    assert row["completion"] == "none"


def test_of_replies_on_the_same_facts_the_last_counts() -> None:
    def pair(message: str, fact: str, reply: str) -> Pair:
        return Pair(Situation("en", "", message, (Note("fact", fact, ()),)), reply)

    rows = [
        pair("Where?", "here", "Here."),
        pair("Where?", "there", "There."),
        pair("Where?", "here", "Here!"),
    ]
    found = distinct(rows, replies.prompt_of)
    assert found == rows[1:]
    assert kept_apart(found, 0.5) == (rows[1:2], rows[2:])
