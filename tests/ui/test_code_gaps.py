"""The default model fills gaps: over HTTP as an editor asks, and on the command line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from openai import OpenAI
from typer.testing import CliRunner, Result

from apps.code.syntax import parses
from apps.settings import Settings
from core_model import load_engine
from tests.conftest import DEFAULT
from tests.ui.conftest import serving, wait_until_ready
from ui.cli import app
from ui.metrics import Metrics
from ui.runtime import Runtime, assemble

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), adapters_dir=Path("none"), api_keys=())

    def load(settings: Settings, metrics: Metrics) -> Runtime:
        return assemble(load_engine(DEFAULT), DEFAULT, settings, metrics)

    with serving(settings, load) as url:
        wait_until_ready(url)
        yield url


FILES = [
    ("python", "def f(a):\n    for b in a:\n        |\n    return 1\n"),
    ("python", "print(a, |, b)\n"),
    ("python", 'name = f"hello {|}"\n'),
    ("python", "def f(a):\r\n\tif a:\r\n\t\t|\r\n\treturn a\r\n"),
    ("python", "x = [1, 2,\n|"),
    ("java", "class A {\n    int f(int x) {\n        |\n    }\n}\n"),
    ("java", "class A { void f() { g(|); } }\n"),
    ("cpp", "int main() {\n  |\n  return 0;\n}\n"),
    ("cpp", "int main() {\n  for (int i = 0; |"),
]


@pytest.mark.parametrize(("language", "file"), FILES)
@pytest.mark.parametrize("budget", [2, 12])
def test_the_file_parses_with_what_is_inserted(url: str, language: str, file: str, budget: int) -> None:
    prefix, suffix = file.split("|")
    client = OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    asked = {"model": "duet-code", "temperature": 0, "max_tokens": max(budget, 4)}
    own = f"<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>"
    language_field = {"extra_body": {"language": language}}
    choice = client.completions.create(**asked, prompt=prefix, suffix=suffix, **language_field).choices[0]
    assert choice.model_extra["prefix_parses"] is True
    assert (
        not choice.text
        or choice.model_extra["parses"] is parses(prefix + choice.text + suffix, language) is True
    )
    template = client.completions.create(**asked, prompt=own, **language_field).choices[0]
    assert (template.text, template.model_extra) == (choice.text, choice.model_extra)

    body = {"prefix": prefix, "suffix": suffix, "language": language, "max_tokens": max(budget, 4)}
    answer = httpx.post(f"{url}/api/code/complete", json=body, timeout=120).json()
    assert (answer["parses"], answer["prefix_parses"]) == (True, True)
    if language == "python":
        ast.parse(prefix + answer["code"] + suffix)
        assert answer["compiles"] is (answer["compile_problem"] is None)


def test_a_broken_prefix_is_said_so_and_filled_freely(url: str) -> None:
    body = {"prefix": "def f(a:\n    return ", "suffix": "\n", "language": "python", "max_tokens": 6}
    answer = httpx.post(f"{url}/api/code/complete", json=body, timeout=120).json()
    assert (answer["prefix_parses"], answer["parses"], answer["compiles"]) == (False, False, False)
    assert answer["compile_problem"].startswith("line ")
    assert answer["code"]


def test_after_a_broken_suffix_there_is_an_answer_all_the_same(url: str) -> None:
    # Something is missing before the cursor: where nothing is, the model may well answer nothing.
    body = {"prefix": "def add(a, b):\n    return ", "suffix": "\nclass class\n", "language": "python"}
    answer = httpx.post(f"{url}/api/code/complete", json=body, timeout=120).json()
    assert (answer["prefix_parses"], answer["parses"]) == (True, False)
    assert answer["code"]


def complete(folder: Path, name: str, text: bytes, line: int, column: int, *more: str) -> Result:
    file = folder / name
    file.write_bytes(text)
    at = ["--line", str(line), "--column", str(column)]
    return CliRunner().invoke(app, ["code", "complete", str(file), *at, *more])


def test_on_the_command_line_lines_are_those_that_an_editor_counts(tmp_path: Path) -> None:
    text = "x = 'form\\ffeed'  # \f \u2028 none of these ends a line\r\ndef twice(n):\r\n    return \r\n"
    result = complete(tmp_path, "a.py", text.encode(), 3, 12)
    assert result.exit_code == 0, result.output
    before, after = text[:-2], text[-2:]
    # the terminal's last newline is not part of the insertion
    inserted = result.stdout_bytes.decode().removesuffix("\n")
    ast.parse(before + inserted + after)
    assert "; compiles; " in result.stderr


def test_on_the_command_line_a_broken_file_is_noted_on_stderr(tmp_path: Path) -> None:
    result = complete(tmp_path, "A.java", b"class } A {\n", 2, 1, "--compile")
    assert result.exit_code == 0, result.output
    assert "does not parse, and neither did the file before" in result.stderr
    assert "does not compile: line" in result.stderr or "not compiled: " in result.stderr
