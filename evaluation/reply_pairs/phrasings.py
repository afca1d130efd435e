"""Written ways to say each of the assistant's sentences, and replies composed of them.

The ways lie beside the adapter's recipe (phrasings.en.toml, phrasings.zh.toml); references for measuring are
kept apart in the same files and never trained on.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from apps.support.errors import SupportError
from apps.support.replies.sentences import Note, joined
from apps.support.shop.policy import Policy, load_policy
from apps.support.shop.policy_words import fill, policy_words
from apps.support.words import Language
from evaluation.reply_pairs.other_figures import exchange
from evaluation.reply_pairs.situations import Situation

LANGUAGES: tuple[Language, ...] = ("en", "zh")
SHARE_OPENED, SHARE_CLOSED, SHARE_FUSED = 0.45, 0.1, 0.6


class PhrasingsError(SupportError):
    """The phrasings beside a reply adapter's recipe cannot be used."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    bad: tuple[str, ...]
    unopened: tuple[str, ...]
    closings: tuple[str, ...]
    openings: dict[str, tuple[str, ...]]
    notes: dict[str, tuple[str, ...]]
    references: dict[str, str]
    passages: dict[str, tuple[str, ...]]
    passage_references: dict[str, str]


@dataclass(frozen=True)
class Phrasings:
    """The ways of both languages. `{return_days}` and the like stand for what the policy says."""

    files: dict[Language, _File]
    policy: Policy

    @classmethod
    def read(cls, folder: Path, policy: Policy | None = None) -> Phrasings:
        """`policy` is the shops' that the pairs are made in; without it the demonstration shop's.

        Raises PhrasingsError naming the file and what is wrong with it.
        """
        files = {language: _read(folder / f"phrasings.{language}.toml") for language in LANGUAGES}
        return cls(files, policy or load_policy())

    def reply(self, situation: Situation, rng: random.Random) -> str:
        """The situation in other words, drawn with `rng`; a sentence that nobody wrote a way for as it is."""
        file = self.files[situation.language]
        parts = [_say(situation, file, policy_words(self.policy, situation.language), rng)]
        first = situation.notes[0].key
        if first not in file.unopened and rng.random() < SHARE_OPENED:
            parts.insert(0, rng.choice(file.openings["bad" if first in file.bad else "plain"]))
        if rng.random() < SHARE_CLOSED:
            parts.append(rng.choice(file.closings))
        return joined(parts, situation.language)

    def reference(self, situation: Situation) -> str | None:
        """The situation in the words that are kept for measuring."""
        file = self.files[situation.language]
        policy = policy_words(self.policy, situation.language)
        parts = []
        for note in situation.notes:
            if note.key == "policy":
                said = file.passage_references.get(situation.heading)
                said = said and exchange(fill(said, policy), situation.figures)
            else:
                said = (
                    _fill(file.references[note.key], [note], policy) if note.key in file.references else None
                )
            if said is None:
                return None
            parts.append(said)
        return joined(parts, situation.language)


def _say(situation: Situation, file: _File, policy: Mapping[str, str], rng: random.Random) -> str:
    parts: list[str] = []
    rest = list(situation.notes)
    while rest:
        length = _fused(rest, file, rng)
        key = "+".join(note.key for note in rest[:length])
        ways = file.passages.get(situation.heading, ()) if key == "policy" else file.notes.get(key, ())
        if not ways:
            parts.append(rest[0].text)
        else:
            way = rng.choice(ways)
            if key == "policy":
                parts.append(exchange(fill(way, policy), situation.figures))
            else:
                parts.append(_fill(way, rest[:length], policy))
        del rest[:length]
    return joined(parts, situation.language)


def _fused(notes: Sequence[Note], file: _File, rng: random.Random) -> int:
    """How many of the first notes are said together."""
    for length in range(len(notes), 1, -1):
        if "+".join(note.key for note in notes[:length]) in file.notes and rng.random() < SHARE_FUSED:
            return length
    return 1


def _fill(way: str, notes: Sequence[Note], policy: Mapping[str, str]) -> str:
    return fill(way, {**policy, **{fact.name: fact.text for note in notes for fact in note.facts}})


def _read(path: Path) -> _File:
    try:
        return _File(**tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise PhrasingsError(f"{path} cannot be used: {error}") from error
