"""The default model edits selections: over HTTP as an editor asks, by the code API, and on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from apps.code.syntax import parses
from apps.settings import Settings
from core_model import Engine, load_engine
from tests.conftest import DEFAULT
from tests.ui.conftest import Server, serving, wait_until_ready
from ui.cli import app
from ui.metrics import Metrics
from ui.runtime import Runtime, assemble

pytestmark = pytest.mark.slow

HEAD = "import math\n\n\nclass Circle:\n    def __init__(self, radius):\n        self.radius = radius\n\n"
AREA = "    def area(self):\n        return math.pi * self.radius ** 2\n"
TAIL = "\n    def scale(self, factor):\n        self.radius *= factor\n"
TOTAL = (
    "def total(items):\n    result = 0\n    for item in items:\n"
    "        result += item.price * item.count\n    return result\n"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), adapters_dir=Path("none"), api_keys=())
    engines: list[Engine] = []

    def load(settings: Settings, metrics: Metrics) -> Runtime:
        engines.append(load_engine(DEFAULT))
        return assemble(engines[0], DEFAULT, settings, metrics)

    with serving(settings, load) as url:
        wait_until_ready(url)
        yield Server(url, engines[0])


def vim_messages(
    instruction: str, prefix: str = HEAD, selection: str = AREA, suffix: str = TAIL
) -> list[Any]:
    """What llama.vim's llama#inst_build makes of a selection of whole lines."""
    parts = {"CONTEXT": "", "PREFIX": prefix, "SELECTION": selection, "SUFFIX": suffix}
    told = "You are a text-editing assistant. Respond ONLY with the result of applying INSTRUCTION to SELECTION.\n\n"
    for name, text in parts.items():
        told += f"--- {name:<11} {'-' * 40}\n" + "\n".join(text.splitlines()) + "\n"
    user = f"INSTRUCTION: {instruction}" if instruction else ""
    return [{"role": "system", "content": told}, {"role": "user", "content": user}]


def vim_edit(url: str, messages: list[Any]) -> str:
    """The text that llama.vim collects from the stream."""
    body = {
        "id_slot": 0, "messages": messages, "min_p": 0.1, "temperature": 0.1, "samplers": ["min_p", "temperature"],
        "stream": True, "cache_prompt": True, "seed": 1,
    }  # fmt: skip
    said = ""
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=300) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                said += json.loads(line[6:])["choices"][0]["delta"].get("content") or ""
    return said


def test_llama_vim_gets_the_lines_alone_indented_as_they_were(server: Server) -> None:
    said = vim_edit(server.url, vim_messages("raise a ValueError if the radius is negative"))
    assert "raise ValueError" in said
    assert all(line.startswith("    ") for line in said.splitlines() if line.strip())
    assert "```" not in said
    assert "class Circle" not in said
    assert parses(f"{HEAD}{said}\n{TAIL}", "python")


def test_what_llama_vim_reads_ahead_is_read_once(server: Server) -> None:
    selection = HEAD + AREA + TAIL * 6
    warming = {
        "id_slot": 0, "messages": vim_messages("", "", selection, ""), "samplers": [], "n_predict": 0, "stream": False,
        "cache_prompt": True, "response_fields": [""],
    }  # fmt: skip
    before = server.engine.statistics.prompt_tokens
    httpx.post(f"{server.url}/v1/chat/completions", json=warming, timeout=300).raise_for_status()
    ahead = server.engine.statistics.prompt_tokens
    vim_edit(server.url, vim_messages("add a docstring to area", "", selection, ""))
    assert ahead - before > 120
    assert server.engine.statistics.prompt_tokens - ahead < 80


def test_a_further_instruction_of_llama_vim_is_about_what_the_one_before_gave(server: Server) -> None:
    given = "    def area(self):\n        return 3 * self.radius ** 2"
    messages = [*vim_messages("use 3"), {"role": "assistant", "content": given}]
    said = vim_edit(server.url, [*messages, {"role": "user", "content": "INSTRUCTION: add a docstring"}])
    assert '"""' in said
    assert "3 * self.radius" in said
    assert parses(f"{HEAD}{said}\n{TAIL}", "python")


