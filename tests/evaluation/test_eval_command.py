"""`duet eval` from the command line, judging reference solutions: no model is needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from apps.code.sandbox import Sandbox
from ui.cli import app

ROW = {
    "prompt": "def double(x):\n",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(3) == 6\n",
    "entry_point": "double",
}


@pytest.fixture
def data(tmp_path: Path, sandbox: Sandbox) -> Path:
    path = tmp_path / "rows.jsonl"
    broken = {**ROW, "canonical_solution": "    return x\n"}
    rows = [{**ROW, "task_id": "T/0"}, {**broken, "task_id": "T/1"}, {**ROW, "task_id": "T/2"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def evaluate(data: Path, output: Path, *more: str) -> tuple[int, str]:
    command = [
        "eval",
        "code",
        "--data",
        str(data),
        "--language",
        "python",
        "--reference",
        "--output",
        str(output),
    ]
    result = CliRunner().invoke(app, [*command, *more])
    return result.exit_code, result.output


def test_a_run_writes_a_report_and_shows_its_figures(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    code, shown = evaluate(data, output)
    assert code == 0
    assert "pass_rate" in shown
    report = json.loads(output.read_text())
    assert report["command"] == "eval code --language python --reference"
    assert report["data"]["rows"] == 3
    assert report["metrics"]["pass_rate"] == pytest.approx(2 / 3)
    assert Path(report["cases"]).exists()


def test_the_same_command_again_measures_nothing_twice(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    evaluate(data, output)
    cases = output.with_suffix(".cases.jsonl")
    before = cases.read_text()
    assert evaluate(data, output)[0] == 0
    assert cases.read_text() == before


def test_a_limited_run_goes_on_with_more_problems(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    evaluate(data, output, "--limit", "1")
    first = output.with_suffix(".cases.jsonl").read_text()
    assert json.loads(output.read_text())["metrics"]["problems"] == 1
    assert evaluate(data, output)[0] == 0
    assert output.with_suffix(".cases.jsonl").read_text().startswith(first)
    assert json.loads(output.read_text())["metrics"]["problems"] == 3
    evaluate(data, output, "--limit", "2")
    assert json.loads(output.read_text())["metrics"]["problems"] == 2


def test_another_run_into_the_same_file_is_refused(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    evaluate(data, output)
    data.write_text(data.read_text().replace("3", "4"))
    code, shown = evaluate(data, output)
    assert code == 1
    assert "another --output" in shown


def test_a_file_that_is_no_benchmark_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "hello"}\n')
    code, shown = evaluate(path, tmp_path / "report.json")
    assert code == 1
    assert "no text in" in shown


def test_two_reports_are_compared_and_drawn(data: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / "one.json", tmp_path / "two.json"]
    for output in outputs:
        evaluate(data, output)
    compared = CliRunner().invoke(app, ["eval", "compare", *map(str, outputs)])
    assert compared.exit_code == 0
    assert "now solved (0)" in compared.output
    page = tmp_path / "page.html"
    assert CliRunner().invoke(app, ["eval", "page", *map(str, outputs), "--output", str(page)]).exit_code == 0
    assert "<svg" in page.read_text()
