"""Is a program that goes on at random ever stuck: `duet eval grammar --data FILE --walks N`."""

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

_TOKENS = 120  # of a walk
_OWN_SHARE = 0.7  # of a walk's tokens come from a real file, the others from the whole vocabulary
_FRAGMENT_SHARE = 0.2  # of the others are no whole characters
_PATIENCE = 40  # refused tokens before the constraint is asked to search

Case = dict[str, Any]


class Walks:
    """Random programs under the strict constraint: tokens of real files, of the vocabulary and fragments of
    characters, each taken where it is allowed; then the shortest completion."""

    def __init__(self, rows: Iterable[Row], tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._rows = [row for row in rows if parses(row["text"], row["language"])]
        self._vocabulary = [token for token in range(tokenizer.vocab) if tokenizer.token_bytes(token)]
        self._everything = np.array(self._vocabulary)
        self._fragments = [t for t in self._vocabulary if _is_fragment(tokenizer.token_bytes(t))]

    def case(self, number: int) -> Case:
        """One walk, always the same one for a number."""
        rng, tokenizer = random.Random(number), self._tokenizer
        row = rng.choice(self._rows)
        language, own = row["language"], tokenizer.encode(row["text"]) or self._vocabulary
        constraint = GrammarConstraint(language, tokenizer)
        taken: list[int] = []
        stuck = False
        while len(taken) < _TOKENS:
            token = self._step(constraint, own, rng)
            if token is None:
                stuck = not constraint.may_end()
                break
            constraint.accept(token)
            taken.append(token)
        started = time.thread_time()
        closing = constraint.closing()
        elapsed = time.thread_time() - started
        written = b"".join(map(tokenizer.token_bytes, taken + closing))
        text = written.decode(errors="replace")
        completed = text.encode() == written and parses(text, language)
        return {
            "language": language,
            "tokens": len(taken),
            "stuck": stuck,
            "completed": completed,
            "legal": completed and is_legal(language, text),
            "completion_tokens": len(closing),
            "completion_ms": elapsed * 1000,
            "end": repr(tokenizer.decode(taken)[-80:]) + " + " + repr(tokenizer.decode(closing)),
            "text": text,
        }

    def _step(self, constraint: GrammarConstraint, own: list[int], rng: random.Random) -> int | None:
        for _ in range(_PATIENCE):
            token = rng.choice(self._pool(own, rng))
            if constraint.allows(token):
                return token
        shuffled = np.random.default_rng(rng.getrandbits(64)).permutation(self._everything)
        return constraint.first_allowed(shuffled.tolist())

    def _pool(self, own: list[int], rng: random.Random) -> list[int]:
        if rng.random() < _OWN_SHARE:
            return own
        return self._fragments if rng.random() < _FRAGMENT_SHARE else self._vocabulary


def _is_fragment(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False


def metrics(cases: Iterable[Case]) -> dict[str, float]:
    """`stuck`: nothing was allowed, not even the end. `not_completed`: no completion, or one that does not parse."""
    listed = list(cases)
    times = np.array([case["completion_ms"] for case in listed] or [0.0])
    return {
        "walks": len(listed),
        "walk_tokens": sum(case["tokens"] for case in listed),
        "stuck": sum(case["stuck"] for case in listed),
        "not_completed": sum(not case["completed"] for case in listed),
        "completed_but_refused_by_cpython": sum(case["completed"] and not case["legal"] for case in listed),
        "completion_tokens_max": max((case["completion_tokens"] for case in listed), default=0),
        "completion_ms_p50": float(np.percentile(times, 50)),
        "completion_ms_p99": float(np.percentile(times, 99)),
        "completion_ms_max": float(times.max()),
    }
