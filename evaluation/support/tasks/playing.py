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
from evaluation.support.tasks.errands import Heard, Identity
from evaluation.support.tasks.goals import Changes, Goal, goals_of
from evaluation.support.tasks.hands import hands
from evaluation.support.tasks.judge import differences, end_of, expected_end, not_told, prices_of
from evaluation.support.tasks.proposals import open_proposal
from evaluation.support.tasks.questions import Question, harmless_question, questions_of
from evaluation.support.tasks.simulated import SimulatedCustomer
from evaluation.support.tasks.task_file import Task
from evaluation.support.tasks.wrong_objects import wrong_object

MOST_MESSAGES = 20
UNASKED = frozenset({"handover", "complaint"})
"""What an assistant does without asking first."""

Case = dict[str, Any]
OnCase = Callable[[Case], None]


class Assistant(Protocol):
    def answer(self, conversation_id: str, text: str) -> TurnResult: ...


Serve = Callable[[Database], Assistant]
"""The assistant on a shop's database."""


@dataclass(frozen=True)
class PlayableTask:
    """A task as a customer of the shop knows it. `unknown`: what must be told, and nobody knows how to ask for."""

    task: Task
    customer: Customer
    goals: Sequence[Goal]
    questions: Sequence[Question]
    unknown: Sequence[str] = field(default_factory=list)

    @property
    def proves_by_email(self) -> bool:
        return any(action.name == "find_user_id_by_email" for action in self.task.criteria.actions)


def playable_task(shop: Database, task: Task) -> PlayableTask:
    """Raises DataError where tasks and shop do not fit."""
    with shop.read() as session:
        customer = customer_of(session, task)
    goals = goals_of(task, customer)
    questions, unknown = questions_of(task, customer, goals)
    if not goals and not questions:
        harmless = harmless_question(task, customer)
        questions = [harmless] if harmless else []
    return PlayableTask(task, customer, goals, questions, unknown)


def playable_tasks(shop: Database, tasks: Iterable[Task]) -> tuple[list[PlayableTask], list[str]]:
    """The tasks that have something to say, and why others have not."""
    found, left_out = [], []
    for task in tasks:
        try:
            playable = playable_task(shop, task)
        except DataError as error:
            left_out.append(str(error))
            continue
        if playable.goals or playable.questions:
            found.append(playable)
        else:
            left_out.append(f"task {task.id}: nothing to ask for")
    return found, left_out


def play_all(
    shop: Database,
    tasks: Sequence[PlayableTask],
    seeds: int,
    serve: Serve,
    identity: Identity,
    cases: CaseFile,
    together: int,
    on_case: OnCase = lambda case: None,
) -> None:
    """Play what `cases` does not have yet, each task `seeds` times, `together` at a time."""

    def keep(playable: PlayableTask, seed: int) -> None:
        case = play(shop, playable, seed, serve, identity)
        cases.add(key_of(playable.task, seed), case)
        on_case(case)

    missing = [
        (playable, seed)
        for seed in range(1, seeds + 1)
        for playable in tasks
        if key_of(playable.task, seed) not in cases
    ]
    with ThreadPoolExecutor(together) as pool:
        list(pool.map(lambda pair: keep(*pair), missing))


def key_of(task: Task, seed: int) -> str:
    return f"{task.id}/{seed}"


def play(shop: Database, playable: PlayableTask, seed: int, serve: Serve, identity: Identity) -> Case:
    """One conversation and its verdict. The same seed draws the same hand and the same wordings."""
    rng = random.Random(f"{playable.task.id}/{seed}")
    hand = rng.choice(hands())
    customer, task = playable.customer, playable.task
    simulated = SimulatedCustomer(
        customer, playable.goals, playable.questions, hand, rng, identity, playable.proves_by_email
    )
    with _copy_of(shop) as database:
        with database.read() as session:
            before, prices = end_of(session, customer.id), prices_of(session)
        turns = _converse(database, serve(database), simulated, playable, identity)
        with database.read() as session:
            after = end_of(session, customer.id)
    wrong = differences(expected_end(before, task, prices), after)
    for info in not_told(task, (turn["assistant"] for turn in turns)):
        never_asked = " (no question for it is known)" if info in playable.unknown else ""
        wrong.append(f"not told: {info}{never_asked}")
    return {
        "task": task.id,
        "seed": seed,
        "hand": hand.name,
        "identity": identity,
        "passed": not wrong,
        "changes": bool(playable.goals),
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
    playable: PlayableTask,
    identity: Identity,
) -> list[dict[str, Any]]:
    email = playable.customer.email if identity == "signed-in" else None
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
        wrong = wrong_object(new, playable.goals, playable.questions)
        done = [a["name"] for a in result.actions if a["status"] == "done" and a["name"] not in UNASKED]
        if done and not proposed:
            wrong = f"{' and '.join(done)}, carried out without having been proposed"
        turns.append(
            {
                "customer": text,
                "assistant": result.reply,
                "understood": result.commands,
                "actions": result.actions,
                "proposal": _shown(proposal),
                "wrong_object": wrong,
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
