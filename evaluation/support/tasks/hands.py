"""The hands that simulated customers write in: wordings as data (`wordings/*.toml`), and how each hand spells."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

TYPO_SHARE = 0.35  # of the messages of a hand that makes slips
_WORD = re.compile(r"\{\w+\}|[a-z]{5,}")


@dataclass(frozen=True)
class Hand:
    """One way of writing: several wordings for each thing to say."""

    name: str
    words: Mapping[str, Sequence[str]]
    article: str  # before an item's name
    lower: bool = False
    bare: bool = False  # no full stop at the end
    unpunctuated: bool = False
    typos: bool = False

    def say(self, what: str, rng: random.Random, **slots: str) -> str:
        """One wording of it, with the slots filled. Raises KeyError for what this hand cannot say."""
        wording = rng.choice(self.words[what])
        if self.typos and rng.random() < TYPO_SHARE:
            wording = _with_slip(wording, rng)
        return wording.format(**slots)

    def spelled(self, text: str) -> str:
        """A whole message as this hand puts it down."""
        text = re.sub(r",?\s*([,.?!])(?=\s|$)", r"\1", " ".join(text.split()))
        text = re.sub(
            r"^(\w[\w ]*), ([A-Z])(?=[a-z])", lambda m: f"{m[1]}, {m[2].lower()}", text
        )  # after a greeting
        if self.unpunctuated:
            text = re.sub(r"[,.?!:;]+(?=\s|$)", "", text)
        if self.bare:
            text = text.rstrip(".")
        return text.lower() if self.lower else text[:1].upper() + text[1:]


@cache
def hands() -> tuple[Hand, ...]:
    """All of them, by name."""
    folder = files("evaluation.support.tasks") / "wordings"
    found = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            found.append(Hand(file.name.removesuffix(".toml"), **tomllib.loads(file.read_text("utf-8"))))
    return tuple(found)


def _with_slip(wording: str, rng: random.Random) -> str:
    """Two letters of one word change places; slots stay whole."""
    words = [match for match in _WORD.finditer(wording) if not match[0].startswith("{")]
    if not words:
        return wording
    word = rng.choice(words)
    place = word.start() + rng.randrange(1, len(word[0]) - 2)
    return wording[:place] + wording[place + 1] + wording[place] + wording[place + 2 :]
