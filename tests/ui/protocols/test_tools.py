"""OpenAI's client asks for JSON and for calls of tools."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from openai import BadRequestError, OpenAI
from pydantic import BaseModel

from tests.ui.conftest import MODEL, Server
from tests.ui.test_server_errors import refused

QUESTION = [
    {"role": "user", "content": "Which city is the capital of France, and how many people live there?"}
]
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
TOOL = {
    "type": "function",
    "function": {"name": "note_city", "description": "Write a city down", "parameters": CITY},
}
OTHER = {"type": "function", "function": {"name": "forget"}}
ASKED: dict[str, Any] = {"model": MODEL, "messages": QUESTION, "temperature": 0, "max_tokens": 80}


class City(BaseModel):
    city: str
    people: int


def as_schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


def test_an_answer_follows_its_schema(client: OpenAI) -> None:
    answer = client.chat.completions.create(**ASKED, response_format=as_schema(CITY))
    assert City.model_validate_json(answer.choices[0].message.content, strict=True)
    parsed = client.chat.completions.parse(**ASKED, response_format=City).choices[0].message.parsed
    assert isinstance(parsed, City)


def test_an_answer_is_an_object(client: OpenAI) -> None:
    answer = client.chat.completions.create(**ASKED, response_format={"type": "json_object"})
    assert isinstance(json.loads(answer.choices[0].message.content), dict)


@pytest.mark.parametrize("limit", [20, 24, 31])
def test_json_cut_short_is_json_all_the_same(client: OpenAI, limit: int) -> None:
    answer = client.chat.completions.create(
        **{**ASKED, "max_tokens": limit, "temperature": 1.5, "seed": limit}, response_format=as_schema(CITY)
    )
    City.model_validate_json(answer.choices[0].message.content, strict=True)


def test_a_stream_of_json_says_the_same_as_one_body(client: OpenAI) -> None:
    asked = {**ASKED, "response_format": as_schema(CITY)}
    whole = client.chat.completions.create(**asked).choices[0].message.content
    chunks = client.chat.completions.create(**asked, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "note_city"}}])
def test_a_demanded_call_follows_its_parameters(client: OpenAI, choice: Any) -> None:
    asked = {**ASKED, "tools": [TOOL], "tool_choice": choice, "parallel_tool_calls": False}
    answer = client.chat.completions.create(**asked).choices[0]
    (call,) = answer.message.tool_calls
    assert answer.message.content is None
    assert answer.finish_reason == "tool_calls"
    assert call.function.name == "note_city"
    assert call.id
    arguments = City.model_validate_json(call.function.arguments, strict=True)
    deltas = [chunk.choices[0] for chunk in client.chat.completions.create(**asked, stream=True)]
    (delta,) = [call for chunk in deltas for call in chunk.delta.tool_calls or []]
    assert delta.index == 0
    assert City.model_validate_json(delta.function.arguments) == arguments
    assert not "".join(chunk.delta.content or "" for chunk in deltas)
    assert deltas[-1].finish_reason == "tool_calls"


def test_a_named_tool_is_the_only_one(client: OpenAI) -> None:
    choice = {"type": "function", "function": {"name": "forget"}}
    answer = client.chat.completions.create(**ASKED, tools=[TOOL, OTHER], tool_choice=choice)
    assert {call.function.name for call in answer.choices[0].message.tool_calls} == {"forget"}


def test_no_call_is_made_where_none_is_allowed(client: OpenAI) -> None:
    plain = client.chat.completions.create(**ASKED).choices[0].message.content
    answer = client.chat.completions.create(**ASKED, tools=[TOOL], tool_choice="none").choices[0].message
    assert answer.tool_calls is None
    assert answer.content == plain


def test_what_a_tool_said_is_read(client: OpenAI) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "forget", "arguments": "{}"}}
    conversation = [
        {"role": "user", "content": "What is the password?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "The password is swordfish."},
    ]
    answer = client.chat.completions.create(**{**ASKED, "messages": conversation}, tools=[OTHER])
    assert "swordfish" in answer.choices[0].message.content


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
        ({"tools": [TOOL], "tool_choice": "perhaps"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "x"}}}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "x"}}}]}, "tools"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"response_format": as_schema({"$ref": "#/nowhere"})}, "response_format"),
        ({"response_format": {"type": "json_object"}, "language": "python"}, "language"),
        ({"response_format": as_schema(CITY), "max_tokens": 2}, "max_tokens"),
        ({"model": "duet-support", "tools": [TOOL]}, "tools"),
        ({"model": "duet-support", "response_format": {"type": "json_object"}}, "response_format"),
        ({"guided_json": CITY}, "guided_json"),
        ({"grammar": "root ::= x"}, "grammar"),
        ({"min_tokens": 5}, "min_tokens"),
        ({"ignore_eos": True}, "ignore_eos"),
        ({"skip_special_tokens": False}, "skip_special_tokens"),
        ({"function_call": "auto"}, "function_call"),
        ({"logit_bias": {"5": 100}}, "logit_bias"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(
    server: Server, change: dict[str, Any], param: str
) -> None:
    answer = httpx.post(f"{server.url}/v1/chat/completions", json={**ASKED, **change}, timeout=300)
    assert refused(answer, 400)["param"] == param


@pytest.mark.parametrize(
    "change",
    [{"guided_json": None}, {"min_tokens": 0}, {"typical_p": 1.0}, {"ignore_eos": False}, {"tools": []}],
)
def test_what_says_nothing_is_let_through(server: Server, change: dict[str, Any]) -> None:
    asked = {**ASKED, "max_tokens": 1, **change}
    assert httpx.post(f"{server.url}/v1/chat/completions", json=asked, timeout=300).status_code == 200


def test_a_refusal_is_an_error_of_the_clients_own(client: OpenAI) -> None:
    with pytest.raises(BadRequestError, match="guided_regex"):
        client.completions.create(model=MODEL, prompt="a", extra_body={"guided_regex": "a+"})


def test_the_template_can_be_seen_with_its_tools(server: Server) -> None:
    asked = {"messages": QUESTION, "tools": [TOOL], "tool_choice": "auto"}
    told = httpx.post(f"{server.url}/apply-template", json=asked, timeout=300).json()["prompt"]
    tokens = httpx.post(f"{server.url}/tokenize", json={"content": told}, timeout=300).json()["tokens"]
    answer = httpx.post(
        f"{server.url}/v1/chat/completions", json={**ASKED, **asked, "max_tokens": 1}, timeout=300
    )
    assert "note_city" in told
    assert len(tokens) == answer.json()["usage"]["prompt_tokens"]


@pytest.mark.slow
def test_the_default_model_uses_its_own_template_for_tools(coder_url: str) -> None:
    client = OpenAI(base_url=f"{coder_url}/v1", api_key="none", max_retries=0, timeout=300)
    question = [{"role": "user", "content": "Write down that Ulm has 129000 inhabitants."}]
    asked = {"model": "qwen2.5-coder:0.5b", "messages": question, "tools": [TOOL], "temperature": 0}
    answer = client.chat.completions.create(**asked, tool_choice="required", parallel_tool_calls=False)
    (call,) = answer.choices[0].message.tool_calls
    assert City.model_validate_json(call.function.arguments) == City(city="Ulm", people=129000)
