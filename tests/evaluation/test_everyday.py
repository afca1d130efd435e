"""Everyday tasks and wrong translations: what judges answers is right itself."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from apps.code.sandbox import Sandbox
from apps.code.syntax import parses
from evaluation.everyday.measuring import in_turn, metrics
from evaluation.everyday.tasks import LANGUAGES, Expected, judge, load
from evaluation.mutants import Translated, case_of, mutants
from evaluation.mutants import metrics as mutant_metrics
from evaluation.problems import Problem
from tests.compilers import installed


def test_there_are_twenty_tasks_a_language_that_are_told_apart() -> None:
    tasks = in_turn([load(language) for language in LANGUAGES])
    assert len({task.key for task in tasks}) == 60
    assert [task.language for task in tasks[:3]] == list(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_references_pass_and_what_is_broken_does_not(language: str, sandbox: Sandbox) -> None:
    installed(language, sandbox)
    for name in ("bank-account", "todo-program"):
        task = next(task for task in load(language) if task.name == name)
        assert judge(task, task.reference, sandbox).reason == "ok"
        sign = {"bank-account": ("-= amount", "+= amount"), "todo-program": ("tasks.txt", "/none/tasks.txt")}[
            name
        ]
        broken = task.reference.replace(*sign).replace("todo.txt", "/none/todo.txt")
        assert not judge(task, broken, sandbox).passed


def test_what_does_not_compile_is_told_from_what_is_wrong(sandbox: Sandbox) -> None:
    task = next(task for task in load("python") if task.name == "temperature")
    assert not judge(task, "print(\n", sandbox).compiled
    wrong = judge(task, "print(1)\n", sandbox)
    assert (wrong.compiled, wrong.passed) == (True, False)
    files = replace(task, runs=(Expected(written={"a.txt": "x"}),))
    assert "a.txt" in judge(files, "x = 1\n", sandbox).reason


def test_shares_are_of_all_tasks() -> None:
    case = {
        "passed": True,
        "compiled": True,
        "parses": True,
        "language": "python",
        "tokens": 10,
        "answer_s": 1.0,
    }
    found = metrics([case, {**case, "passed": False, "language": "java"}])
    assert (found["passes"], found["passes_python"], found["passes_java"], found["compiles"]) == (
        0.5,
        1,
        0,
        1,
    )


def test_mutants_have_one_change_behind_the_start_and_parse() -> None:
    start = "int f(int a) {\n"
    code = start + "    return a < 3 && true ? a + 1 : 0;\n}\n"
    found = list(mutants(code, "cpp", start, random.Random(0)))
    assert len(found) == len(set(found)) > 6
    assert all(mutant.startswith(start) and parses(mutant, "cpp") for mutant in found)
    assert code.replace("a < 3", "a <= 3") in found


def test_a_wrong_translation_is_caught_by_inputs_made_up_from_its_source(sandbox: Sandbox) -> None:
    installed("cpp", sandbox)
    problem = Problem(
        task_id="CPP/0",
        language="cpp",
        task="def most(a: int, b: int) -> int:\n    return a if a > b else b\n",
        start="int most(int a, int b) {\n",
        before="",
        after="\n#undef NDEBUG\n#include <assert.h>\nint main() { assert(most(1, 2) + most(2, 1) == 4); }\n",
        entry_point="most",
        reference="int most(int a, int b) {\n    return a > b ? a : b;\n}\n",
    )
    case = case_of(Translated("python", problem), sandbox)
    assert case["wrong"] != problem.reference
    assert case["passed"]
    assert case["right_refused"] is None
    assert mutant_metrics([case, {"task_id": "none", "wrong": None}])["caught"] == 1
