"""How many everyday tasks are done: an answer of the assistant's to each, judged by the acceptance tests."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, replace
from typing import Any

import structlog

from apps.code.answers import Answer, Effort
from apps.code.assistant import CodeAssistant
from apps.code.sandbox import Sandbox, SandboxError
from evaluation.benchmarks import MAX_TOKENS
from evaluation.cases import CaseFile
from evaluation.everyday.tasks import EverydayTask, judge
from evaluation.problems import Generated

Case = dict[str, Any]
Solve = Callable[[EverydayTask], Generated]
log = structlog.get_logger(__name__)


def in_turn(tasks: Sequence[Sequence[EverydayTask]]) -> list[EverydayTask]:
    """One of each language, then the next of each."""
    longest = max(map(len, tasks))
    return [items[place] for place in range(longest) for items in tasks if place < len(items)]


def solver(assistant: CodeAssistant, effort: Effort, workers: int) -> Solve:
    """Answers of the assistant; each task has its budget of time as if it were alone."""
    effort = replace(effort, budget_s=effort.budget_s * workers)

    def solve(task: EverydayTask) -> Generated:
        answer = list(
            assistant.write(
                task.ask, task.language, effort=effort, max_tokens=MAX_TOKENS, compile=bool(effort.waves)
            )
        )[-1]
        assert isinstance(answer, Answer)
        checks = [asdict(check) for check in answer.checked]
        notes = {
            "drafts": answer.drafts,
            "checked": checks,
            "trials": [asdict(trial) for trial in answer.trials],
        }
        return Generated(answer.code, answer.tokens, answer.seconds, notes)

    return solve


def reference(task: EverydayTask) -> Generated:
    """What the harness is checked with."""
    return Generated(task.reference)


def run(
    tasks: Sequence[EverydayTask],
    solve: Solve,
    cases: CaseFile,
    sandbox: Sandbox,
    workers: int,
    on_case: Callable[[Case], None] = lambda case: None,
) -> None:
    """Solve and judge what `cases` lacks. Raises ToolchainMissingError; what the sandbox fails at is not passed."""

    def work(task: EverydayTask) -> Case:
        generated = solve(task)
        try:
            verdict = asdict(judge(task, generated.code, sandbox))
        except SandboxError as error:
            log.warning("case failed", task=task.key, error=repr(error))
            verdict = {"passed": False, "parses": False, "compiled": False, "reason": str(error)}
        case = {
            "task_id": task.key,
            "language": task.language,
            "code": generated.code,
            "tokens": generated.tokens,
            "answer_s": round(generated.seconds, 2),
            **(generated.notes or {}),
            **verdict,
        }
        cases.add(task.key, case)
        return case

    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work, task) for task in tasks if task.key not in cases]
        try:
            for future in as_completed(futures):
                on_case(future.result())
        finally:
            pool.shutdown(cancel_futures=True)


def metrics(cases: Iterable[Case]) -> dict[str, float]:
    """Shares of the tasks: `passes` the acceptance tests, `compiles`, `parses`; and passes by language."""
    listed = list(cases)
    if not listed:
        return {"tasks": 0}
    found = {"tasks": float(len(listed))}
    for name, key in (("passes", "passed"), ("compiles", "compiled"), ("parses", "parses")):
        found[name] = sum(case[key] for case in listed) / len(listed)
    for language in sorted({case["language"] for case in listed}):
        of_it = [case for case in listed if case["language"] == language]
        found[f"passes_{language}"] = sum(case["passed"] for case in of_it) / len(of_it)
    found["tokens_per_task"] = sum(case["tokens"] for case in listed) / len(listed)
    found["answer_s_p50"] = statistics.median(case["answer_s"] for case in listed)
    return found
