"""From a first draft to an answer that passes: check, and while something is wrong, repair and draw again.

Only what the user gave decides: examples in the task, or, in a translation, the source program itself.
Drafts that are equal in this are compared on what is made up, inputs or a use of the code; the one that most others
agree with is taken.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace

from langchain_core.prompts import ChatPromptTemplate

from apps.code.answers import Answer, Checked, Effort, Events, Trial
from apps.code.checking import Verdict, agree, agreement, alike
from apps.code.drafting import Draft, Drafting, as_tokens
from apps.code.drivers import CallResult
from apps.code.prompts import fence
from apps.code.sandbox import Sandbox, SandboxError
from apps.code.syntax import parses
from apps.code.toolchains import ToolchainMissingError

SAMPLE_TEMPERATURE = 0.7
_UNCHECKABLE = (ToolchainMissingError, SandboxError)
_MOST_CHARACTERS = 400  # of what came of a trial, as it is told


@dataclass(frozen=True)
class Use:
    """A use of the code that was made up: `told` in the prompt of further drafts, `of` says what comes of one."""

    told: str
    tokens: int
    of: Callable[[str], Mapping[str, CallResult]]


@dataclass(frozen=True)
class Task:
    """What is to be drafted and how a draft is judged.

    `use` makes up a use of a draft with which nothing was found wrong; None where there is no need, or it came to
    nothing. `unknown` is what the grammar does not know of the source.
    """

    prompt: ChatPromptTemplate
    repair: ChatPromptTemplate
    inputs: dict[str, str]
    judge: Callable[[str], Verdict]
    use: Callable[[str], Use | None] = lambda code: None
    unknown: str | None = None


@dataclass(frozen=True)
class _Judged:
    draft: Draft
    verdict: Verdict

    @property
    def all_pass(self) -> bool:
        return self.verdict.problem is None


@dataclass
class _Refinement:
    """The drafts of one answer, and the use that they are compared by, once there is one."""

    task: Task
    drafting: Drafting
    effort: Effort
    seed: int
    started: float = field(default_factory=time.perf_counter)
    judged: list[_Judged] = field(default_factory=list)
    use: Use | None = None
    asked: bool = False

    def run(self, first: Draft) -> Generator[Checked, None, None]:
        """Tells of each draft that is judged; they are in `judged`."""
        self.judged = [_Judged(first, self.task.judge(first.code))]
        self._find_use()
        yield _checked(1, self.judged[0])
        compares = self.judged[0].all_pass and self._is_doubtful(self.judged[0].verdict)
        if self.judged[0].all_pass and not compares:
            return
        comparing = 0
        for wave in range(self.effort.waves):
            comparing += any(item.all_pass for item in self.judged)
            late = time.perf_counter() - self.started > self.effort.budget_s
            if late or comparing > self.effort.comparing:
                return
            for item in self._draw(self.seed + 1 + wave * self.effort.width):
                self.judged.append(item)
                self._find_use()
                yield _checked(len(self.judged), self.judged[-1])
                if self._is_settled():
                    return  # it has what it was asked for: the wave's other drafts are left

    def _find_use(self) -> None:
        """Make up a use of the first draft that nothing is wrong with, and try it on all of these."""
        best = next((item for item in self.judged if item.all_pass), None)
        if best is None or self.asked:
            return
        self.asked = True
        self.use = self.task.use(best.draft.code)
        if self.use is not None:
            self.judged = [self._used(item) for item in self.judged]

    def _used(self, item: _Judged) -> _Judged:
        if self.use is None or not item.all_pass:
            return item
        return replace(item, verdict=item.verdict.used(self.use.of(item.draft.code)))

    def _is_doubtful(self, verdict: Verdict) -> bool:
        """Whether a draft that passes is to be compared with others: it was tried on few examples, or fails with an
        error on what was made up, such as an empty list."""
        return bool(verdict.made_up) and (
            verdict.examples <= self.effort.compared_examples or verdict.crash is not None
        )

    def _is_settled(self) -> bool:
        """Whether a draft passes, and as many as the effort asks for give the same as it for all that was made up."""
        passing = [item for item in self.judged if item.all_pass]
        if not passing:
            return False
        made_up = _choose(passing).verdict.made_up
        same = sum(agree(made_up, item.verdict.made_up) for item in passing)
        return not made_up or same >= self.effort.alike

    def _draw(self, first_seed: int) -> Generator[_Judged, None, None]:
        """More drafts at the same time, which the engine computes as one batch.

        One of them repairs the best draft so far, if something is wrong with it or it fails on what was made up. While
        nothing is right, one is drawn without the grammar, which does not know every construct; the compiler judges it.
        """
        best = max(self.judged, key=lambda item: item.verdict.passed)
        problem = best.verdict.problem or best.verdict.crash
        width, left = self.effort.width, threading.Event()
        compiled = self.drafting.language != "python"  # what Python's own parser knows, the grammar does
        free = compiled and width > 1 and not any(item.all_pass for item in self.judged)
        told = self.task.inputs
        if self.use is not None:
            told = {**told, "task": told["task"] + self.use.told}

        def make(index: int) -> _Judged | None:
            prompt, inputs = self.task.prompt, told
            if index == 0 and problem is not None:
                said = f"{fence(self.drafting.language)}{best.draft.code}```"
                prompt, inputs = self.task.repair, {**told, "draft": said, "problem": problem}
            drafting = replace(self.drafting, free=free and index == width - 1)
            stream = drafting.stream(prompt, inputs, SAMPLE_TEMPERATURE, first_seed + index)
            try:
                while not left.is_set():
                    next(stream)
            except StopIteration as end:
                return self._used(_Judged(end.value, self.task.judge(end.value.code)))
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


def refine(
    task: Task, drafting: Drafting, effort: Effort, sandbox: Sandbox | None, temperature: float, seed: int
) -> Events:
    """Streams the first draft, then tells of each check, and ends with the answer."""
    work = _Refinement(task, drafting, effort, seed)
    stream = drafting.stream(task.prompt, task.inputs, temperature, seed)
    first = yield from as_tokens(stream)
    unchecked = None
    if effort.waves:
        if sandbox is None:
            unchecked = "this machine has no sandbox to run programs in"
        else:
            try:
                yield from work.run(first)
            except _UNCHECKABLE as error:
                unchecked = str(error)
    judged = work.judged or [_Judged(first, Verdict())]
    chosen = _choose(judged)
    yield Answer(
        code=chosen.draft.code,
        language=drafting.language,
        parses=parses(chosen.draft.code, drafting.language),
        tokens=sum(item.draft.tokens for item in judged) + (work.use.tokens if work.use else 0),
        seconds=time.perf_counter() - work.started,
        finish_reason=chosen.draft.finish_reason,
        drafts=len(judged),
        checked=chosen.verdict.checks,
        unchecked=unchecked,
        trials=_trials(chosen, judged),
        unknown=chosen.verdict.unknown or task.unknown,
    )


def _choose(judged: Sequence[_Judged]) -> _Judged:
    """The draft that passes most; among equals the one that most agree with; then the earliest."""
    score = [item.verdict.passed - (item.verdict.problem is not None) for item in judged]
    best = [item for item, mine in zip(judged, score, strict=True) if mine == max(score)]
    agreed = agreement([item.verdict.made_up for item in best])
    return best[agreed.index(max(agreed))]


def _trials(chosen: _Judged, judged: Sequence[_Judged]) -> tuple[Trial, ...]:
    """What was made up, what the chosen draft gave, and how many gave the same."""
    tried = [item.verdict.made_up for item in judged if item.verdict.made_up]
    function = chosen.verdict.function
    return tuple(
        Trial(
            f"{function}{text.replace(',)', ')')}" if function else text,
            _told(result),
            sum(item is result or alike(item, result) for made_up in tried if (item := made_up.get(text))),
            len(tried),
        )
        for text, result in chosen.verdict.made_up.items()
    )


def _told(result: CallResult) -> str:
    if result.error is not None:
        return f"fails with {result.error}"[:_MOST_CHARACTERS]
    return (result.value if result.printed else repr(result.value))[:_MOST_CHARACTERS]


def _checked(number: int, item: _Judged) -> Checked:
    verdict = item.verdict
    passed = sum(check.passed for check in verdict.checks if check.is_example)
    return Checked(number, passed, verdict.examples, verdict.problem, len(verdict.made_up))
