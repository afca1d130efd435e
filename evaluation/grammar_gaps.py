"""Is a gap in a program always joined again: `duet eval grammar --data FILE --gaps N`."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from apps.code.grammar import GrammarConstraint
from apps.code.syntax import parses
from core_model.tokenizer import Tokenizer
from evaluation.grammar import Row, is_legal

_MAX_LINES = 8  # cut at once
_MAX_CHARACTERS = 200
_MAX_TEXT = 12_000  # characters of a file

Case = dict[str, Any]


class Gaps:
    """Gaps in real programs, and the shortest join that the constraint finds for each.

    A third are whole lines one of which opens a bracket or a block, a third are any whole lines, a third begin
    anywhere in a line.
    """

    def __init__(self, rows: Iterable[Row], tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._rows = [
            row for row in rows if len(row["text"]) <= _MAX_TEXT and parses(row["text"], row["language"])
        ]

    def case(self, number: int) -> Case:
        """One gap, always the same one for a number."""
        rng = random.Random(number)
        row = rng.choice(self._rows)
        language, text = row["language"], row["text"]
        kind, (start, end) = _gap(text, number, rng)
        prefix, suffix = text[:start], text[end:]
        constraint = GrammarConstraint(language, self._tokenizer, prefix, suffix)
        started = time.thread_time()
        may_end = constraint.may_end()
        closing = [] if may_end else constraint.closing()
        elapsed = time.thread_time() - started
        whole = prefix + self._tokenizer.decode(closing) + suffix
        joined = (may_end or bool(closing)) and parses(whole, language)
        return {
            "language": language,
            "path": row["path"],
            "kind": kind,
            "start": start,
            "end": end,
            "joined": joined,
            "wrong": bool(closing) and not joined,
            "legal": joined and is_legal(language, whole),
            "join": self._tokenizer.decode(closing),
            "ms": elapsed * 1000,
        }


def _gap(text: str, number: int, rng: random.Random) -> tuple[str, tuple[int, int]]:
    lines = text.splitlines(keepends=True)
    if number % 3 == 2 or not lines:
        start = rng.randrange(len(text) + 1)
        end = text.find("\n", start + rng.randrange(_MAX_CHARACTERS))
        return "anywhere", (start, len(text) if end < 0 else end)
    opening = [i for i, line in enumerate(lines) if line.rstrip().endswith(("(", "[", "{", ":"))]
    if number % 3 == 0 and opening:
        kind, line = "opening", rng.choice(opening)
        first, last = max(0, line - rng.randrange(3)), line + rng.randrange(3)
    else:
        kind, first = "lines", rng.randrange(len(lines))
        last = first + rng.randrange(_MAX_LINES)
    start = sum(map(len, lines[:first]))
    return kind, (start, start + sum(map(len, lines[first : last + 1])))


def metrics(cases: Iterable[Case]) -> dict[str, float]:
    """`not_joined`: no join was found, or one that does not parse (`wrong_joins`)."""
    listed = list(cases)
    times = np.array([case["ms"] for case in listed] or [0.0])
    found = {
        "gaps": len(listed),
        "not_joined": sum(not case["joined"] for case in listed),
        "wrong_joins": sum(case["wrong"] for case in listed),
        "joined_but_refused_by_cpython": sum(case["joined"] and not case["legal"] for case in listed),
        "join_ms_p50": float(np.percentile(times, 50)),
        "join_ms_p99": float(np.percentile(times, 99)),
        "join_ms_max": float(times.max()),
    }
    for kind in sorted({case["kind"] for case in listed}):
        of_kind = [case for case in listed if case["kind"] == kind]
        found[f"joined_share_{kind}"] = sum(case["joined"] for case in of_kind) / len(of_kind)
    return found
