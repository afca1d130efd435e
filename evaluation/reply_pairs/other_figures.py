"""The handbook's passages with other figures.

A model that always sees 30 days would learn 30 days, and not to read what it is given.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import replace

from apps.support.playbooks.handbook_answers import policy_note
from evaluation.reply_pairs.situations import Situation

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


def change_figures(situation: Situation, rng: random.Random) -> Situation:
    """The turn with other figures in its passage; a turn without a passage as it is."""
    if not situation.heading:
        return situation
    text = situation.notes[0].text
    figures = _other_figures(set(_NUMBER.findall(text)), rng)
    return replace(situation, notes=(policy_note(exchange(text, figures)),), figures=figures)


def exchange(text: str, figures: Mapping[str, str]) -> str:
    """The text with each figure that `figures` names replaced."""
    return _NUMBER.sub(lambda match: figures.get(match[0], match[0]), text)


def _other_figures(figures: set[str], rng: random.Random) -> dict[str, str]:
    """For each figure another one of its kind; a smaller one stays smaller, so that "3 to 5" stays a range."""
    kinds: dict[str, list[str]] = {
        "counts": [str(number) for number in range(1, 10)],
        "numbers": [str(number) for number in range(10, 100)],
        "times": [f"{hour}:{minute}" for hour in range(7, 22) for minute in ("00", "30")],
        "amounts": [f"{whole}.{cents}" for whole in range(1, 90) for cents in ("00", "50", "95", "99")],
    }
    found: dict[str, list[str]] = {kind: [] for kind in kinds}
    for figure in figures:
        kind = "times" if ":" in figure else "amounts" if "." in figure else None
        found[kind or ("counts" if len(figure) == 1 else "numbers")].append(figure)
    others: dict[str, str] = {}
    for kind, members in found.items():
        order = [kinds[kind][place] for place in sorted(rng.sample(range(len(kinds[kind])), len(members)))]
        others.update(zip(sorted(members, key=_value), order, strict=True))
    return others


def _value(figure: str) -> float:
    return float(figure.replace(":", ".").replace(",", ""))
