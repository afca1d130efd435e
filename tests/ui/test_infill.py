"""llama.cpp's protocol as its editors speak it: the fields that they send, and what they read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.settings import Settings
from core_model import load_engine
from tests.conftest import DEFAULT
from tests.ui.conftest import Server, serving, wait_until_ready
from ui.metrics import Metrics
from ui.runtime import Runtime, assemble

LLAMA_VIM: dict[str, Any] = {
    "id_slot": 0,
    "input_prefix": "import math\n\n\ndef area_of_circle(radius):\n",
    "input_suffix": "\n\n\nprint(area_of_circle(2))\n",
    "input_extra": [{"text": "def volume(r):\n    ...\n", "time": [1, 2], "filename": "solids.py"}],
    "prompt": "    ret",
    "n_predict": 32,
    "stop": [],
    "n_indent": 4,
    "top_k": 40,
    "top_p": 0.9,
    "samplers": ["top_k", "top_p", "infill"],
    "stream": False,
    "cache_prompt": True,
    "t_max_prompt_ms": 60_000,
    "t_max_predict_ms": 60_000,
    "response_fields": [
        "content",
        "timings/prompt_n",
        "timings/prompt_ms",
        "timings/prompt_per_token_ms",
        "timings/prompt_per_second",
        "timings/predicted_n",
        "timings/predicted_ms",
        "timings/predicted_per_token_ms",
        "timings/predicted_per_second",
        "truncated",
        "tokens_cached",
    ],
    "model": "",
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The default model, which knows fill-in-the-middle."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), adapters_dir=Path("none"), api_keys=())

    def load(settings: Settings, metrics: Metrics) -> Runtime:
        return assemble(load_engine(DEFAULT), DEFAULT, settings, metrics)

    with serving(settings, load) as url:
        wait_until_ready(url)
        yield url


def ask(url: str, **changes: Any) -> httpx.Response:
    body = {name: value for name, value in {**LLAMA_VIM, **changes}.items() if value != "left out"}
    answer = httpx.post(f"{url}/infill", json=body, timeout=120)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.slow
def test_the_answer_has_the_fields_that_were_asked_for_flat_and_on_one_line(url: str) -> None:
    answer = ask(url)
    assert '"content":"' in answer.text
    assert "\n" not in answer.text
    assert list(answer.json()) == LLAMA_VIM["response_fields"]
    assert answer.json()["content"].startswith("urn ")
    assert "\n" not in answer.json()["content"]


@pytest.mark.slow
def test_nulls_are_fields_left_out(url: str) -> None:
    nulls = dict.fromkeys(
        ("stop", "input_extra", "id_slot", "top_k", "t_max_predict_ms", "response_fields", "model")
    )
    answer = ask(url, **nulls).json()
    assert answer["content"].startswith("urn ")
    assert answer["generation_settings"]["n_ctx"] > 1000
    assert answer["timings"]["predicted_n"] == answer["tokens_predicted"] > 0
    assert answer["model"] == "duet-code"


@pytest.mark.slow
def test_limits_below_zero_are_none(url: str) -> None:
    answer = ask(url, t_max_prompt_ms=-1, t_max_predict_ms=-1, response_fields="left out").json()
    assert answer["content"]


@pytest.mark.slow
def test_alternatives_come_as_a_list_of_different_ones(url: str) -> None:
    several = ask(url, n_cmpl=3, response_fields="left out").json()
    texts = [one["content"] for one in several]
    assert 1 <= len(texts) <= 3
    assert len(set(texts)) == len(texts)
    assert all(one["generation_settings"]["n_ctx"] for one in several)


@pytest.mark.slow
def test_a_warming_call_writes_nothing_and_what_it_read_is_in_the_cache(url: str) -> None:
    file = {"filename": "shapes.py", "text": "def squircle_perimeter(side, roundness):\n    ...\n" * 8}
    warming = {
        "input_extra": [file],
        "input_prefix": "",
        "prompt": "",
        "input_suffix": "",
        "n_predict": 0,
        "samplers": [],
        "temperature": 0.0,
        "t_max_prompt_ms": 1,
        "t_max_predict_ms": 1,
        "response_fields": [""],
    }
    assert ask(url, **warming).json() == {}
    told = ask(url, input_extra=[file], response_fields="left out").json()
    assert told["timings"]["cache_n"] >= 64


@pytest.mark.slow
def test_a_suggestion_that_is_typed_along_is_there_at_once(url: str) -> None:
    whole = ask(url, prompt="    retu").json()["content"]
    started = time.perf_counter()
    rest = ask(url, prompt="    retu" + whole[:4]).json()
    assert rest["content"] == whole[4:]
    assert rest["timings/predicted_ms"] == 0
    assert time.perf_counter() - started < 60


@pytest.mark.slow
def test_time_that_is_up_ends_the_work(url: str) -> None:
    body = {"prompt": "def f(a, b, c):\n", "t_max_prompt_ms": 1, "t_max_predict_ms": 1, "n_predict": 128}
    told = ask(url, **body, response_fields="left out").json()
    assert told["stop_type"] == "limit"
    assert told["tokens_predicted"] < 16


@pytest.mark.slow
def test_a_new_request_ends_the_one_before_it_in_its_slot(url: str) -> None:
    long = {"input_prefix": "# words\n" * 200, "prompt": "x = [", "n_predict": 128}
    with ThreadPoolExecutor() as pool:
        first = pool.submit(ask, url, **long, id_slot=7)
        time.sleep(0.05)
        second = pool.submit(ask, url, prompt="    retur", id_slot=7)
        assert second.result().json()["content"]
        assert first.result().status_code == 200


@pytest.mark.slow
def test_a_stream_says_the_same_as_one_body(url: str) -> None:
    whole = ask(url, prompt="    return m").json()["content"]
    lines = ask(url, prompt="    return m", stream=True).text.splitlines()
    events = [json.loads(line.removeprefix("data: ")) for line in lines if line]
    assert "".join(event["content"] for event in events) == whole
    assert [event["stop"] for event in events] == [False] * (len(events) - 1) + [True]


def test_tokens_and_text_and_back(server: Server) -> None:
    def post(path: str, **body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.post(f"{server.url}{path}", json=body).json()
        return answer

    tokens = post("/tokenize", content="def f(): ñ")["tokens"]
    assert tokens == server.engine.tokenizer.encode("def f(): ñ")
    assert post("/detokenize", tokens=tokens)["content"] == "def f(): ñ"
    pieces = post("/tokenize", content="def f", with_pieces=True)["tokens"]
    assert "".join(piece["piece"] for piece in pieces) == "def f"
    assert post("/detokenize", tokens=[10**9])["error"]["param"] == "tokens"
    prompt = post("/apply-template", messages=[{"role": "user", "content": "Hi"}])["prompt"]
    assert post("/tokenize", content=prompt)["tokens"] == server.engine.tokenizer.encode_chat(
        [{"role": "user", "content": "Hi"}]
    )


def test_editors_are_told_what_is_served(server: Server) -> None:
    props = httpx.get(f"{server.url}/props").json()
    assert props["default_generation_settings"]["n_ctx"] == server.engine.config.context
    assert props["chat_template"]
    assert props["total_slots"] > 0


def test_an_answer_without_a_model_comes_from_the_code_assistant(server: Server) -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2, "model": None}
    assert (
        httpx.post(f"{server.url}/v1/chat/completions", json=body, timeout=120).json()["model"] == "duet-code"
    )
