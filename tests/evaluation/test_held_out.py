"""Answers that passed, on inputs that their tests do not have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from apps.code.sandbox import Sandbox
from evaluation.likely_inputs import facts, likely_inputs
from ui.cli import app

values = st.recursive(
    st.integers(-50, 50) | st.text("ab1 ()", max_size=5) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4),
)
ROW = {
    "task_id": "Own/0",
    "prompt": 'def largest(items):\n    """ The largest item.\n'
    '    >>> largest([1, 5, 3])\n    5\n    >>> largest([2, 2])\n    2\n    """\n',
    "canonical_solution": "    return max(items)\n",
    "test": "def check(candidate):\n    assert candidate([1, 5, 3]) == 5\n    assert candidate([2, 2]) == 2\n",
    "entry_point": "largest",
}
ANSWERS = {
    "right": "def largest(items):\n    return sorted(items)[-1]\n",
    "fits the examples": "def largest(items):\n    return 5 if 5 in items else 2\n",
    "breaks off": "def largest(items):\n    return {3: 5, 2: 2}[len(items)]\n",
}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(values, values), min_size=1, max_size=3), st.integers(0, 9))
def test_inputs_keep_what_holds_for_all_examples(examples: list[tuple[Any, Any]], seed: int) -> None:
    needed = frozenset.intersection(*(frozenset(facts(example)) for example in examples))
    found = likely_inputs(examples, 5, seed)
    assert len(found) <= 5
    assert all(needed <= frozenset(facts(given)) for given in found)
    assert not {repr(given) for given in found} & {repr(example) for example in examples}
    assert found == likely_inputs(examples, 5, seed)


@pytest.mark.parametrize(
    ("examples", "holds"),
    [
        ([([1, 3, 4],), ([2, 9],)], lambda items: items == sorted(set(items))),
        ([("(())",), ("()",)], lambda text: text.count("(") == text.count(")")),
        ([([1, 2], [3, 4]), ([5], [6])], lambda left, right: len(left) == len(right)),
        ([([[1, 2], [3, 4]],), ([[0, 5]],)], lambda rows: all(len(row) == 2 for row in rows)),
        ([([4, 1, 2], 2), ([3, 7], 1)], lambda items, k: k < len(items)),
    ],
)
def test_sorted_nested_and_equally_long_inputs_stay_so(examples: list[tuple[Any, ...]], holds: Any) -> None:
    found = likely_inputs(examples, 20, seed=1)
    assert found
    assert all(holds(*given) for given in found)


def test_there_are_no_inputs_without_examples() -> None:
    assert likely_inputs([], 5, 0) == []
    assert likely_inputs([()], 5, 0) == []


@pytest.fixture
def run(tmp_path: Path, sandbox: Sandbox) -> tuple[Path, Path]:
    """A benchmark of one problem, and the case files of its answers, all of which pass the tests."""
    data = tmp_path / "rows.jsonl"
    rows = [{**ROW, "task_id": f"Own/{number}"} for number in range(len(ANSWERS))]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    cases = tmp_path / "run.cases.jsonl"
    lines = [
        {
            "key": f"Own/{number}#0",
            "task_id": f"Own/{number}",
            "passed": True,
            "code": code,
        }
        for number, code in enumerate(ANSWERS.values())
    ]
    cases.write_text("".join(json.dumps(line) + "\n" for line in [{"run": {}}, *lines]))
    return data, cases


def held_out(data: Path, cases: Path, output: Path) -> tuple[int, str]:
    words = ["eval", "held-out", "-l", "python", "--data", str(data), "--cases", str(cases)]
    result = CliRunner().invoke(app, [*words, "--output", str(output)])
    return result.exit_code, result.output + str(result.exception or "")


def test_only_what_is_right_elsewhere_holds(run: tuple[Path, Path], tmp_path: Path) -> None:
    output = tmp_path / "held-out.json"
    code, shown = held_out(*run, output)
    assert code == 0, shown
    metrics = json.loads(output.read_text())["metrics"]
    assert metrics["pass_rate"] == 1
    assert metrics["held_out_pass_rate"] == pytest.approx(1 / 3)
    lines = output.with_suffix(".cases.jsonl").read_text().splitlines()[1:]
    right, fitted, broken = map(json.loads, lines)
    assert right["agreed"] == right["held_out"] > 10
    assert [right["passed"], fitted["passed"], broken["passed"]] == [True, False, False]
    assert fitted["agreed"] < fitted["held_out"]
    assert "the reference" in fitted["difference"]
    assert "KeyError" in broken["difference"]


def test_a_finished_comparison_is_not_made_again(run: tuple[Path, Path], tmp_path: Path) -> None:
    output = tmp_path / "held-out.json"
    held_out(*run, output)
    before = output.with_suffix(".cases.jsonl").read_text()
    assert held_out(*run, output)[0] == 0
    assert output.with_suffix(".cases.jsonl").read_text() == before


def test_answers_to_other_problems_are_refused(run: tuple[Path, Path], tmp_path: Path) -> None:
    data, cases = run
    data.write_text(json.dumps(ROW) + "\n")
    code, shown = held_out(data, cases, tmp_path / "held-out.json")
    assert code != 0
    assert "Own/1" in shown
