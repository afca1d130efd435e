"""Asks the assistant: every question in a conversation of its own, judged, with the turn's trace beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import func, select

from apps.support.conversations import records
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.turn import Token, TurnResult
from apps.support.shop.models import AuditEntry, Order
from evaluation.cases import CaseFile
from evaluation.support.expected import contradictions, invented, without_citation
from evaluation.support.questions import Question
from evaluation.support.rouge import rouge_l
from evaluation.support.unproven import Request, leaks

Case = dict[str, Any]
OnCase = Callable[[Case], None]
_Item = TypeVar("_Item", Question, Request)
GENERATED = ("model", "second_draw", "last_resort")


def ask(
    pipeline: SupportPipeline,
    questions: Sequence[Question],
    cases: CaseFile,
    references: Mapping[str, str],
    together: int,
    on_case: OnCase = lambda case: None,
) -> None:
    """Ask what `cases` does not have yet, in `together` conversations at a time."""

    def answered(question: Question) -> Case:
        conversation = _open(pipeline, question.trusted)
        for turn in question.turns[:-1]:
            pipeline.answer(conversation, turn)
        result, first_ms = _timed(pipeline, conversation, question.turns[-1])
        case = _judge(question, result) | {"first_token_ms": first_ms, **_said(pipeline, conversation)}
        if question.key in references:
            case["rouge_l"] = rouge_l(references[question.key], result.reply)
        return case

    _each(questions, answered, cases, together, on_case)


def try_to_learn(
    pipeline: SupportPipeline,
    requests: Sequence[Request],
    cases: CaseFile,
    together: int,
    on_case: OnCase = lambda case: None,
) -> None:
    """Make the requests that `cases` does not have yet; each is judged by all of its replies.

    An action that one of them got done is counted against all that were under way.
    """

    def tried(request: Request) -> Case:
        before = _order_row(pipeline, request.order)
        conversation = _open(pipeline, request.trusted)
        replies, found = [], []
        for turn in request.turns:
            result = pipeline.answer(conversation, turn)
            replies.append(result.reply)
            found += leaks(request, result.reply, result.facts, result.actions)
        if _order_row(pipeline, request.order) != before:
            found.append("the order was changed")
        return {
            "kind": request.kind,
            "turns": request.turns,
            "replies": replies,
            "leaks": found,
            "passed": not found,
        }

    _each(requests, tried, cases, together, on_case)


def _each(
    items: Sequence[_Item],
    make: Callable[[_Item], Case],
    cases: CaseFile,
    together: int,
    on_case: OnCase,
) -> None:
    """Make and keep the case of each item that has none yet."""

    def keep(item: _Item) -> None:
        case = make(item)
        cases.add(item.key, case)
        on_case(case)

    with ThreadPoolExecutor(together) as pool:
        list(pool.map(keep, [item for item in items if item.key not in cases]))


def metrics(cases: Iterable[Case]) -> dict[str, float]:
    """The figures of all cases: shares, and milliseconds from the message to the first word of its reply."""
    found = list(cases)
    asked = [case for case in found if "leaks" not in case]
    refused = [case for case in found if "leaks" in case]
    generated = [case for case in asked if case["source"] in GENERATED]
    figures: dict[str, float] = {}
    if asked:
        figures |= {
            "questions": len(asked),
            "factual_right": _share(case["passed"] for case in asked),
            "unsupported": sum(case["invented"] is not None for case in asked),
            "generated": _share(case["source"] in GENERATED for case in asked),
            **{
                f"right_{kind}": _share(case["passed"] for case in asked if case["kind"] == kind)
                for kind in sorted({case["kind"] for case in asked})
            },
        }
    if generated:
        times = [case["first_token_ms"] for case in generated]
        figures |= {
            "required_present": _share(not case["missing"] for case in generated),
            "second_draw": _share(case["source"] == "second_draw" for case in generated),
            "last_resort": _share(case["source"] == "last_resort" for case in generated),
            "p50_ms": float(np.percentile(times, 50)),
            "p95_ms": float(np.percentile(times, 95)),
        }
    compared = [case["rouge_l"] for case in asked if "rouge_l" in case]
    if compared:
        figures |= {"references": len(compared), "rouge_l": float(np.mean(compared))}
    if refused:
        figures |= {"unproven": len(refused), "refused": _share(case["passed"] for case in refused)}
    return figures


def _judge(question: Question, result: TurnResult) -> Case:
    reply = without_citation(result.reply)
    missing = [expected.name for expected in question.says if not expected.said_in(reply)]
    wrong = contradictions(reply, question.status)
    wrong += [word for word in question.never if word in reply.casefold()]
    if question.cites is not None and question.cites not in result.citations:
        wrong.append(f"cites {result.citations}")
    proposed = [action["name"] for action in result.actions if action["status"] == "proposed"]
    if proposed != ([question.proposes] if question.proposes else []):
        wrong.append(f"proposes {proposed}")
    false_figure = invented(reply, question.truth)
    return {
        "kind": question.kind,
        "language": question.language,
        "turns": question.turns,
        "trusted": question.trusted is not None,
        "reply": result.reply,
        "intent": result.intent.name,
        "commands": result.commands,
        "missing": missing,
        "wrong": wrong,
        "invented": false_figure,
        "passed": not missing and not wrong and false_figure is None,
    }


def _open(pipeline: SupportPipeline, trusted: str | None) -> str:
    with pipeline.database.write() as session:
        return records.open_conversation(
            session, channel="evaluation", language=None, trusted_email=trusted
        ).id


def _timed(pipeline: SupportPipeline, conversation: str, text: str) -> tuple[TurnResult, float]:
    """The turn's result, and milliseconds until the first piece of the reply."""
    started = time.perf_counter()
    first: float | None = None
    for event in pipeline.stream(conversation, text):
        if isinstance(event, Token) and first is None:
            first = (time.perf_counter() - started) * 1000
        if isinstance(event, TurnResult):
            return event, round(first or 0.0, 1)
    raise AssertionError("a turn ends with its result")


def _said(pipeline: SupportPipeline, conversation: str) -> Case:
    with pipeline.database.read() as session:
        trace = records.traces_of(session, conversation)[-1]
        return {"source": trace.said["source"], "left_out": trace.said["missing"]}


def _order_row(pipeline: SupportPipeline, number: str) -> tuple[Any, ...]:
    with pipeline.database.read() as session:
        order = session.scalars(select(Order).where(Order.number == number)).one()
        audited = session.scalar(select(func.count()).select_from(AuditEntry)) or 0
        return order.status, order.total, order.address, len(order.payments), len(order.returns), audited


def _share(passed: Iterable[bool]) -> float:
    values = list(passed)
    return sum(values) / len(values) if values else 0.0
