"""Plays tasks: each in a conversation of its own, on a copy of the shop of its own."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from apps.support.conversations import records
from apps.support.conversations.turn import TurnResult
from apps.support.shop.database import Database
from evaluation.cases import CaseFile
from evaluation.errors import DataError
from evaluation.support.tasks.customers import Customer, customer_of
from evaluation.support.tasks.goals import Changes, Goal, goals_of
from evaluation.support.tasks.hands import hands
from evaluation.support.tasks.judge import differences, end_of, expected_end, not_told
from evaluation.support.tasks.proposals import open_proposal
from evaluation.support.tasks.questions import Question, harmless_question, questions_of
from evaluation.support.tasks.simulated import Heard, Identity, SimulatedCustomer
from evaluation.support.tasks.task_file import Task
from evaluation.support.tasks.wrong_objects import wrong_object

MOST_MESSAGES = 20

Case = dict[str, Any]
OnCase = Callable[[Case], None]


class Assistant(Protocol):
    def answer(self, conversation_id: str, text: str) -> TurnResult: ...


Serve = Callable[[Database], Assistant]
"""The assistant on a shop's database."""


@dataclass(frozen=True)
class Errands:
    """A task as a customer of the shop knows it. `unknown`: what must be told, and nobody knows how to ask for."""

    task: Task
    customer: Customer
    goals: Sequence[Goal]
    questions: Sequence[Question]
    unknown: Sequence[str] = field(default_factory=list)

    @property
    def proves_by_email(self) -> bool:
        return any(action.name == "find_user_id_by_email" for action in self.task.criteria.actions)


def errands_of(shop: Database, task: Task) -> Errands:
    """Raises DataError where tasks and shop do not fit."""
    with shop.read() as session:
        customer = customer_of(session, task)
    goals = goals_of(task, customer)
    questions, unknown = questions_of(task, customer, goals)
    if not goals and not questions:
        harmless = harmless_question(task, customer)
        questions = [harmless] if harmless else []
    return Errands(task, customer, goals, questions, unknown)


def playable(shop: Database, tasks: Iterable[Task]) -> tuple[list[Errands], list[str]]:
    """The tasks that have something to say, and why others have not."""
    errands, left_out = [], []
    for task in tasks:
        try:
            found = errands_of(shop, task)
        except DataError as error:
            left_out.append(str(error))
            continue
        if found.goals or found.questions:
            errands.append(found)
        else:
            left_out.append(f"task {task.id}: nothing to ask for")
    return errands, left_out


def play_all(
    shop: Database,
    errands: Sequence[Errands],
    seeds: int,
    serve: Serve,
    identity: Identity,
    cases: CaseFile,
    together: int,
    on_case: OnCase = lambda case: None,
) -> None:
    """Play what `cases` does not have yet, each task `seeds` times, `together` at a time."""

    def keep(errand: Errands, seed: int) -> None:
        case = play(shop, errand, seed, serve, identity)
        cases.add(key_of(errand.task, seed), case)
        on_case(case)

    missing = [
        (errand, seed)
        for seed in range(1, seeds + 1)
        for errand in errands
        if key_of(errand.task, seed) not in cases
    ]
    with ThreadPoolExecutor(together) as pool:
        list(pool.map(lambda pair: keep(*pair), missing))


def key_of(task: Task, seed: int) -> str:
    return f"{task.id}/{seed}"


def play(shop: Database, errands: Errands, seed: int, serve: Serve, identity: Identity) -> Case:
    """One conversation and its verdict. The same seed draws the same hand and the same wordings."""
    rng = random.Random(f"{errands.task.id}/{seed}")
    hand = rng.choice(hands())
    customer, task = errands.customer, errands.task
    simulated = SimulatedCustomer(
        customer, errands.goals, errands.questions, hand, rng, identity, errands.proves_by_email
    )
    with _copy_of(shop) as database:
        with database.read() as session:
            before = end_of(session, customer.id)
        turns = _converse(database, serve(database), simulated, errands, identity)
        with database.read() as session:
            after = end_of(session, customer.id)
    wrong = differences(expected_end(before, task), after)
    wrong += not_told(task, (turn["assistant"] for turn in turns))
    if errands.unknown:
        wrong = [f"{reason} (no question for it is known)" if reason.removeprefix("not told: ") in errands.unknown
                 else reason for reason in wrong]  # fmt: skip
    return {
        "task": task.id,
        "seed": seed,
        "hand": hand.name,
        "identity": identity,
        "passed": not wrong,
        "changes": bool(errands.goals),
        "wrong": wrong,
        "ended": [f"{_name(e.wanted)}: {e.end or 'open'}" for e in simulated.errands],
        "messages": len(turns),
        "proposals": sum(bool(turn["proposal"]) for turn in turns),
        "wrong_objects": [turn["wrong_object"] for turn in turns if turn["wrong_object"]],
        "turns": turns,
    }


def metrics(cases: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Shares of all conversations; `wrong_object` is a share of all turns."""
    found = list(cases)
    changing = [case for case in found if case["changes"]]
    turns = sum(case["messages"] for case in found)
    wrong = sum(len(case["wrong_objects"]) for case in found)
    return {
        "conversations": float(len(found)),
        "pass_rate": _share(case["passed"] for case in found),
        "pass_rate_changes": _share(case["passed"] for case in changing),
        "wrong_object": wrong / turns if turns else 0.0,
        "messages_per_task": turns / len(found) if found else 0.0,
        "turns": float(turns),
        "turns_with_wrong_object": float(wrong),
    }


def _converse(
    database: Database,
    assistant: Assistant,
    simulated: SimulatedCustomer,
    errands: Errands,
    identity: Identity,
) -> list[dict[str, Any]]:
    email = errands.customer.email if identity == "signed-in" else None
    with database.write() as session:
        conversation = records.open_conversation(
            session, channel="evaluation", language=None, trusted_email=email
        ).id
    turns: list[dict[str, Any]] = []
    text: str | None = simulated.open_with()
    proposed = Changes()
    while text is not None and len(turns) < MOST_MESSAGES:
        result = assistant.answer(conversation, text)
        with database.read() as session:
            proposal = open_proposal(session, conversation)
        new = proposal if proposal != proposed else Changes()
        turns.append(
            {
                "customer": text,
                "assistant": result.reply,
                "understood": {"intent": result.intent.name, "entities": result.entities},
                "actions": result.actions,
                "proposal": _shown(proposal),
                "wrong_object": wrong_object(new, errands.goals, errands.questions),
            }
        )
        proposed = proposal
        text = simulated.answer(Heard(result.reply, result.actions, proposal, result.handed_over))
    return turns


@contextmanager
def _copy_of(shop: Database) -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="duet-task-") as folder:
        path = Path(folder) / "shop.db"
        with (
            closing(sqlite3.connect(str(shop.url.database))) as source,
            closing(sqlite3.connect(path)) as copy,
        ):
            source.backup(copy)
        database = Database(f"sqlite:///{path}")
        try:
            yield database
        finally:
            database.close()


def _shown(changes: Changes) -> list[str]:
    return [
        " ".join(filter(None, (change.kind, change.order, change.item, change.to and f"→ {change.to}")))
        for change in changes.elements()
    ]


def _name(wanted: Goal | Question) -> str:
    about = wanted.orders if isinstance(wanted, Goal) else (wanted.order or wanted.product,)
    return " ".join([wanted.kind, *(str(part) for part in about if part)])


def _share(passed: Iterable[bool]) -> float:
    values = list(passed)
    return sum(values) / len(values) if values else 0.0