def test_a_question_of_llama_vim_is_answered(server: Server) -> None:
    said = vim_edit(server.url, vim_messages("In one sentence: what does this method calculate?"))
    assert "area" in said.lower()
    assert not parses(said, "python")


def test_llama_vscode_gets_the_edited_code_alone(server: Server) -> None:
    asked = (
        "Modify the following original code according to the instructions. Output only the modified code. "
        f"No explanations.\n\ninstructions:\nrename item to product\n\noriginal code:\n{TOTAL}\n\nmodified code:"
    )
    messages = [
        {"role": "system", "content": "You are an expert coder.\n"},
        {"role": "user", "content": asked},
    ]
    body = {
        "messages": messages, "stream": False, "cache_prompt": True, "temperature": 0.8, "top_p": 0.95, "seed": 3,
    }  # fmt: skip
    answer = httpx.post(f"{server.url}/v1/chat/completions", json=body, timeout=300).json()
    said = answer["choices"][0]["message"]["content"]
    assert said.startswith("def total(")
    assert parses(said, "python")


def test_what_is_repeated_of_the_selection_comes_several_tokens_a_step(server: Server) -> None:
    before = server.engine.statistics
    body = {"instruction": "rename item to product", "selection": TOTAL, "filename": "a.py"}
    answer = httpx.post(f"{server.url}/api/code/edit", json=body, timeout=300).json()
    after = server.engine.statistics
    assert "product.price" in answer["code"]
    assert after.accepted_tokens - before.accepted_tokens > answer["tokens"] / 4
    assert after.steps - before.steps < answer["tokens"]


def test_the_code_api_edits_a_selection_in_its_place(server: Server) -> None:
    body = {
        "instruction": "add a type hint for the result",
        "prefix": HEAD,
        "selection": AREA,
        "suffix": TAIL,
    }
    answer = httpx.post(f"{server.url}/api/code/edit", json={**body, "filename": "c.py"}, timeout=300).json()
    assert "def area(self) -> float:" in answer["code"]
    assert answer["parses"]
    assert answer["compiles"]
    assert answer["selection"] == AREA
    assert "-    def area(self):\n+    def area(self) -> float:\n" in answer["diff"]
    assert answer["diff"].startswith("--- a/c.py\n+++ b/c.py\n")


def test_an_edit_comes_as_events_too(server: Server) -> None:
    body = {"instruction": "return 4", "selection": "def f():\n    return 3\n", "language": "python"}
    wanted = {"Accept": "text/event-stream"}
    got = httpx.post(f"{server.url}/api/code/edit", json=body, headers=wanted, timeout=300).text
    frames = [frame.split("\ndata: ") for frame in got.strip().split("\n\n")]
    tokens = [json.loads(data)["text"] for name, data in frames if name == "event: token"]
    assert frames[-1][0] == "event: done"
    assert "".join(tokens) == json.loads(frames[-1][1])["code"]


def test_an_edit_of_nothing_is_refused_by_name(server: Server) -> None:
    body = {"instruction": "shorten it", "selection": "\n", "language": "python"}
    refused = httpx.post(f"{server.url}/api/code/edit", json=body, timeout=300)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "selection")


def test_on_the_command_line_lines_are_edited_and_the_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "total.py"
    file.write_text(f"RATE = 2\n\n\n{TOTAL}")
    command = ["code", "edit", str(file), "rename item to product", "--lines", "4-8", "--diff"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert file.read_text() == f"RATE = 2\n\n\n{TOTAL}"
    assert "+        result += product.price * product.count\n" in result.stdout
    assert "RATE" not in "".join(line for line in result.stdout.splitlines() if line[:1] in "+-")
    beyond = CliRunner().invoke(app, ["code", "edit", str(file), "x", "--lines", "7-90"])
    assert beyond.exit_code == 2
    assert "up to 8" in beyond.output
