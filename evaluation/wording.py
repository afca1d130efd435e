"""How well a model puts the notes of a turn into words: the reply writer alone, on turns that were kept apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from apps.support.replies.grounding import unsupported
from apps.support.replies.writer import ReplyWriter, Spoken
from evaluation.cases import CaseFile
from evaluation.errors import DataError
from evaluation.reply_pairs.pairs import Pair, is_true, read_test
from evaluation.support.rouge import rouge_l

Case = dict[str, Any]


def load(path: Path, limit: int | None = None) -> list[Pair]:
    """Turns with references, as `duet adapters make-replies` writes them. Raises DataError."""
    try:
        pairs = read_test(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is no test file of `duet adapters make-replies`: {error}") from error
    if not pairs:
        raise DataError(f"{path} has no turns")
    if limit is None or limit >= len(pairs):
        return pairs
    return [pairs[index * len(pairs) // limit] for index in range(limit)]


def run(
    pairs: Sequence[Pair],
    writer: ReplyWriter,
    cases: CaseFile,
    together: int,
    on_case: Callable[[Case], None] = lambda case: None,
) -> None:
    """Write the replies that `cases` does not have yet, `together` at a time."""

    def write(index: int) -> None:
        case = _case(pairs[index], writer)
        cases.add(str(index), case)
        on_case(case)

    with ThreadPoolExecutor(together) as pool:
        list(pool.map(write, [index for index in range(len(pairs)) if str(index) not in cases]))


def metrics(cases: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """required_at_first: the first draw says all that the customer must hear. required: the reply does.
    everything_told: the reply says every fact of the notes. last_resort: the written sentence had to say what
    was missing. unsupported: replies that state what the notes do not. Times are of `together` replies at once.
    """
    found = list(cases)
    names = ("required_at_first", "required", "everything_told", "last_resort", "unsupported", "rouge_l")
    return {
        "replies": float(len(found)),
        **{name: float(np.mean([case[name] for case in found])) for name in names},
        "characters": float(np.mean([len(case["reply"]) for case in found])),
        "first_piece_ms": float(np.median([case["first_piece_ms"] for case in found])),
        "ms": float(np.median([case["ms"] for case in found])),
    }


def _case(pair: Pair, writer: ReplyWriter) -> Case:
    situation, started, first = pair.situation, time.perf_counter(), 0.0
    speech = writer.stream(situation.notes, situation.message, situation.language, [])
    spoken: Spoken
    while True:
        try:
            next(speech)
        except StopIteration as end:
            spoken = end.value
            break
        first = first or time.perf_counter() - started
    facts = [fact for note in situation.notes for fact in note.facts if fact.must_be_heard]
    invented = unsupported(spoken.text, situation.notes)
    return {
        "language": situation.language,
        "notes": [note.key for note in situation.notes],
        "reply": spoken.text,
        "reference": pair.reply,
        "source": spoken.source,
        "required_at_first": spoken.source == "model",
        "required": all(fact.heard_in(spoken.text) for fact in facts),
        "everything_told": is_true(spoken.text, situation.notes),
        "last_resort": spoken.source == "last_resort",
        "unsupported": invented is not None,
        "rouge_l": round(rouge_l(pair.reply, spoken.text), 4),
        "first_piece_ms": round(first * 1000, 1),
        "ms": round((time.perf_counter() - started) * 1000, 1),
        "passed": spoken.source == "model" and invented is None,
    }
