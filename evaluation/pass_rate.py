"""How many problems are solved: candidates, verdicts, and pass@k."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from typing import Any

import structlog

from apps.code.sandbox import Sandbox
from apps.code.toolchains import ToolchainMissingError
from evaluation.cases import CaseFile
from evaluation.judging import Verdict, judge
from evaluation.problems import Generate, Generated, Problem

Case = dict[str, Any]
ERROR = "error"
"""The outcome of a case whose candidate could not be made or judged: it counts as not passed."""
log = structlog.get_logger(__name__)


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """The unbiased estimate of the chance that one of `k` samples passes, from `passed` of `samples`.

    1 - C(n-c, k) / C(n, k): Chen et al. 2021, Evaluating Large Language Models Trained on Code,
    arXiv 2107.03374, section 2.1.
    """
    if not 1 <= k <= samples:
        raise ValueError(f"pass@{k} cannot be estimated from {samples} samples")
    return 1.0 - math.comb(samples - passed, k) / math.comb(samples, k)


def run(
    problems: Sequence[Problem],
    generate: Generate,
    cases: CaseFile,
    sandbox: Sandbox,
    samples: int = 1,
    workers: int = 1,
    on_case: Callable[[Case], None] = lambda case: None,
) -> None:
    """Generate and judge what `cases` lacks, or has an error for.

    A case that ends in an error of its own is recorded with it, and the run goes on; without a toolchain, or when
    interrupted, it stops. Finished cases are kept.
    """
    waiting = [
        (problem, sample, key)
        for sample in range(samples)
        for problem in problems
        if (key := f"{problem.task_id}#{sample}") not in cases or cases.cases[key]["outcome"] == ERROR
    ]
    stopping = threading.Event()
    clock = _Clock()

    def work(problem: Problem, sample: int, key: str) -> Case | None:
        if stopping.is_set():
            return None
        generated = Generated("")
        try:
            generated = generate(problem, sample)
            verdict = judge(problem, generated.code, sandbox)
            first = generated.first
            if first is not None and first != generated.code:
                first_passed = judge(problem, first, sandbox).passed
            else:
                first_passed = verdict.passed
        except ToolchainMissingError:
            stopping.set()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this case's
            log.warning("case failed", task_id=problem.task_id, error=repr(error))
            reason = f"{type(error).__name__}: {error}"
            verdict, first_passed = Verdict(False, False, False, ERROR, reason, 0.0, ""), False
        except BaseException:
            stopping.set()
            raise
        case = {
            "task_id": problem.task_id,
            "difficulty": problem.difficulty,
            "code": generated.code,
            "tokens": generated.tokens,
            "generation_s": round(generated.seconds, 3),
            "elapsed_s": round(clock.lap(), 3),
            **(generated.notes or {}),
            "first_passed": first_passed,
            **asdict(verdict),
        }
        cases.add(key, case)
        return case

    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work, *item) for item in waiting]
        try:
            for future in as_completed(futures):
                case = future.result()
                if case is not None:
                    on_case(case)
        finally:
            stopping.set()


def metrics(cases: Iterable[Case]) -> dict[str, float]:
    """`pass_rate` is pass@1, beside it pass@2, 4, … of more samples; then by difficulty, and the cost.

    `errors` are cases that could not be judged, which count as not passed. `first_draft_pass_rate` is that of the
    first drafts, which are what quick effort answers.

    The cost is of the whole run, with as many problems under way as it had workers: tokens by the time that
    passed, and that time by the problems. `answer_s` is what one answer took meanwhile.
    """
    listed = list(cases)
    if not listed:
        return {"problems": 0}
    found = {"problems": float(len({case["task_id"] for case in listed})), **_rates(listed)}
    difficulties = sorted({case["difficulty"] for case in listed if case["difficulty"]})
    for difficulty in difficulties:
        chosen = [case for case in listed if case["difficulty"] == difficulty]
        found[f"pass_rate_{difficulty.lower()}"] = _rates(chosen)["pass_rate"]
    errors = sum(case.get("outcome") == ERROR for case in listed)
    if errors:
        found["errors"] = float(errors)
    found["first_draft_pass_rate"] = sum(case["first_passed"] for case in listed) / len(listed)
    tokens = sum(case["tokens"] for case in listed)
    seconds = sum(case["elapsed_s"] for case in listed)
    if tokens and seconds:
        found["tokens_per_second"] = tokens / seconds
        found["tokens_per_problem"] = tokens / len(listed)
        found["seconds_per_problem"] = seconds / len(listed)
        found["answer_s_p50"] = statistics.median(case["generation_s"] for case in listed)
    return found


class _Clock:
    """Splits the time of a run among its cases, so that it can be summed over interruptions."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._lock = threading.Lock()

    def lap(self) -> float:
        """Seconds since the case before this one was finished, or since the start."""
        with self._lock:
            now = time.perf_counter()
            passed, self._last = now - self._last, now
        return passed


def _rates(cases: Sequence[Case]) -> dict[str, float]:
    results: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        results[case["task_id"]].append(case["passed"])
    samples = min(map(len, results.values()))
    rates = {}
    k = 1
    while k <= samples:
        estimates = [pass_at_k(len(passed), sum(passed), k) for passed in results.values()]
        rates["pass_rate" if k == 1 else f"pass_at_{k}"] = sum(estimates) / len(estimates)
        k *= 2
    rates["parse_rate"] = sum(case["parses"] for case in cases) / len(cases)
    rates["compile_rate"] = sum(case["compiled"] for case in cases) / len(cases)
    return rates
