"""Requests that leave out what they can, names by which editors choose a template, and browsers from elsewhere."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from openai import OpenAI

from apps.settings import SettingsError, load_settings
from core_model.catalog import tag_of
from tests.ui.conftest import MODEL, Server
from ui.openai.schemas import ChatRequest, CompletionRequest

ELSEWHERE = "https://ide.example.com"


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("qwen2.5-coder-0.5b-instruct", "qwen2.5-coder:0.5b"),
        ("smollm2-135m-instruct", "smollm2:135m"),
        ("Qwen2.5-Coder-7B-Instruct-Q4_K_M", "qwen2.5-coder:7b"),
        ("my-model", None),
    ],
)
def test_a_base_is_also_known_as_ollama_would_call_it(name: str, tag: str | None) -> None:
    assert tag_of(name) == tag


def test_the_tag_is_a_model_like_others(client: OpenAI) -> None:
    assert "smollm2:135m" in {model.id for model in client.models.list()}
    assert client.models.retrieve("smollm2:135m").id == "smollm2:135m"
    asked = {"messages": [{"role": "user", "content": "Hi"}], "temperature": 0, "max_tokens": 4}
    tagged = client.chat.completions.create(model="smollm2:135m", **asked)
    assert tagged.model == "smollm2:135m"
    plain = client.chat.completions.create(model=MODEL, **asked)
    assert tagged.choices[0].message.content == plain.choices[0].message.content


def nulls(model: type[Any], **kept: Any) -> dict[str, Any]:
    return {**dict.fromkeys(model.model_fields), "user": None, "guided_json": None, **kept}


def test_nulls_everywhere_mean_the_defaults(server: Server) -> None:
    messages = [{"role": "user", "content": "Hi", "name": None, "tool_calls": None}]
    bodies = {
        "/v1/chat/completions": nulls(ChatRequest, messages=messages, n_predict=2),
        "/v1/completions": nulls(CompletionRequest, prompt="Once upon", n_predict=2),
    }
    for path, body in bodies.items():
        for asked in (body, {**body, "model": ""}):
            answer = httpx.post(server.url + path, json=asked, timeout=300)
            assert answer.status_code == 200, answer.text
            assert answer.json()["model"] == "duet-code"


def test_nulls_mean_the_defaults_on_duets_own_routes_too(server: Server) -> None:
    answer = httpx.post(f"{server.url}/api/support/conversations", json={"channel": None}, timeout=300)
    assert answer.status_code == 201, answer.text
    assert answer.json()["channel"] == "api"
    asked = {"task": "f", "language": "python", "effort": "quick", "max_tokens": 4}
    nothing = dict.fromkeys(("temperature", "compile", "start"))
    answer = httpx.post(f"{server.url}/api/code/write", json=asked | nothing, timeout=300)
    assert answer.status_code == 200, answer.text


def test_nothing_is_written_where_a_prompt_is_only_to_be_read(server: Server) -> None:
    messages = [{"role": "user", "content": "Remember the word marigold. " * 20}]
    asked = {"messages": messages, "n_predict": 0, "samplers": [], "cache_prompt": True, "stream": False}
    answer = httpx.post(f"{server.url}/v1/chat/completions", json=asked, timeout=300).json()
    assert answer["usage"]["completion_tokens"] == 0
    again = {**asked, "n_predict": 1}
    usage = httpx.post(f"{server.url}/v1/chat/completions", json=again, timeout=300).json()["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] > usage["prompt_tokens"] / 2


def preflight(url: str, origin: str) -> httpx.Response:
    wanted = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-stainless-os",
    }
    return httpx.options(f"{url}/v1/chat/completions", headers={"Origin": origin, **wanted}, timeout=300)


@pytest.mark.slow
def test_browsers_may_ask_from_the_origins_that_are_named(coder_url: str) -> None:
    allowed = preflight(coder_url, ELSEWHERE)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == ELSEWHERE
    assert "x-stainless-os" in allowed.headers["access-control-allow-headers"]
    answer = httpx.get(f"{coder_url}/v1/models", headers={"Origin": ELSEWHERE}, timeout=300)
    assert answer.headers["access-control-allow-origin"] == ELSEWHERE
    other = preflight(coder_url, "https://evil.example.com")
    assert other.status_code == 400
    assert "access-control-allow-origin" not in other.headers


def test_without_the_setting_no_other_origin_may(server: Server) -> None:
    answer = httpx.get(f"{server.url}/v1/models", headers={"Origin": ELSEWHERE}, timeout=300)
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-origin" not in preflight(server.url, ELSEWHERE).headers


@pytest.mark.parametrize("origin", ["*", "ide.example.com", "https://ide.example.com/", "https://"])
def test_an_origin_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("DUET_CORS_ORIGINS", f"{ELSEWHERE}, {origin}")
    with pytest.raises(SettingsError, match="DUET_CORS_ORIGINS"):
        load_settings()
