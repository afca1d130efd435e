"""Pairs of a turn's prompt and its reply, checked, as JSON lines that `duet adapters train` reads."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.support.replies.facts import Fact
from apps.support.replies.grounding import unsupported
from apps.support.replies.prompt import adapter_opening, turn_prompt
from apps.support.replies.sentences import Note
from apps.support.words import Language
from evaluation.reply_pairs.phrasings import Phrasings
from evaluation.reply_pairs.situations import Situation


@dataclass(frozen=True)
class Pair:
    """A turn and what is said in it."""

    situation: Situation
    reply: str


def written_pairs(found: Iterable[Situation], phrasings: Phrasings, rng: random.Random) -> Iterator[Pair]:
    """Each situation in written words, where these hold what they must."""
    for situation in found:
        reply = phrasings.reply(situation, rng)
        if is_true(reply, situation.notes):
            yield Pair(situation, reply)


def reference_pairs(found: Iterable[Situation], phrasings: Phrasings) -> Iterator[Pair]:
    """Each situation in the words that are kept for measuring."""
    for situation in found:
        reply = phrasings.reference(situation)
        if reply is not None and is_true(reply, situation.notes):
            yield Pair(situation, reply)


def is_true(reply: str, notes: Iterable[Note]) -> bool:
    """Whether the reply says every fact of the notes and nothing that they do not support.

    Of the handbook's passages the facts that must be heard are enough.
    """
    told = tuple(notes)
    stated = [fact for note in told for fact in note.facts if fact.must_be_heard or fact.text in note.text]
    return all(fact.heard_in(reply) for fact in stated) and unsupported(reply, told) is None


def write_training(path: Path, pairs: Iterable[Pair]) -> int:
    """Conversations as the adapter sees them in service; returns their number."""
    lines = [json.dumps({"messages": _conversation(pair)}, ensure_ascii=False) for pair in pairs]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


def write_test(path: Path, pairs: Iterable[Pair]) -> int:
    """Conversations with the notes that they came from, which a measurement needs; returns their number."""
    lines = [
        json.dumps({"messages": _conversation(pair), **_turn(pair.situation)}, ensure_ascii=False)
        for pair in pairs
    ]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


def read_test(path: Path) -> list[Pair]:
    """What `write_test` wrote. Raises OSError and ValueError."""
    pairs = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        notes = tuple(
            Note(
                note["key"],
                note["text"],
                tuple(
                    Fact(fact["name"], fact["text"], tuple(fact["forms"]), fact["must"])
                    for fact in note["facts"]
                ),
            )
            for note in row["notes"]
        )
        language: Language = row["language"]
        situation = Situation(language, row["intent"], row["message"], notes)
        pairs.append(Pair(situation, row["messages"][-1]["content"]))
    return pairs


def _conversation(pair: Pair) -> list[dict[str, str]]:
    situation = pair.situation
    (system,) = adapter_opening(situation.language)
    prompt = turn_prompt(situation.notes, situation.message, situation.language)
    return [
        {"role": "system", "content": str(system.text)},
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": pair.reply},
    ]


def _turn(situation: Situation) -> dict[str, Any]:
    return {
        "language": situation.language,
        "intent": situation.intent,
        "message": situation.message,
        "notes": [
            {
                "key": note.key,
                "text": note.text,
                "facts": [
                    {"name": fact.name, "text": fact.text, "forms": fact.forms, "must": fact.must_be_heard}
                    for fact in note.facts
                ],
            }
            for note in situation.notes
        ],
    }
