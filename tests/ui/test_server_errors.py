"""Whatever a client sends, the answer has OpenAI's shape, and the next client is served."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openai import OpenAI

from apps.settings import Settings
from core_model import Engine
from core_model.errors import CheckpointError
from tests.ui.conftest import MODEL, Server, borrowed, serving, wait_until_ready
from ui.body_limit import MAX_BODY_BYTES
from ui.metrics import Metrics
from ui.openai.schemas import ChatRequest, CompletionRequest
from ui.runtime import Runtime

QUESTION = [{"role": "user", "content": "Hi"}]
GOOD = {"model": MODEL, "messages": QUESTION, "max_tokens": 1}


@pytest.fixture(autouse=True)
def still_serving(server: Server) -> Iterator[None]:
    """After every test of this file the server answers as before, and nothing is left running."""
    yield
    answer = httpx.post(f"{server.url}/v1/chat/completions", json=GOOD, timeout=60)
    assert answer.status_code == 200
    server.wait_until_idle()


def refused(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["message"]
    return error


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "king", "content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0].type"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": "0.5"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"temperature": -1}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_p": 1.5}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_completion_tokens": -3}, "max_completion_tokens"),
        ({"n": 0}, "n"),
        ({"n": 10_000}, "n"),
        ({"stop": [""]}, "stop"),
        ({"stop": [1]}, "stop[0]"),
        ({"seed": 2**70}, "seed"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"window": 31}, "window"),
        ({"window": 4096}, "window"),
        ({"attention": "linear"}, "attention"),
        ({"attention": "sparse", "window": 64}, "attention"),
        ({"language": "cobol"}, "language"),
        ({"logit_bias": {"5": 100}}, "logit_bias"),
        ({"presence_penalty": 1.0}, "presence_penalty"),
        (
            {"messages": [*QUESTION, {"role": "assistant", "content": "[", "prefix": True}]},
            "messages[1].prefix",
        ),
        (
            {"messages": [*QUESTION, {"role": "assistant", "content": "[", "partial": True}]},
            "messages[1].partial",
        ),
        ({"messages": [{"role": "assistant", "function_call": {"name": "f"}}]}, "messages[0].function_call"),
        ({"continue_final_message": True}, "continue_final_message"),
        ({"n_cmpl": 3}, "n_cmpl"),
        ({"regex": "[01]"}, "regex"),
        ({"max_new_tokens": 5}, "max_new_tokens"),
        ({"do_sample": False}, "do_sample"),
        ({"random_seed": 7}, "random_seed"),
        ({"extra_body": {"guided_json": {}}}, "extra_body"),
        ({"best_of": 3}, "best_of"),
        ({"echo": True}, "echo"),
        ({"stream_options": {"include_usage": "yes"}}, "stream_options.include_usage"),
        ({"system": "Answer in German."}, "system"),
        ({"stop_sequences": ["."]}, "stop_sequences"),
        ({"thinking": {"type": "enabled", "budget_tokens": 100}}, "thinking"),
        ({"enable_thinking": True}, "enable_thinking"),
        ({"instructions": "Be brief."}, "instructions"),
        ({"max_output_tokens": 5}, "max_output_tokens"),
        ({"adapter_id": "legal"}, "adapter_id"),
        ({"typical": 0.2}, "typical"),
        ({"beam_width": 4}, "beam_width"),
        ({"detokenize": False}, "detokenize"),
        ({"image_data": [{"data": "iVBORw0", "id": 1}]}, "image_data"),
        ({"suffix": "}"}, "suffix"),
        ({"prompt": "Hi"}, "prompt"),
    ],
)
def test_a_wrong_value_is_refused_by_name(server: Server, change: dict[str, Any], param: str) -> None:
    for stream in (False, True):
        body = json.dumps({**GOOD, **change, "stream": stream})
        headers = {"Content-Type": "application/json"}
        answer = httpx.post(f"{server.url}/v1/chat/completions", content=body, headers=headers)
        error = refused(answer, 400)
        assert error["param"] == param
        assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "beside",
    [
        {"max_tokens": -1, "max_completion_tokens": 1},
        {"top_k": -1},
        {"chat_template_kwargs": {"enable_thinking": False}},
        {"thinking": {"type": "disabled"}, "enable_thinking": False},
        {"stop_sequences": [], "system": "", "typical": 1.0, "beam_width": 1, "detokenize": True},
        {"suffix": "", "prompt": None, "reasoning_effort": "low", "service_tier": "auto"},
    ],
)
def test_what_says_the_same_as_nothing_is_let_through(server: Server, beside: dict[str, Any]) -> None:
    answer = httpx.post(f"{server.url}/v1/chat/completions", json={**GOOD, **beside}, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.json()["usage"]["completion_tokens"] == 1


@pytest.mark.parametrize(
    ("route", "body", "param"),
    [
        ("/v1/completions", {"prompt": "a", "response_format": {"type": "json_object"}}, "response_format"),
        ("/v1/completions", {"prompt": "a", "messages": QUESTION}, "messages"),
        ("/infill", {"input_prefix": "a", "frequency_penalty": 0.5}, "frequency_penalty"),
        ("/infill", {"input_prefix": "a", "logit_bias": [[1, False]]}, "logit_bias"),
        ("/infill", {"input_prefix": "a", "ignore_eos": True}, "ignore_eos"),
        ("/infill", {"input_prefix": "a", "suffix": "b"}, "suffix"),
        ("/infill", {"input_prefix": "a", "n": 3}, "n"),
    ],
)
def test_what_another_route_honours_is_refused_by_name(
    server: Server, route: str, body: dict[str, Any], param: str
) -> None:
    assert refused(httpx.post(server.url + route, json=body), 400)["param"] == param


def test_half_a_surrogate_pair_which_json_can_carry_hurts_nobody(server: Server) -> None:
    headers = {"Content-Type": "application/json"}
    for change, status in (
        ({"model": "\ud800"}, 404),
        ({"messages": [{"role": "user", "content": "\ud800"}]}, 200),
    ):
        body = json.dumps({**GOOD, **change})
        answer = httpx.post(f"{server.url}/v1/chat/completions", content=body, headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"model": "\xff", "messages": []}',
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"model": 1e999}',
        b"\x00" * 100,
    ],
    ids=[
        "cut off",
        "empty",
        "list",
        "string",
        "null",
        "no utf-8",
        "no utf-8 inside",
        "nested",
        "deep",
        "inf",
        "nul",
    ],
)
def test_a_body_that_is_no_json_object_is_refused(server: Server, body: bytes) -> None:
    for route in ("chat/completions", "completions", "load_lora_adapter"):
        headers = {"Content-Type": "application/json"}
        refused(httpx.post(f"{server.url}/v1/{route}", content=body, headers=headers), 400)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


LIMITS = ("max_tokens", "max_completion_tokens", "n_predict")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    field=st.sampled_from(sorted(ChatRequest.model_fields.keys() | CompletionRequest.model_fields)),
    value=ANYTHING,
)
def test_no_value_of_any_field_breaks_the_server(server: Server, field: str, value: Any) -> None:
    assume(not (field in LIMITS and isinstance(value, int) and value > 32))
    for route, good in (("chat/completions", GOOD), ("completions", {**GOOD, "prompt": "Hi"})):
        answer = httpx.post(f"{server.url}/v1/{route}", json={"window": 32, **good, field: value}, timeout=60)
        if answer.status_code != 200:
            refused(answer, 404 if field == "model" and isinstance(value, str) else 400)


def test_a_body_of_another_type_is_refused_so_that_web_pages_cannot_send_one(server: Server) -> None:
    headers = {"Content-Type": "text/plain"}
    answer = httpx.post(f"{server.url}/v1/chat/completions", content=json.dumps(GOOD), headers=headers)
    assert "application/json" in refused(answer, 400)["message"]


def test_neutral_values_of_what_is_not_supported_are_taken(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model=MODEL, messages=QUESTION, max_tokens=1, presence_penalty=0, frequency_penalty=0, user="me"
    )
    assert answer.choices


def test_an_unknown_model_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-5", messages=QUESTION)
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"
    assert MODEL in caught.value.message


def test_a_prompt_longer_than_the_context_is_refused_by_its_code(client: OpenAI) -> None:
    long = "word " * 9000
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": long}])
    assert caught.value.code == "context_length_exceeded"
    assert caught.value.param == "messages"
    with pytest.raises(openai.BadRequestError) as caught:
        client.completions.create(model=MODEL, prompt=long, stream=True)
    assert caught.value.code == "context_length_exceeded"
    assert caught.value.param == "prompt"


def test_an_empty_prompt_is_refused(client: OpenAI) -> None:
    for prompt in ("", [], [""]):
        with pytest.raises(openai.BadRequestError) as caught:
            client.completions.create(model=MODEL, prompt=prompt)
        assert caught.value.param == "prompt"


def test_a_body_beyond_the_limit_is_refused_announced_or_not(server: Server) -> None:
    url = f"{server.url}/v1/chat/completions"
    large = b"x" * (MAX_BODY_BYTES + 1)
    headers = {"Content-Type": "application/json"}
    refused(httpx.post(url, content=large, headers=headers), 413)
    chunks = (large[start : start + 65_536] for start in range(0, len(large), 65_536))
    refused(httpx.post(url, content=chunks, headers=headers), 413)


def test_routes_and_methods_that_are_not_there_answer_in_the_same_shape(server: Server) -> None:
    assert refused(httpx.get(f"{server.url}/v1/nothing"), 404)["code"] == "not_found"
    assert refused(httpx.get(f"{server.url}/v1/chat/completions"), 405)["code"] == "method_not_allowed"


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01 no http at all\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b""])
def test_what_is_no_http_at_all_hurts_nobody(server: Server, garbage: bytes) -> None:
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(4096)


def test_a_client_that_leaves_in_the_middle_of_its_body_hurts_nobody(server: Server) -> None:
    host, _, port = server.url.removeprefix("http://").partition(":")
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head + b'Content-Length: 1000\r\n\r\n{"model"')


def test_a_running_adapterless_server_counts_what_it_does(server: Server, client: OpenAI) -> None:
    def counted() -> dict[str, float]:
        lines = httpx.get(f"{server.url}/metrics").text.splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    name = f'duet_tokens_total{{kind="completion",model="{MODEL}"}}'
    before = counted().get(name, 0)
    client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=3, stream=True).response.read()
    after = counted()
    assert 0 < after[name] - before <= 3
    assert after["duet_engine_running"] == 0
    assert after['duet_http_requests_total{path="/v1/chat/completions",status="200"}'] > 0


class TestKeys:
    @pytest.fixture(scope="class")
    def guarded(self, edge_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
        home = tmp_path_factory.mktemp("home")
        settings = Settings(home=home, adapters_dir=home, api_keys=("first-key", "second-key"))

        with serving(settings, borrowed(edge_engine)) as url:
            wait_until_ready(url)
            yield url

    def test_every_key_opens_the_door(self, guarded: str) -> None:
        for key in ("first-key", "second-key"):
            with OpenAI(base_url=f"{guarded}/v1", api_key=key, max_retries=0) as client:
                assert client.models.list().data

    @pytest.mark.parametrize(
        "header", [None, "Bearer", "Bearer wrong", "Basic first-key", "first-key", "Bearer é"]
    )
    def test_nothing_else_does(self, guarded: str, header: str | None) -> None:
        headers = {} if header is None else {"Authorization": header.encode()}
        for path in ("/v1/models", "/metrics"):
            answer = httpx.get(guarded + path, headers=headers)
            assert refused(answer, 401)["code"] == "invalid_api_key"
            assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_every_route_asks_for_a_key_but_those_for_supervisors_and_signed_ones(self, guarded: str) -> None:
        key = {"Authorization": "Bearer first-key"}
        paths = httpx.get(f"{guarded}/openapi.json", headers=key).json()["paths"]
        assert "/v1/chat/completions" in paths
        for path, methods in paths.items():
            for method in methods:
                status = httpx.request(method, guarded + path, json={}).status_code
                open_ones = {
                    "/health": 200,
                    "/ready": 200,
                    "/integrations/chatwoot": 404,
                    "/integrations/zendesk": 404,
                }
                assert status == open_ones.get(path, 401), (method, path)

    def test_without_keys_only_this_machine_is_answered(self, server: Server) -> None:
        """A foreign name is what a browser sends for a web page that points its own name here."""
        error = refused(httpx.get(f"{server.url}/v1/models", headers={"Host": "evil.example"}), 401)
        assert "DUET_API_KEYS" in error["message"]
        for host in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
            assert httpx.get(f"{server.url}/v1/models", headers={"Host": host}).status_code == 200


def test_health_answers_while_the_model_is_loading_and_ready_when_it_is_there(
    edge_engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("home")
    go_on = threading.Event()

    def load(settings: Settings, metrics: Metrics) -> Runtime:
        go_on.wait()
        return borrowed(edge_engine)(settings, metrics)

    with serving(Settings(home=home, adapters_dir=home, api_keys=()), load) as url:
        assert httpx.get(f"{url}/health").json() == {"status": "ok"}
        waiting = httpx.get(f"{url}/ready")
        assert refused(waiting, 503)["code"] == "not_ready"
        assert waiting.headers["Retry-After"]
        refused(httpx.post(f"{url}/v1/chat/completions", json=GOOD), 503)
        go_on.set()
        wait_until_ready(url)
        assert httpx.get(f"{url}/ready").json() == {"status": "ready", "model": MODEL}


def test_a_model_that_cannot_be_loaded_is_told_by_ready(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")

    def load(settings: Settings, metrics: Metrics) -> Runtime:
        raise CheckpointError(f"{home}/missing.gguf does not exist")

    with serving(Settings(home=home, adapters_dir=home, api_keys=()), load) as url:
        time.sleep(0.2)
        assert "missing.gguf" in refused(httpx.get(f"{url}/ready"), 503)["message"]
        assert httpx.get(f"{url}/health").status_code == 200
