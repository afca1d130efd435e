"""What the desk said of readings, as rows to train the reader on; and a learnt reader beside the served one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random

from apps.support.learning.readings import JudgedReading, Source
from apps.support.reading.commands import parse
from apps.support.reading.reader import MOST_COMMAND_TOKENS, Reader
from core_model.training.recipe import Source as DataSource
from evaluation.learning.gate import Comparison, Contradicted, Corrected, Role, compare
from evaluation.support.reading import (
    ALARMS,
    HARMLESS,
    ReadingCase,
    ReadingExample,
    automaton_of,
    handed_over,
    no_taken_as_yes,
    taken_as_yes,
    wrong_action,
    wrong_object,
)

SURE = 0.9
"""A reading of this confidence is as good as never wrong: what the desk says against it is looked at twice."""
CORRECTIONS_SEEN = 4
"""How often a correction is seen for each time that a confirmed reading is: it is what is to be learnt."""
REPLAYED = 6
"""Rows of the first training for each row from the desk, so that what was learnt there is not lost."""


def examples_of(judged: Iterable[JudgedReading], reader: Reader) -> list[ReadingExample]:
    """The rows, oldest first. Where the desk named an intent alone, the reader says what it is about.

    Left out is what the message's own constraint does not allow: commands about things that it does not show.
    """
    found = []
    for judgement in judged:
        right = judgement.right
        if judgement.source is Source.INTENT:
            machine = automaton_of(judgement.prompt, right)
            if not machine.final or machine.shortest_end(machine.closed([machine.start])) is None:
                continue
            right = reader.generate(judgement.prompt, machine, MOST_COMMAND_TOKENS).text
        if _allowed(judgement.prompt, right):
            found.append(ReadingExample(judgement.prompt, right, judgement.source.value))
    return found


def write_rows(
    folder: Path, rows: Sequence[ReadingExample], first: Iterable[ReadingExample], seed: int = 1
) -> tuple[DataSource, ...]:
    """Write the files to train on, and say how often each is seen; `first` are the rows of the first training."""
    said = {row.prompt for row in rows}
    others = [row for row in first if row.prompt not in said]  # the desk has the last word
    files = (
        ("corrected.jsonl", [row for row in rows if row.kind != Source.CONFIRMED], CORRECTIONS_SEEN),
        ("confirmed.jsonl", [row for row in rows if row.kind == Source.CONFIRMED], 1),
        ("replayed.jsonl", Random(seed).sample(others, min(len(others), len(rows) * REPLAYED)), 1),
    )
    for name, members, _ in files:
        lines = [json.dumps(asdict(row), ensure_ascii=False) for row in members]
        (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return tuple(DataSource(path=name, repeat=seen) for name, members, seen in files if members)


def compared(
    fixed: tuple[Sequence[ReadingCase], Sequence[ReadingCase]],
    newest: tuple[Sequence[ReadingCase], Sequence[ReadingCase]],
) -> list[Comparison]:
    """Both versions, (served, learnt), on the fixed test and on the newest rows kept apart."""
    served, learnt = fixed

    def on(
        name: str,
        role: Role,
        right: Callable[[ReadingCase], bool],
        counts: Callable[[ReadingCase], bool] = lambda case: case.is_of_commands,
    ) -> Comparison:
        shares = ([right(case) for case in cases if counts(case)] for cases in (served, learnt))
        return compare(name, role, *shares)

    return [
        compare(
            "newest rows read right", Role.ASKED, *([case.is_right for case in cases] for cases in newest)
        ),
        on("read right", Role.BROAD, lambda case: case.is_right, lambda case: True),
        on("no wrong object", Role.STRICT, lambda case: not wrong_object(case)),
        on("no wrong action", Role.STRICT, lambda case: not wrong_action(case)),
        on("no refusal taken as a yes", Role.STRICT, lambda case: not no_taken_as_yes(case)),
        on("nothing else taken as a yes", Role.STRICT, lambda case: not taken_as_yes(case)),
        on("alarm handed over", Role.STRICT, handed_over, lambda case: case.group in ALARMS),
        on(
            "harmless kept",
            Role.BROAD,
            lambda case: not handed_over(case),
            lambda case: case.group == HARMLESS,
        ),
        on("none of our business refused", Role.STRICT, lambda case: case.is_right, _to_be_refused),
    ]


def contradicted(served: Sequence[ReadingCase], learnt: Sequence[ReadingCase]) -> Contradicted:
    """How many of the newest rows say otherwise than both versions read, the served one surely."""
    count = sum(
        not after.is_right and after.read == before.read and before.confidence >= SURE
        for before, after in zip(served, learnt, strict=True)
    )
    return Contradicted(len(served), count)


def corrections(judged: Iterable[JudgedReading]) -> list[JudgedReading]:
    """What says otherwise than was read; of several on one prompt the last."""
    last = {judgement.prompt: judgement for judgement in judged}
    return [
        judgement
        for judgement in last.values()
        if judgement.source is not Source.CONFIRMED and judgement.right.split() != judgement.read.split()
    ]


def corrected(corrections: Sequence[JudgedReading], fixed: Iterable[ReadingCase]) -> Corrected:
    """How many corrections are of sure readings; `fixed` is the fixed test as the served version reads it."""
    wrong = [case.confidence >= SURE for case in fixed if not case.is_right]
    sure = sum(judgement.confidence >= SURE for judgement in corrections)
    return Corrected(len(corrections), sure, sum(wrong) / max(1, len(wrong)))


def figures_of(
    comparisons: Iterable[Comparison], contradictions: Contradicted, corrections: Corrected
) -> list[Mapping[str, object]]:
    """As they are stored with the run and shown at the desk."""
    rows: list[Mapping[str, object]] = [{**vars(figure), "role": figure.role.value} for figure in comparisons]
    rows.append(
        {
            "name": "feedback that both versions contradict",
            "role": "stream",
            "rows": contradictions.rows,
            "learnt": contradictions.share,
        }
    )
    rows.append(
        {
            "name": "corrections of sure readings",
            "role": "stream",
            "rows": corrections.rows,
            "served": corrections.expected,
            "learnt": corrections.share,
        }
    )
    return rows


def _to_be_refused(case: ReadingCase) -> bool:
    return case.is_of_commands and {command.verb for command in parse(case.right)} == {"none"}


def _allowed(prompt: str, commands: str) -> bool:
    machine = automaton_of(prompt)
    reached = machine.after(machine.closed([machine.start]), commands.encode())
    return bool(reached & machine.final)
