"""Ollama's own Python client against the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import ollama
import pytest

from apps.code.syntax import parses
from tests.ui.conftest import MODEL, Server

TAG = "smollm2:135m"
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
GREEDY = {"temperature": 0, "num_predict": 12}
PREFIX, SUFFIX = "def add(a, b):\n    return ", "\n\n\nprint(add(1, 2))\n"


@pytest.fixture
def client(server: Server) -> ollama.Client:
    return ollama.Client(server.url, timeout=300)


@pytest.fixture
def coder(coder_url: str) -> ollama.Client:
    return ollama.Client(coder_url, timeout=300)


@pytest.mark.parametrize("name", [MODEL, TAG, f"{MODEL}:latest", "duet-code"])
def test_a_conversation_is_answered(client: ollama.Client, name: str) -> None:
    answer = client.chat(name, QUESTION, options=GREEDY)
    assert "Paris" in answer.message.content
    assert answer.done
    assert answer.done_reason in ("stop", "length")
    assert answer.model.startswith(name)
    assert 0 < answer.eval_count <= 12
    assert answer.prompt_eval_count > 5
    assert answer.total_duration >= answer.eval_duration > 0


def test_a_stream_says_the_same_as_one_body(client: ollama.Client) -> None:
    whole = client.chat(MODEL, QUESTION, options=GREEDY)
    chunks = list(client.chat(MODEL, QUESTION, options=GREEDY, stream=True))
    assert "".join(chunk.message.content for chunk in chunks) == whole.message.content
    assert [chunk.done for chunk in chunks[-2:]] == [False, True]
    assert chunks[-1].eval_count == whole.eval_count


def test_a_prompt_is_a_users_message(client: ollama.Client) -> None:
    answer = client.generate(MODEL, QUESTION[0]["content"], options=GREEDY)
    assert answer.response == client.chat(MODEL, QUESTION, options=GREEDY).message.content
    chunks = list(client.generate(MODEL, QUESTION[0]["content"], options=GREEDY, stream=True))
    assert "".join(chunk.response for chunk in chunks) == answer.response


def test_raw_continues_a_text(client: ollama.Client) -> None:
    answer = client.generate(
        MODEL, "The capital of France is", raw=True, options={"temperature": 0, "num_predict": 3}
    )
    assert "Paris" in answer.response
    assert answer.eval_count == 3
    assert answer.done_reason == "length"


def test_raw_goes_on_for_longer_than_openais_completions(client: ollama.Client) -> None:
    answer = client.generate(
        MODEL, "1, 2, 3, 4, 5, 6, 7, 8,", raw=True, options={"temperature": 0, "stop": ["20"]}
    )
    assert answer.eval_count > 16


def test_options_are_honoured(client: ollama.Client) -> None:
    def story(**options: Any) -> str:
        asked = {"temperature": 1, "num_predict": 10, **options}
        return client.generate(MODEL, "Tell me a story.", options=asked).response

    story(seed=4)  # reads the prompt: from the cache it is not the same to the last bit
    assert story(seed=4) == story(seed=4)
    assert len({story(seed=seed) for seed in range(3)}) > 1
    first = story(seed=4).split()[0]
    assert first not in story(seed=4, stop=[first])


def test_json_follows_its_schema(client: ollama.Client) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    answer = client.chat(MODEL, QUESTION, format=schema, options={"temperature": 0, "num_predict": 60})
    assert isinstance(json.loads(answer.message.content)["city"], str)
    assert isinstance(
        json.loads(client.generate(MODEL, "A colour?", format="json", options=GREEDY).response), dict
    )


def test_tools_are_called(client: ollama.Client) -> None:
    def weather(city: str) -> str:
        """The weather.

        Args:
            city: a city's name
        """
        return city

    asked = {"tools": [weather], "options": {"temperature": 0, "num_predict": 80}}
    told = [*QUESTION, {"role": "assistant", "tool_calls": [_call("weather", {"city": "Ulm"})]}]
    told.append({"role": "tool", "tool_name": "weather", "content": "It rains in Ulm."})
    answer = client.chat(MODEL, told, **asked)
    assert answer.message.content or answer.message.tool_calls
    chunks = list(client.chat(MODEL, told, **asked, stream=True))
    streamed = [call for chunk in chunks for call in chunk.message.tool_calls or []]
    assert streamed == list(answer.message.tool_calls or [])


def _call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}}


def test_an_empty_request_loads_the_model(client: ollama.Client) -> None:
    assert client.generate(MODEL).done_reason == "load"
    assert client.chat(MODEL).done_reason == "load"


def test_models_are_listed_and_shown(client: ollama.Client, server: Server) -> None:
    listed = {model.model for model in client.list().models}
    assert {f"{MODEL}:latest", TAG, "duet-code:latest", "duet-support:latest"} <= listed
    shown = client.show(TAG)
    assert shown.capabilities == ["completion", "tools"]
    assert shown.modelinfo["llama.context_length"] == server.engine.config.context
    assert shown.modelinfo["general.parameter_count"] == pytest.approx(134.5e6, rel=0.01)
    assert client.show("duet-support").capabilities == ["completion"]
    version = httpx.get(f"{server.url}/api/version", timeout=300).json()["version"]
    assert [int(part) for part in version.split(".")] > [0, 6, 4]  # what VS Code wants at least


@pytest.mark.parametrize(
    ("asked", "message", "status"),
    [
        ({"model": "missing"}, "does not exist", 404),
        ({"options": {"mirostat": 2}}, "mirostat", 400),
        ({"options": {"num_predict": "many"}}, "num_predict", 400),
        ({"options": {"temperature": -1}}, "temperature", 400),
        ({"format": "xml"}, "format", 400),
        ({"template": "{{ .Prompt }}"}, "template", 400),
        ({"context": [1, 2]}, "context", 400),
        ({"suffix": "}"}, "fill in the middle", 400),
        ({"images": ["aGk="]}, "images", 400),
        ({"think": True}, "think", 400),
        ({"raw": True, "system": "Be brief."}, "system", 400),
        ({"raw": True, "format": "json"}, "format", 400),
    ],
)
def test_what_is_not_honoured_is_refused_in_ollamas_form(
    server: Server, asked: dict[str, Any], message: str, status: int
) -> None:
    answer = httpx.post(
        f"{server.url}/api/generate", json={"model": MODEL, "prompt": "a", **asked}, timeout=60
    )
    assert answer.status_code == status
    assert answer.json().keys() == {"error"}
    assert message in answer.json()["error"]


def test_the_client_reads_why_it_was_refused(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="does not exist") as caught:
        client.generate("missing", "a")
    assert caught.value.status_code == 404


def lines(url: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with httpx.stream("POST", url, json=body, timeout=300) as answer:
        assert answer.headers["content-type"] == "application/x-ndjson"
        yield from map(json.loads, answer.iter_lines())


def test_lines_come_one_by_one_where_nothing_else_is_said(server: Server) -> None:
    body = {"model": MODEL, "prompt": "Count.", "suffix": None, "options": {**GREEDY, "seed": None}}
    answer = list(lines(f"{server.url}/api/generate", body))
    assert len(answer) > 3
    assert all(line["model"] == f"{MODEL}:latest" for line in answer)


@pytest.mark.slow
def test_a_gap_is_filled(coder: ollama.Client, coder_url: str) -> None:
    answer = coder.generate("qwen2.5-coder:0.5b", PREFIX, SUFFIX)
    assert answer.response.startswith("a + b")
    assert parses(PREFIX + answer.response + SUFFIX, "python")
    own = f"<|fim_prefix|>{PREFIX}<|fim_suffix|>{SUFFIX}<|fim_middle|>"
    assert coder.generate("qwen2.5-coder:0.5b", own, raw=True).response == answer.response
    streamed = coder.generate("qwen2.5-coder:0.5b", PREFIX, SUFFIX, stream=True)
    assert "".join(chunk.response for chunk in streamed) == answer.response
    assert (
        ".Suffix" in coder.show("qwen2.5-coder:0.5b").template
    )  # by which Continue sees that gaps can be filled
    assert "insert" in coder.show("qwen2.5-coder:0.5b").capabilities
