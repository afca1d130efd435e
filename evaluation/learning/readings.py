"""What the desk said of readings, as rows to train the reader on; and a learnt reader beside the served one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from random import Random

from apps.support.reading.commands import INTENT_NAMES, parse
from apps.support.reading.reader import MOST_COMMAND_TOKENS, Reader
from core_model.guidance import matches
from evaluation.learning.gate import Comparison, Contradicted, Role, compare
from evaluation.learning.judged import JudgedReading, Source
from evaluation.support.reading import (
    ALARMS,
    HARMLESS,
    ReadingCase,
    ReadingExample,
    grammar_of,
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
            if right not in INTENT_NAMES:
                continue
            grammar = grammar_of(judgement.prompt, right)
            right = reader.generate(judgement.prompt, grammar, MOST_COMMAND_TOKENS).text
        if matches(grammar_of(judgement.prompt), right):
            found.append(ReadingExample(judgement.prompt, right, judgement.source.value))
    return found


def kept_apart(
    rows: Sequence[ReadingExample], share: float
) -> tuple[list[ReadingExample], list[ReadingExample]]:
    """(rows to train on, the newest rows): no prompt of the second is in the first."""
    count = round(len(rows) * share)
    newest = list(rows[len(rows) - count :])
    prompts = {row.prompt for row in newest}
    return [row for row in rows[: len(rows) - count] if row.prompt not in prompts], newest


def write_rows(
    path: Path, rows: Iterable[ReadingExample], replayed: Iterable[ReadingExample] = (), seed: int = 1
) -> int:
    """Training rows as `duet adapters train` reads them; their number."""
    lines = [
        json.dumps({"prompt": row.prompt, "completion": row.completion, "kind": row.kind}, ensure_ascii=False)
        for source in (rows, replayed)
        for row in source
        for _ in range(1 if row.kind == Source.CONFIRMED or source is replayed else CORRECTIONS_SEEN)
    ]
    Random(seed).shuffle(lines)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


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


def figures_of(comparisons: Iterable[Comparison], contradictions: Contradicted) -> list[Mapping[str, object]]:
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
    return rows


def _to_be_refused(case: ReadingCase) -> bool:
    return case.is_of_commands and {command.verb for command in parse(case.right)} == {"none"}
