"""`duet eval grammar` on a few small programs, with the small model's tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core_model import catalog
from core_model.checkpoint import load_checkpoint
from core_model.tokenizer import Tokenizer
from evaluation import grammar_speed
from evaluation.grammar_programs import PROMPTS, orders
from ui.cli import app

MODEL = "smollm2-135m-instruct"
ROWS = [
    {"language": "python", "text": "def f(x):\n    return x + 1\n"},
    {"language": "java", "text": "class A { int f(int x) { return x + 1; } }\n"},
    {"language": "cpp", "text": "int f(int x) {\n  return x + 1;\n}\n"},
    {"language": "python", "text": "def f(:\n"},
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def evaluate(tmp_path: Path, *arguments: str) -> tuple[int, dict[str, float]]:
    output = tmp_path / "report.json"
    command = ["eval", "grammar", "--model", MODEL, "--output", str(output), *arguments]
    result = CliRunner().invoke(app, command)
    return result.exit_code, json.loads(output.read_text())["metrics"] if output.exists() else {}


def test_files_that_tree_sitter_parses_are_accepted(data: Path, tmp_path: Path) -> None:
    code, metrics = evaluate(tmp_path, "--data", str(data))
    assert code == 0
    assert (metrics["files"], metrics["complete_files"], metrics["false_rejections"]) == (3, 3, 0)
    assert metrics["files_that_tree_sitter_refuses"] == 1
    assert metrics["tokens"] > 30


def test_damaged_programs_are_judged_like_tree_sitter_does(data: Path, tmp_path: Path) -> None:
    code, metrics = evaluate(tmp_path, "--data", str(data), "--mutations", "100")
    assert code == 0
    assert (metrics["mutations"], metrics["disagreements"]) == (100, 0)


def test_random_programs_are_never_stuck(data: Path, tmp_path: Path) -> None:
    code, metrics = evaluate(tmp_path, "--data", str(data), "--walks", "3")
    assert code == 0
    assert (metrics["walks"], metrics["stuck"], metrics["not_completed"]) == (3, 0, 0)


def test_gaps_are_joined_again(data: Path, tmp_path: Path) -> None:
    code, metrics = evaluate(tmp_path, "--data", str(data), "--gaps", "30")
    assert code == 0
    assert (metrics["gaps"], metrics["not_joined"], metrics["wrong_joins"]) == (30, 0, 0)


@pytest.mark.parametrize("arguments", [[], ["--programs", "--walks", "3"], ["--data-dir", "."]])
def test_what_is_to_be_measured_must_be_clear(arguments: list[str], tmp_path: Path) -> None:
    assert evaluate(tmp_path, *arguments)[0] == 2


def test_each_program_of_the_model_is_ordered_once() -> None:
    made = orders(("python", "java", "cpp"))
    assert len({order.key for order in made}) == len(made) == 3 * PROMPTS * (2 * 3 + 3)


def test_deep_nesting_and_memory_are_measured() -> None:
    path = catalog.resolve(MODEL, catalog.home())
    tokenizer = Tokenizer(load_checkpoint(path, catalog.home() / "packed").tokenizer)
    rows = [{"language": "python", "text": "x = [1, 2]\n" * 400}]
    found = grammar_speed.nesting_costs(tokenizer) | grammar_speed.memory(rows, tokenizer)
    assert found["cpp_nested_us_mean"] > 0
    assert 0 < found["python_loaded_mb"] < 20
    assert 0 < found["python_program_mb"] < 20
