"""Translation on HumanEval-X: right solutions in one language, translated and judged in another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from evaluation.errors import DataError
from evaluation.humaneval import problem_of
from evaluation.problems import Problem, read_rows

LANGUAGES = ("python", "java", "cpp")


def load(folder: Path, source: str, target: str) -> list[Problem]:
    """Problems of the target language whose `task` is the source language's reference solution.

    `folder` holds humaneval_python.jsonl[.gz] and so on. The answer begins with the target's declaration, as
    the benchmark prescribes (codegeex/benchmark/humaneval-x). Raises DataError.
    """
    sources = {_number(row["task_id"]): row for row in read_rows(_file(folder, source))}
    problems = []
    for row in read_rows(_file(folder, target)):
        origin = sources.get(_number(row["task_id"]))
        if origin is None:
            continue
        problem = problem_of(row, target)
        problems.append(
            replace(
                problem,
                task=origin["declaration"] + origin["canonical_solution"],
                start=row["declaration"],
                reference=row["declaration"] + row["canonical_solution"],
            )
        )
    if not problems:
        raise DataError(f"{folder} has no problem in both {source} and {target}")
    return problems


def directions(
    folder: Path, source: str | None = None, target: str | None = None
) -> dict[tuple[str, str], list[Problem]]:
    """The problems of each direction, all six of them where neither language is named. Raises DataError."""
    return {
        (one, another): load(folder, one, another)
        for one in LANGUAGES
        for another in LANGUAGES
        if one != another and source in (None, one) and target in (None, another)
    }


def _number(task_id: str) -> str:
    return task_id.rpartition("/")[2]


def _file(folder: Path, language: str) -> Path:
    for suffix in (".jsonl.gz", ".jsonl"):
        path = folder / f"humaneval_{language}{suffix}"
        if path.exists():
            return path
    raise DataError(f"{folder} has no humaneval_{language}.jsonl.gz (HumanEval-X's layout)")
