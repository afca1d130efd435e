"""LeetCodeDataset's rows, with problems of our own in its format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from apps.code.sandbox import Sandbox
from apps.code.signatures import ValueType
from evaluation import benchmarks
from evaluation.errors import DataError
from evaluation.judging import judge
from evaluation.leetcode import cpp_type, java_type
from evaluation.problems import Problem
from tests.compilers import installed

NODES = (
    "class ListNode:\n    def __init__(self, val=0, next=None):\n        self.val, self.next = val, next\n"
)


def row(name: str, signature: str, pairs: list[tuple[str, str]], completion: str = "") -> dict[str, Any]:
    starter = f"class Solution:\n    def {name}({signature}:"
    return {
        "task_id": name,
        "prompt": "from typing import *\n" + NODES,
        "completion": f"{starter}\n        {completion}\n",
        "entry_point": f"Solution().{name}",
        "test": "def check(candidate):\n"
        + "".join(f"    assert candidate({given}) == {result}\n" for given, result in pairs),
        "query": "",
        "input_output": [{"input": given, "output": result} for given, result in pairs],
        "meta": {"difficulty": "Easy", "question_title": "Do it.", "lang_code": starter},
    }


ROWS = {
    "scale": row(
        "scale",
        "self, nums: List[int], factor: int) -> List[int]",
        [
            ("nums = [1, 2], factor = 3", "[3, 6]"),
            ("nums = [], factor = 1", "[]"),
            ("[5], factor = -1", "[-5]"),
        ],
        "return [factor * x for x in nums]",
    ),
    "big": row(
        "big", "self, x: int) -> int", [("x = 3", "9000000000"), ("x = 0", "0")], "return x * 3000000000"
    ),
    "half": row(
        "half", "self, x: float) -> float", [("x = 1.0", "0.5"), ("x = 0.5", "0.25")], "return x / 2"
    ),
    "twice": row(
        "twice", "self, s: str) -> str", [('s = "a\\"b"', '"a\\"ba\\"b"'), ('s = ""', '""')], "return s + s"
    ),
    "even": row(
        "even", "self, n: int) -> bool", [("n = 2", "true"), ("n = 3", "false")], "return n % 2 == 0"
    ),
    "turned": row(
        "turned",
        "self, grid: List[List[str]]) -> List[List[str]]",
        [('grid = [["a","b"],["c","d"]]', '[["c","d"],["a","b"]]')],
        "return grid[::-1]",
    ),
    "back": row(
        "back",
        "self, head: Optional[ListNode]) -> Optional[ListNode]",
        [("head = [1,2,3]", "[1,2,3]"), ("head = []", "[]")],
    ),
    "left": row(
        "left",
        "self, root: Optional[TreeNode]) -> Optional[TreeNode]",
        [("root = [1,2,3,null,4]", "[2,null,4]"), ("root = [1]", "[]")],
    ),
}
BODIES = {
    ("scale", "java"): "for (int i = 0; i < nums.length; i++) nums[i] *= factor; return nums; } }",
    ("scale", "cpp"): "for (int &x : nums) x *= factor; return nums; } };",
    ("big", "java"): "return x * 3000000000L; } }",
    ("big", "cpp"): "return x * 3000000000LL; } };",
    ("half", "java"): "return x / 2; } }",
    ("half", "cpp"): "return x / 2; } };",
    ("twice", "java"): "return s + s; } }",
    ("twice", "cpp"): "return s + s; } };",
    ("even", "java"): "return n % 2 == 0; } }",
    ("even", "cpp"): "return n % 2 == 0; } };",
    ("turned", "java"): """List<List<String>> rows = new ArrayList<>();
        for (int i = grid.length - 1; i >= 0; i--) {
            List<String> row = new ArrayList<>();
            for (char c : grid[i]) row.add("" + c);
            rows.add(row);
        }
        return rows; } }""",
    ("turned", "cpp"): """vector<vector<string>> rows;
        for (int i = grid.size() - 1; i >= 0; i--) {
            rows.emplace_back();
            for (char c : grid[i]) rows.back().push_back(string(1, c));
        }
        return rows; } };""",
    ("back", "java"): "return head; } }",
    ("back", "cpp"): "return head; } };",
    ("left", "java"): "return root.left; } }",
    ("left", "cpp"): "return root->left; } };",
}


def problem_of(name: str, language: str, tmp_path: Path, sandbox: Sandbox) -> Problem:
    installed(language, sandbox)
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(ROWS[name]))
    return benchmarks.load(path, language)[0]


@pytest.mark.parametrize(("name", "language"), BODIES)
def test_a_solution_from_the_generated_starter_code_passes(
    name: str, language: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    problem = problem_of(name, language, tmp_path, sandbox)
    verdict = judge(problem, problem.start + BODIES[name, language], sandbox)
    assert verdict.passed, verdict.reason


@pytest.mark.parametrize("language", ["java", "cpp"])
def test_a_wrong_solution_is_told_with_input_output_and_what_was_expected(
    language: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    problem = problem_of("scale", language, tmp_path, sandbox)
    body = BODIES["scale", language].replace("*= factor", "+= factor")
    verdict = judge(problem, problem.start + body, sandbox)
    assert (verdict.outcome, verdict.reason) == ("wrong", "([1, 2], 3) gives [4, 5], not [3, 6]")


def test_an_exception_in_one_call_is_that_calls_result(tmp_path: Path, sandbox: Sandbox) -> None:
    problem = problem_of("scale", "java", tmp_path, sandbox)
    verdict = judge(problem, problem.start + 'throw new IllegalStateException("no"); } }', sandbox)
    assert verdict.reason == "([1, 2], 3): java.lang.IllegalStateException: no"


@pytest.mark.parametrize("name", ["scale", "big", "half", "twice", "even"])
def test_python_rows_are_judged_by_their_own_asserts(name: str, tmp_path: Path, sandbox: Sandbox) -> None:
    if name == "scale":
        ROWS["scale"]["test"] = ROWS["scale"]["test"].replace("candidate([5]", "candidate(nums = [5]")
    ROWS[name]["test"] = ROWS[name]["test"].replace("== true", "== True").replace("== false", "== False")
    problem = problem_of(name, "python", tmp_path, sandbox)
    assert problem.reference is not None
    assert judge(problem, problem.reference, sandbox).passed
    assert not judge(problem, "class Solution:\n    pass\n", sandbox).passed


def test_values_that_need_it_make_the_starter_code_wide(tmp_path: Path, sandbox: Sandbox) -> None:
    assert "public long big(int x)" in problem_of("big", "java", tmp_path, sandbox).start
    assert "long long big(int x)" in problem_of("big", "cpp", tmp_path, sandbox).start
    assert "turned(char[][] grid)" in problem_of("turned", "java", tmp_path, sandbox).start


@pytest.mark.parametrize(
    ("kind", "java", "returned", "cpp"),
    [
        (ValueType("list", ValueType("int")), "int[]", "int[]", "vector<int>"),
        (ValueType("list", ValueType("str")), "String[]", "List<String>", "vector<string>"),
        (
            ValueType("list", ValueType("list", ValueType("int"))),
            "int[][]",
            "List<List<Integer>>",
            "vector<vector<int>>",
        ),
        (ValueType("TreeNode"), "TreeNode", "TreeNode", "TreeNode*"),
    ],
)
def test_types_are_those_that_leetcode_uses(kind: ValueType, java: str, returned: str, cpp: str) -> None:
    assert (java_type(kind), java_type(kind, returned=True), cpp_type(kind)) == (java, returned, cpp)


def test_a_row_with_a_type_that_has_no_counterpart_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row("f", "self, x: complex) -> int", [("x = 1", "1")])))
    with pytest.raises(DataError, match="no typed method"):
        benchmarks.load(path, "java")


@pytest.mark.parametrize("language", ["python", "java", "cpp"])
def test_rows_of_version_0_3_are_read_as_those_before(language: str, tmp_path: Path) -> None:
    old = ROWS["scale"]
    new = {key: value for key, value in old.items() if key != "meta"}
    new |= {
        "problem_description": old["meta"]["question_title"],
        "starter_code": old["meta"]["lang_code"] + "\n        ",
        "difficulty": "Easy",
        "prompt": "from typing import *\n" + NODES,
    }
    problems = []
    for name, written in (("old", old), ("new", new)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text(json.dumps(written))
        problems += benchmarks.load(path, language)
    assert problems[0] == problems[1]
    assert "Do it." in problems[1].task
