"""Training pairs of the reply adapter: made-up shops, written words, and nothing that is not true."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from apps.settings import Settings
from apps.support.replies.grounding import unsupported
from apps.support.replies.sentences import Note, write
from apps.support.shop.database import Database
from apps.support.shop.handbook import PACKAGED
from apps.support.shop.policy import load_policy
from apps.support.shop.policy_words import fill, policy_words
from apps.support.words import Language
from core_model import DuetChatModel, Engine, load_engine
from core_model.training.recipe import read_recipe
from core_model.training.replies import read_conversations
from evaluation.reply_pairs import shops
from evaluation.reply_pairs.other_figures import change_figures, exchange
from evaluation.reply_pairs.pairs import (
    Pair,
    is_true,
    read_test,
    reference_pairs,
    write_test,
    write_training,
    written_pairs,
)
from evaluation.reply_pairs.phrasings import LANGUAGES, Phrasings, PhrasingsError
from evaluation.reply_pairs.situations import Situation, situations
from evaluation.reply_pairs.teacher import teacher_pairs
from tests.conftest import EDGE

FOLDER = Settings().adapters_dir / "support-reply"


@pytest.fixture(scope="module")
def phrasings() -> Phrasings:
    return Phrasings.read(FOLDER)


@pytest.fixture(scope="module")
def turns() -> list[Situation]:
    return list(islice(shops.training_turns(FOLDER, shops.WRITTEN), 120))


@pytest.fixture(scope="module")
def pairs(turns: list[Situation], phrasings: Phrasings) -> list[Pair]:
    return list(written_pairs(turns, phrasings, random.Random(1)))


@pytest.fixture(scope="module")
def serving_engine() -> Iterator[Engine]:
    """The small model as it is served."""
    engine = load_engine(EDGE, weights="int8")
    yield engine
    engine.close()


def test_a_number_makes_the_same_shop_and_the_same_turns(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/shop.db")
    database.upgrade()
    first = list(situations(database, 7, 12))
    assert list(situations(database, 7, 12)) == first
    assert list(situations(database, 8, 12)) != first
    database.close()


def test_turns_are_in_both_languages_and_about_many_things(turns: list[Situation]) -> None:
    assert {turn.language for turn in turns} == {"en", "zh"}
    assert len({note.key for turn in turns for note in turn.notes}) > 20
    assert all(any(note.facts for note in turn.notes) for turn in turns)


def test_a_written_reply_says_every_fact_and_nothing_else(pairs: list[Pair]) -> None:
    assert len(pairs) > 100
    for pair in pairs:
        assert unsupported(pair.reply, pair.situation.notes) is None, pair
        assert is_true(pair.reply, pair.situation.notes), pair


def test_most_replies_are_not_the_notes_themselves(pairs: list[Pair]) -> None:
    same = [pair for pair in pairs if pair.reply == " ".join(note.text for note in pair.situation.notes)]
    assert len(same) < len(pairs) / 10


def test_pairs_are_the_same_each_time(
    turns: list[Situation], pairs: list[Pair], phrasings: Phrasings
) -> None:
    assert list(written_pairs(turns, phrasings, random.Random(1))) == pairs
    assert list(written_pairs(turns, phrasings, random.Random(2))) != pairs


@pytest.mark.parametrize(
    "reply",
    [
        "Order #W1234567 is on its way.",  # the tracking number is missing
        "Order #W1234567 is on its way, tracking number 123456789013.",
        "Order #W1234567 is on its way, tracking number 123456789012, and comes tomorrow.",
    ],
)
def test_a_reply_that_is_not_true_is_no_pair(reply: str) -> None:
    notes = [
        write("order_shipped", "en", must=("order",), order="#W1234567"),
        write("tracking", "en", must=("tracking",), tracking="123456789012"),
    ]
    assert is_true("Order #W1234567 is shipped, tracking number 123456789012.", notes)
    assert not is_true(reply, notes)


def test_a_sentence_that_nobody_wrote_a_way_for_is_said_as_it_is(phrasings: Phrasings) -> None:
    turn = Situation("en", "track_order", "?", (Note("unheard_of", "Your parcel is with a neighbour.", ()),))
    assert "Your parcel is with a neighbour." in phrasings.reply(turn, random.Random(1))
    assert phrasings.reference(turn) is None


def test_every_way_to_say_a_sentence_holds_its_values(phrasings: Phrasings) -> None:
    for language in LANGUAGES:
        file = phrasings.files[language]
        for keys, ways in file.notes.items():
            wanted = set().union(*(values_in(file.references[key]) for key in keys.split("+")))
            for way in ways:
                assert wanted <= values_in(way), (language, keys, way)


def test_every_way_to_say_a_passage_is_true_of_the_handbook(phrasings: Phrasings) -> None:
    for language in LANGUAGES:
        file, bodies = phrasings.files[language], sections(language)
        policy = policy_words(load_policy(), language)
        for heading, ways in file.passages.items():
            for way in (*ways, file.passage_references.get(heading, ways[0])):
                assert unsupported(fill(way, policy), [Note("policy", bodies[heading], ())]) is None, way


def test_passages_are_told_with_other_figures_that_still_fit(turns: list[Situation]) -> None:
    turn = next(turn for turn in turns if turn.heading)
    body = "Standard delivery takes 3 to 5 business days and costs $4.95; we pack until 14:00."
    told = replace(turn, notes=(Note("policy", body, ()),))
    changed = change_figures(told, random.Random(3))
    assert changed.notes[0].text == exchange(body, changed.figures) != body
    least, most = (int(word) for word in changed.notes[0].text.split() if word.isdigit())
    assert least < most


def test_what_is_kept_for_measuring_is_read_back(phrasings: Phrasings, tmp_path: Path) -> None:
    kept = list(islice(reference_pairs(shops.turns_for_test(), phrasings), 8))
    write_test(tmp_path / "test.jsonl", kept)
    back = read_test(tmp_path / "test.jsonl")
    assert [pair.reply for pair in back] == [pair.reply for pair in kept]
    assert [pair.situation.notes for pair in back] == [pair.situation.notes for pair in kept]
    assert len(read_conversations(tmp_path / "test.jsonl")) == 8


def test_training_files_are_conversations_that_a_recipe_reads(pairs: list[Pair], tmp_path: Path) -> None:
    assert write_training(tmp_path / "written.jsonl", pairs[:5]) == 5
    first = read_conversations(tmp_path / "written.jsonl")[0]
    assert [message["role"] for message in first] == ["system", "user", "assistant"]
    assert first[-1]["content"] == pairs[0].reply


def test_the_shipped_test_is_not_trained_on() -> None:
    tested = {conversation[1]["content"] for conversation in read_conversations(FOLDER / "test.jsonl")}
    for source in read_recipe(FOLDER / "recipe.toml").data:
        trained = {conversation[1]["content"] for conversation in read_conversations(FOLDER / source.path)}
        assert trained
        assert not trained & tested


def test_a_teacher_is_heard_only_where_it_is_right(serving_engine: Engine, turns: list[Situation]) -> None:
    heard: list[Pair | None] = []
    teacher = DuetChatModel(engine=serving_engine)
    found = teacher_pairs(turns[:3], teacher, seconds=60, together=3, on_answer=heard.append)
    assert len(heard) == 3
    assert [pair for pair in turns[:3] if any(pair is good.situation for good in found)] == [
        pair.situation for pair in found
    ]
    assert all(is_true(pair.reply, pair.situation.notes) for pair in found)
    assert not teacher_pairs(turns[:3], teacher, seconds=0, together=3)


def test_what_is_wrong_with_the_phrasings_is_said(tmp_path: Path) -> None:
    (tmp_path / "phrasings.en.toml").write_text('bad = "order_pending"\n', encoding="utf-8")
    with pytest.raises(PhrasingsError, match=r"phrasings\.en\.toml"):
        Phrasings.read(tmp_path)


def values_in(way: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(way) if name}


def sections(language: Language) -> dict[str, str]:
    """Heading → body of the packaged handbook."""
    found: dict[str, str] = {}
    values = policy_words(load_policy(), language)
    for file in (PACKAGED / language).iterdir():
        for part in file.read_text("utf-8").split("\n## ")[1:]:
            heading, _, body = part.partition("\n")
            found[heading.strip()] = fill(" ".join(body.split()), values)
    return found
