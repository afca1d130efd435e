"""How well messages are read: commands right, by kind; wrong objects and wrong actions among them."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from apps.support.reading.commands import CHANGING, Command, parse
from apps.support.reading.reader import Prompted
from core_model.engine import Engine

KINDS_OF_ANSWERS = ("yes", "no", "wait", "about")


class ReadingDataError(Exception):
    """A file of examples is not as it should be."""


@dataclass(frozen=True)
class ReadingExample:
    prompt: str
    completion: str
    kind: str


@dataclass(frozen=True)
class ReadingCase:
    """One example as it was read."""

    kind: str
    prompt: str
    right: str
    read: str
    confidence: float
    milliseconds: float

    @property
    def is_right(self) -> bool:
        return _plain(self.read) == _plain(self.right)


def read_examples(path: Path) -> list[ReadingExample]:
    """From a JSONL file of {"prompt", "completion", "kind"}. Raises ReadingDataError naming the line."""
    examples = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            examples.append(ReadingExample(row["prompt"], row["completion"], row["kind"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ReadingDataError(f'{path}, line {number}: not {{"prompt", "completion", "kind"}}') from error
    return examples


def read_all(engine: Engine, adapter: str, examples: Iterable[ReadingExample]) -> Iterator[ReadingCase]:
    """Each example through the engine, one after another, as in service."""
    prompted = Prompted(engine, adapter)
    for example in examples:
        started = time.perf_counter()
        text, confidence = prompted.read(example.prompt)
        spent = (time.perf_counter() - started) * 1000
        yield ReadingCase(example.kind, example.prompt, example.completion, text, confidence, spent)


def metrics_of(cases: list[ReadingCase]) -> dict[str, float]:
    """`commands_right`, `right_KIND`, `wrong_object`, `wrong_action`, `ece`, `p50_ms`."""
    found = {"commands_right": _share(case.is_right for case in cases), "p50_ms": median(c.milliseconds for c in cases)}
    by_kind: dict[str, list[ReadingCase]] = defaultdict(list)
    for case in cases:
        by_kind["several" if "+" in case.kind else case.kind.split(".")[0]].append(case)
    for kind in sorted(by_kind):
        found[f"right_{kind}"] = _share(case.is_right for case in by_kind[kind])
    commands = [(case, _commands(case)) for case in cases if not case.kind.startswith(("choice", "address"))]
    found["wrong_object"] = _share(_wrong_object(*read) for _, read in commands)
    found["wrong_action"] = _share(_wrong_action(*read) for _, read in commands)
    found["no_taken_as_yes"] = _share(
        right[0].verb == "no" and any(command.verb == "yes" for command in read) for _, (read, right) in commands
    )
    found["ece"] = expected_calibration_error([(case.confidence, case.is_right) for case in cases])
    return found


def expected_calibration_error(judged: list[tuple[float, bool]], bins: int = 15) -> float:
    """How far confidence and accuracy are apart, in equal bins of confidence (arXiv 1706.04599)."""
    groups: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, right in judged:
        groups[min(int(confidence * bins), bins - 1)].append((confidence, right))
    total = sum(
        abs(sum(c for c, _ in group) - sum(right for _, right in group)) for group in groups.values()
    )
    return total / max(1, len(judged))


def _commands(case: ReadingCase) -> tuple[list[Command], list[Command]]:
    return parse(case.read), parse(case.right)


def _wrong_object(read: list[Command], right: list[Command]) -> bool:
    """Whether a change is read of an order or item that the message is not about."""
    meant = {handle for command in right for handle in (*command.orders, *command.items)}
    changed = (command for command in read if command.verb in CHANGING)
    touched = {handle for command in changed for handle in (*command.orders, *command.items)}
    return bool(touched - meant) and bool(meant)


def _wrong_action(read: list[Command], right: list[Command]) -> bool:
    """Whether a change is read that nobody asked for."""
    return bool(
        {command.verb for command in read if command.verb in CHANGING} - {command.verb for command in right}
    )


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _share(flags: Iterable[bool]) -> float:
    marked = list(flags)
    return sum(marked) / max(1, len(marked))
