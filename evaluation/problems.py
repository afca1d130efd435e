"""A programming problem and what is known of it, whatever benchmark it comes from."""

from __future__ import annotations

import gzip
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.code.sandbox import Limits
from evaluation.errors import DataError

# Reference solutions keep these with room to spare. CPU time decides, also on a busy machine.
JUDGE_LIMITS = Limits(cpu_s=10, wall_s=120)


@dataclass(frozen=True)
class Problem:
    """`before` + the candidate's code + `after` is a program that comes to its end when the candidate is right.

    With `accepts` there is neither of the two: the function `entry_point` is called on each line of `stdin`.

    `task` is what the assistant is asked; `start`, code that its answer must begin with; `reference`, a right
    answer (with the start), where the data has one.
    """

    task_id: str
    language: str
    task: str
    start: str
    before: str
    after: str
    entry_point: str
    reference: str | None = None
    difficulty: str | None = None
    stdin: str = ""
    accepts: Callable[[Sequence[str]], str | None] | None = None  # judges the answers: None, or what is wrong


@dataclass(frozen=True)
class Generated:
    """A candidate and what it cost; `first` is the draft before any check, `notes` go into the case file."""

    code: str
    tokens: int = 0
    seconds: float = 0.0
    notes: dict[str, Any] | None = None
    first: str | None = None


Generate = Callable[[Problem, int], Generated]
"""From a problem and the number of the sample (0, 1, …) to a candidate."""


def reference_solution(problem: Problem, sample: int = 0) -> Generated:
    """The generator that knows the answer: what the harness is checked with."""
    if problem.reference is None:
        raise DataError(f"{problem.task_id} comes without a reference solution")
    return Generated(problem.reference)


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a .jsonl or .jsonl.gz file. Raises DataError."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8") as file
        ):
            for number, line in enumerate(file, 1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise DataError(f"{path}, line {number} is no JSON object")
                    yield row
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from error


def subset(problems: Sequence[Problem], limit: int | None, seed: int = 0) -> list[Problem]:
    """At most `limit` problems, with each difficulty in its proportion.

    They are always the same ones, and a higher limit only adds to them: all problems are put into one order, in
    which the difficulties are spread evenly, and the first of it are taken.
    """
    if limit is None or limit >= len(problems):
        return list(problems)
    groups: dict[str | None, list[int]] = defaultdict(list)
    for index, problem in enumerate(problems):
        groups[problem.difficulty].append(index)
    draw = random.Random(seed)
    placed: list[tuple[float, int]] = []
    for name in sorted(groups, key=str):
        group = draw.sample(groups[name], len(groups[name]))
        placed += [((rank + 0.5) / len(group), index) for rank, index in enumerate(group)]
    return [problems[index] for index in sorted(index for _, index in sorted(placed)[:limit])]
