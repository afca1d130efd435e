"""From a first draft to an answer that passes: check, and while something is wrong, repair and draw again.

Only what the user gave decides: examples in the task, or, in a translation, the source program itself.
Drafts that are equal in this are compared on made-up inputs; the one that most others agree with is taken.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from langchain_core.prompts import ChatPromptTemplate

from apps.code.answers import Answer, Checked, Effort, Events, Token
from apps.code.checking import Verdict, agree, agreement
from apps.code.drafting import Draft, Drafting
from apps.code.prompts import fence
from apps.code.sandbox import Sandbox, SandboxError
from apps.code.syntax import parses
from apps.code.toolchains import ToolchainMissingError

SAMPLE_TEMPERATURE = 0.7
_UNCHECKABLE = (ToolchainMissingError, SandboxError)


@dataclass(frozen=True)
class Task:
    """What is to be drafted and how a draft is judged."""

    prompt: ChatPromptTemplate
    repair: ChatPromptTemplate
    inputs: dict[str, str]
    judge: Callable[[str], Verdict]


@dataclass(frozen=True)
class _Judged:
    draft: Draft
    verdict: Verdict

    @property
    def all_pass(self) -> bool:
        return self.verdict.problem is None


def refine(
    task: Task, drafting: Drafting, effort: Effort, sandbox: Sandbox | None, temperature: float, seed: int
) -> Events:
    """Streams the first draft, then tells of each check, and ends with the answer."""
    started = time.perf_counter()
    stream = drafting.stream(task.prompt, task.inputs, temperature, seed)
    first = yield from _as_tokens(stream)
    judged = [_Judged(first, Verdict())]
    unchecked = None
    if effort.waves:
        if sandbox is None:
            unchecked = "this machine has no sandbox to run programs in"
        else:
            try:
                judged = yield from _improve(task, drafting, effort, first, started, seed)
            except _UNCHECKABLE as error:
                unchecked = str(error)
    chosen = _choose(judged)
    yield Answer(
        code=chosen.draft.code,
        language=drafting.language,
        parses=parses(chosen.draft.code, drafting.language),
        tokens=sum(item.draft.tokens for item in judged),
        seconds=time.perf_counter() - started,
        finish_reason=chosen.draft.finish_reason,
        drafts=len(judged),
        checked=chosen.verdict.checks,
        unchecked=unchecked,
    )


def _as_tokens(stream: Generator[str, None, Draft]) -> Generator[Token, None, Draft]:
    try:
        while True:
            yield Token(next(stream))
    except StopIteration as end:
        draft: Draft = end.value
        return draft
    finally:
        stream.close()


def _improve(
    task: Task,
    drafting: Drafting,
    effort: Effort,
    first: Draft,
    started: float,
    seed: int,
) -> Generator[Checked, None, list[_Judged]]:
    judged = [_Judged(first, task.judge(first.code))]
    yield _checked(1, judged[0])
    compares = judged[0].all_pass and _is_doubtful(judged[0].verdict, effort)
    for wave in range(effort.waves):
        settled = _is_settled(judged, effort) if wave else judged[0].all_pass and not compares
        if settled or time.perf_counter() - started > effort.budget_s:
            break
        for item in _draw(task, drafting, judged, effort.width, seed + 1 + wave * effort.width):
            judged.append(item)
            yield _checked(len(judged), item)
    return judged


def _is_doubtful(verdict: Verdict, effort: Effort) -> bool:
    """Whether a draft that passes is to be compared with others: it was tried on few examples, or fails with an
    error on a made-up input, such as an empty list."""
    return bool(verdict.made_up) and (
        len(verdict.checks) <= effort.compared_examples or verdict.crash is not None
    )


def _is_settled(judged: Sequence[_Judged], effort: Effort) -> bool:
    """Whether a draft passes, and as many as the effort asks for give the same as it for all made-up inputs."""
    passing = [item for item in judged if item.all_pass]
    if not passing:
        return False
    made_up = _choose(passing).verdict.made_up
    alike = sum(agree(made_up, item.verdict.made_up) for item in passing)
    return not made_up or alike >= effort.alike


def _draw(
    task: Task, drafting: Drafting, judged: Sequence[_Judged], width: int, first_seed: int
) -> Generator[_Judged, None, None]:
    """`width` more drafts at the same time, which the engine computes as one batch.

    One of them repairs the best draft so far, if something is wrong with it or it fails on a made-up input.
    """
    best = max(judged, key=lambda item: item.verdict.passed)
    problem = best.verdict.problem or best.verdict.crash
    left = threading.Event()

    def make(index: int) -> _Judged | None:
        prompt, inputs = task.prompt, task.inputs
        if index == 0 and problem is not None:
            said = f"{fence(drafting.language)}{best.draft.code}```"
            prompt, inputs = task.repair, {**inputs, "draft": said, "problem": problem}
        stream = drafting.stream(prompt, inputs, SAMPLE_TEMPERATURE, first_seed + index)
        try:
            while not left.is_set():
                next(stream)
        except StopIteration as end:
            return _Judged(end.value, task.judge(end.value.code))
        finally:
            stream.close()
        return None

    pool = ThreadPoolExecutor(width, thread_name_prefix="duet-draft")
    try:
        for future in as_completed([pool.submit(make, index) for index in range(width)]):
            item = future.result()
            if item is not None:
                yield item
    finally:
        left.set()
        pool.shutdown()


def _choose(judged: Sequence[_Judged]) -> _Judged:
    """The draft that passes most; among equals the one that most agree with; then the earliest."""
    score = [item.verdict.passed - (item.verdict.problem is not None) for item in judged]
    best = [item for item, mine in zip(judged, score, strict=True) if mine == max(score)]
    agreed = agreement([item.verdict.made_up for item in best])
    return best[agreed.index(max(agreed))]


def _checked(number: int, item: _Judged) -> Checked:
    return Checked(number, item.verdict.passed, len(item.verdict.checks), item.verdict.problem)
