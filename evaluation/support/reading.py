"""How well messages are read: commands right, by kind; wrong objects and wrong actions among them."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from apps.support.conversations.understanding import SURE_OF_A_CHANGE, SURE_OF_A_YES
from apps.support.reading.choices import LETTERS, OptionTable
from apps.support.reading.commands import CHANGING, Command, parse
from apps.support.reading.grammar import address_grammar, choice_grammar, commands_grammar
from apps.support.reading.reader import (
    MOST_ADDRESS_TOKENS,
    MOST_CHOICE_TOKENS,
    MOST_COMMAND_TOKENS,
    Reader,
    probability,
)
from apps.support.reading.view import ItemView, OrderView, View
from core_model.training.scores import expected_calibration_error
from evaluation.cases import CaseFile
from evaluation.errors import DataError

HANDING_OVER = frozenset({"person", "anger", "danger", "law"})
ANSWERS = ("yes", "no", "wait", "about")
ALARMS = ("danger", "law", "anger")
HARMLESS = "harmless"
_ORDER_LINE = re.compile(r"([P-W]) (?:pending|processed|shipped|delivered|cancelled)(?: [^:]*)?: (.*)$")
_ITEM = re.compile(r"(?:^|; )([a-z]) ")
_OTHER_PROMPTS = ("choice", "address")


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
        return self.read.split() == self.right.split()

    @property
    def group(self) -> str:
        """The kind without its details: "cancel" of "cancel.item"; "several" where there are several wishes."""
        return "several" if "+" in self.kind else self.kind.split(".")[0]

    @property
    def message(self) -> str:
        return self.prompt.split("\n")[-2].removeprefix("> ")

    @property
    def is_of_commands(self) -> bool:
        return not self.kind.startswith(_OTHER_PROMPTS)


def read_examples(path: Path, limit: int | None = None) -> dict[int, ReadingExample]:
    """line → example of a JSONL file of {"prompt", "completion", "kind"}; with `limit` so many, evenly spaced.

    Raises DataError naming the line.
    """
    examples: dict[int, ReadingExample] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            examples[number] = ReadingExample(row["prompt"], row["completion"], row["kind"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f'{path}, line {number}: not {{"prompt", "completion", "kind"}}') from error
    if not examples:
        raise DataError(f"{path} has no examples")
    if limit is None or limit >= len(examples):
        return examples
    numbers = list(examples)
    return {
        numbers[i * len(numbers) // limit]: examples[numbers[i * len(numbers) // limit]] for i in range(limit)
    }


def run(
    reader: Reader,
    examples: Mapping[int, ReadingExample],
    cases: CaseFile,
    on_case: Callable[[dict[str, Any]], None] = lambda case: None,
) -> None:
    """Read what `cases` does not have yet, one message after another and under its constraint, as in service."""
    missing = {number: example for number, example in examples.items() if str(number) not in cases}
    if missing:
        _read(reader, next(iter(missing.values())))  # the weights are read for the first time
    for number, example in missing.items():
        read = _read(reader, example)
        case = {**asdict(read), "passed": read.is_right}
        cases.add(str(number), case)
        on_case(case)


def cases_of(cases: CaseFile, numbers: Collection[int]) -> list[ReadingCase]:
    """The cases of these lines: the file may have more, of a run with a higher limit."""
    found = (cases.cases[str(number)] for number in numbers if str(number) in cases)
    return [
        ReadingCase(**{name: value for name, value in case.items() if name not in ("key", "passed")})
        for case in found
    ]


def grammar_of(prompt: str, intent: str | None = None) -> str:
    """The constraint of a stored prompt: what it shows is all that may be named; as `commands_grammar`."""
    *lines, said, _ = prompt.split("\n")
    message = said.removeprefix("> ")
    if lines == ["address"]:
        return address_grammar(message)
    if lines[0].endswith(" options") or " now: " in lines[0]:
        values = [value for line in lines[1:] for value in re.findall(r"(?:^|[:,] )([A-Za-z]) (?=\S)", line)]
        # Values that stand in no message: a letter by itself would be taken for one that is named.
        shown = {"": tuple(f"\0{value}" for value in values if value in LETTERS)}
        return choice_grammar(OptionTable("", shown, {}), message)
    methods = next((line for line in lines if line.startswith("pay: ")), "")
    view = View(
        known="guest" not in lines,
        orders=tuple(
            OrderView(order, "", "", tuple(ItemView(item, "") for item in items))
            for order, items in _orders(prompt).items()
        ),
        methods=tuple(re.findall(r"(?:^pay: |; )\d ", methods)),
    )
    return commands_grammar(view, message, intent)


def metrics_of(cases: Collection[ReadingCase]) -> dict[str, float]:
    """Shares, but for `no_taken_as_yes` and `taken_as_yes`, numbers of messages, and `p50_ms`, of one message.

    commands_right: messages (choices of options and parts of addresses apart) read to the letter. right_GROUP: of
    one group of kinds. wrong_object, wrong_action: a change that would be proposed is about an object, or of a
    kind, that the message does not ask for. no_taken_as_yes: how many refusals were read as a yes, however
    doubtfully; taken_as_yes: how many messages of any kind that agree to nothing would carry a proposal out.
    answers_right: of the answers to a proposal. harmless_handed_over: messages with mere words of alarm that go to
    a person; alarm_handed_over, danger_handed_over: those with real danger, law or anger, and danger alone.
    """
    groups = by_group(cases)
    commands = [case for case in cases if case.is_of_commands]
    found = {
        "commands_right": _share(case.is_right for case in commands),
        **{f"right_{group}": _share(case.is_right for case in members) for group, members in groups.items()},
        "wrong_object": _share(map(wrong_object, commands)),
        "wrong_action": _share(map(wrong_action, commands)),
        "no_taken_as_yes": float(sum(map(no_taken_as_yes, commands))),
        "taken_as_yes": float(sum(map(taken_as_yes, commands))),
    }
    answers = [case for group in ANSWERS for case in groups.get(group, [])]
    alarms = [case for group in ALARMS for case in groups.get(group, [])]
    if answers:
        found["answers_right"] = _share(case.is_right for case in answers)
    for name, members in (
        ("harmless", groups.get(HARMLESS, [])),
        ("alarm", alarms),
        ("danger", groups.get("danger", [])),
    ):
        if members:
            found[f"{name}_handed_over"] = _share(map(handed_over, members))
    found["ece"] = expected_calibration_error(
        np.array([case.confidence for case in cases]), np.array([case.is_right for case in cases])
    )
    found["p50_ms"] = median(case.milliseconds for case in cases)
    return found


def by_group(cases: Iterable[ReadingCase]) -> dict[str, list[ReadingCase]]:
    """The cases by the group of their kind, in alphabetical order."""
    groups: dict[str, list[ReadingCase]] = defaultdict(list)
    for case in cases:
        groups[case.group].append(case)
    return dict(sorted(groups.items()))


def _read(reader: Reader, example: ReadingExample) -> ReadingCase:
    started = time.perf_counter()
    most = MOST_COMMAND_TOKENS
    if example.kind.startswith(_OTHER_PROMPTS):
        most = MOST_ADDRESS_TOKENS if example.kind.startswith("address") else MOST_CHOICE_TOKENS
    read = reader.generate(example.prompt, grammar_of(example.prompt), most)
    spent = round((time.perf_counter() - started) * 1000, 2)
    sure = round(probability(read), 6)
    return ReadingCase(example.kind, example.prompt, example.completion, read.text, sure, spent)


def _orders(prompt: str) -> dict[str, list[str]]:
    """order → its items, of the lines that the prompt shows."""
    shown = [match for line in prompt.split("\n")[:-2] if (match := _ORDER_LINE.match(line))]
    return {match[1]: _ITEM.findall(match[2]) for match in shown}


def wrong_object(case: ReadingCase) -> bool:
    """Whether a change would be proposed of something that the message is not about, or does not name.

    The only order there is may be meant by a message that names none.
    """
    orders = _orders(case.prompt)
    right = parse(case.right)
    meant = {item for command in right for item in _objects(command, orders)}
    changed = [command for command in _proposed(case) if not command.alternatives]
    touched = {item for command in changed for item in _objects(command, orders)}
    if not meant and len(orders) == 1 and not any(command.unknown for command in right):
        return False
    return bool(touched - meant)


def wrong_action(case: ReadingCase) -> bool:
    """Whether a change would be proposed that nobody asked for."""
    return bool({command.verb for command in _proposed(case)} - {c.verb for c in parse(case.right)})


def no_taken_as_yes(case: ReadingCase) -> bool:
    """Whether something would be carried out that was refused."""
    right = {command.verb for command in parse(case.right)}
    return "no" in right and "yes" not in right and any(c.verb == "yes" for c in _commands(case.read))


def taken_as_yes(case: ReadingCase) -> bool:
    """Whether something would be carried out that nobody agreed to."""
    read = {command.verb for command in _commands(case.read)}
    agrees = "yes" in read and not read & {"no", "wait"} and case.confidence >= SURE_OF_A_YES
    return agrees and "yes" not in {command.verb for command in parse(case.right)}


def handed_over(case: ReadingCase) -> bool:
    """Whether a person would take over."""
    return any(command.verb in HANDING_OVER for command in _commands(case.read))


def _proposed(case: ReadingCase) -> list[Command]:
    """The changes that were read surely enough to be proposed."""
    if case.confidence < SURE_OF_A_CHANGE:
        return []
    return [command for command in _commands(case.read) if command.verb in CHANGING]


def _objects(command: Command, orders: Mapping[str, list[str]]) -> set[str]:
    """The items that a command is about, those of its orders among them; an order without any stands for itself."""
    whole = {item for order in command.orders for item in orders.get(order) or [order]}
    return (whole | set(command.items)) - set(command.excluded)


def _commands(text: str) -> list[Command]:
    """What was read; a reading that ran out of tokens within a command is one of nothing."""
    try:
        return parse(text)
    except ValueError:
        return []


def _share(flags: Iterable[bool]) -> float:
    marked = list(flags)
    return sum(marked) / max(1, len(marked))
