"""Drafts as the desk sent them, as rows to train the reply adapter on; and a learnt one beside the served one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from apps.support.learning.drafts import SentDraft
from core_model.training.recipe import Source
from evaluation.learning.gate import Comparison, Role, compare
from evaluation.reply_pairs.pairs import Pair, is_true, write_training
from evaluation.reply_pairs.situations import Situation

REPLAYED = 4
"""Rows of the first training for each row from the desk, so that what was learnt there is not lost."""
NEARER = 0.02
"""Of ROUGE-L: what a reply must be nearer to the words that were sent by, to count as better."""

Case = Mapping[str, Any]


def pairs_of(drafts: Iterable[SentDraft]) -> list[Pair]:
    """The rows, oldest first. What a person added of their own knowledge is none of the notes', and not learnt."""
    return [
        Pair(Situation(draft.language, "", draft.message, draft.notes), draft.sent)
        for draft in drafts
        if is_true(draft.sent, draft.notes)
    ]


def prompt_of(pair: Pair) -> tuple[str, ...]:
    """What tells the turns of pairs from each other."""
    said = pair.situation
    return (said.language, said.message, *(note.text for note in said.notes))


def write_rows(
    folder: Path, pairs: Sequence[Pair], first: Sequence[str], seed: int = 1
) -> tuple[Source, ...]:
    """Write the files to train on; `first` are the lines of the first training."""
    write_training(folder / "sent.jsonl", pairs)
    lines = Random(seed).sample(first, min(len(first), len(pairs) * REPLAYED))
    (folder / "replayed.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return Source(path="sent.jsonl"), Source(path="replayed.jsonl")


def compared(
    fixed: tuple[Sequence[Case], Sequence[Case]], newest: tuple[Sequence[Case], Sequence[Case]]
) -> list[Comparison]:
    """Both versions, (served, learnt), on the fixed test and on the newest rows kept apart; cases of `eval wording`."""
    served, learnt = fixed

    def on(name: str, role: Role, right: Callable[[Case], bool]) -> Comparison:
        return compare(name, role, map(right, served), map(right, learnt))

    return [
        _nearer(*newest),
        on("says nothing beside the notes", Role.STRICT, lambda case: not case["unsupported"]),
        on("says what must be heard", Role.STRICT, lambda case: bool(case["required"])),
        on("says all of it at first", Role.BROAD, lambda case: bool(case["required_at_first"])),
        on("tells everything", Role.BROAD, lambda case: bool(case["everything_told"])),
    ]


def _nearer(served: Sequence[Case], learnt: Sequence[Case]) -> Comparison:
    """Which version writes more like what was sent: the mean ROUGE-L, and in how many rows it is nearer."""
    pairs = [(before["rouge_l"], after["rouge_l"]) for before, after in zip(served, learnt, strict=True)]
    count = max(1, len(pairs))
    return Comparison(
        "newest rows as the desk sent them",
        Role.ASKED,
        len(pairs),
        sum(before for before, _ in pairs) / count,
        sum(after for _, after in pairs) / count,
        sum(after - before > NEARER for before, after in pairs),
        sum(before - after > NEARER for before, after in pairs),
    )
