"""Typing as people do it: errors, missing capitals and marks. What stands between marks is kept as it is."""

from __future__ import annotations

import re
from random import Random

BEGIN, END = "\ue000", "\ue001"
_KEPT = re.compile(f"({BEGIN}[^{END}]*{END}|#[A-Z?]?|@|\\d+)")


def keep(text: str) -> str:
    """Text that noise leaves alone."""
    return f"{BEGIN}{text}{END}"


def unmarked(text: str) -> str:
    return text.replace(BEGIN, "").replace(END, "")


def kept_span(text: str) -> str:
    """The first kept part, lengthened to the end of its last word; "" where nothing is kept."""
    match = re.search(f"{BEGIN}([^{END}]*){END}([A-Za-z]*)", text)
    return "" if match is None else match[1] + match[2]


def mistype(text: str, rng: Random, share: float) -> str:
    """With the chance `share`, one or two ways of careless typing."""
    if rng.random() >= share:
        return text
    parts = _KEPT.split(text)
    for way in rng.sample(("typo", "typo", "lower", "bare", "doubled"), k=rng.choice((1, 1, 2))):
        free = [place for place in range(0, len(parts), 2) if len(parts[place]) > 3]
        if way in ("lower", "bare"):
            change = str.lower if way == "lower" else _unpunctuated
            parts = [change(part) if place % 2 == 0 else part for place, part in enumerate(parts)]
        elif free:
            place = rng.choice(free)
            parts[place] = (_typo if way == "typo" else _doubled_letter)(parts[place], rng)
    return "".join(parts)


def _typo(text: str, rng: Random) -> str:
    letters = [place for place in range(1, len(text) - 1) if text[place].isascii() and text[place].isalpha()]
    if not letters:
        return text
    place = rng.choice(letters)
    if rng.random() < 0.5:
        return text[:place] + text[place + 1 :]
    return text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :]


def _doubled_letter(text: str, rng: Random) -> str:
    letters = [place for place, letter in enumerate(text) if letter.isascii() and letter.isalpha()]
    if not letters:
        return text
    place = rng.choice(letters)
    return text[:place] + text[place] + text[place:]


def _unpunctuated(text: str) -> str:
    return re.sub(r"[.,!?;:'’，。！？]", "", text)
