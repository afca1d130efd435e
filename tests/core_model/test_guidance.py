"""JSON schemas and calls of tools as a condition on every token, with the tokens of two real models."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from core_model.answer_shape import ANY_OBJECT, AnswerShape, Tool
from core_model.errors import RequestError
from core_model.guidance import GuidedText
from core_model.tokenizer import Tokenizer
from core_model.tool_calls import CallReader, ToolCall, read_calls

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "age": {"type": "integer", "minimum": 18},
        "mail": {"type": "string", "pattern": "^[a-z]+@[a-z]+\\.de$"},
        "tags": {"type": "array", "items": {"enum": ["red", "grün"]}, "minItems": 2},
        "home": {"$ref": "#/$defs/place"},
    },
    "required": ["name", "age", "mail", "tags", "home"],
    "additionalProperties": False,
    "$defs": {
        "place": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "at": {"type": ["number", "null"]}},
            "required": ["city", "at"],
            "additionalProperties": False,
        }
    },
}
PEOPLE = {"person": PERSON, **PERSON["$defs"]}
LIST = {"type": "array", "items": {"$ref": "#/$defs/person"}, "minItems": 1, "$defs": PEOPLE}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
RAIN = Tool("rain", "Whether it rains", CITY)
CLOCK = Tool("clock")
CALL = '<tool_call>\n{"name": "rain", "arguments": {"city": "</tool_call> in Köln"}}\n</tool_call>'


def takes(constraint: GuidedText, tokens: list[int]) -> bool:
    """Append the tokens one by one as far as they are allowed."""
    for token in tokens:
        if not constraint.allows(token):
            return False
        constraint.accept(token)
    return True


def matches(shape: AnswerShape, tokenizer: Tokenizer, text: str) -> bool:
    constraint = shape.constraint(tokenizer)
    return takes(constraint, tokenizer.encode(text)) and constraint.may_end()


def bytes_of(tokenizer: Tokenizer, tokens: list[int]) -> bytes:
    return b"".join(map(tokenizer.token_bytes, tokens))


@pytest.mark.parametrize("schema", [PERSON, ANY_OBJECT, LIST])
def test_what_is_begun_can_always_be_closed(edge_tokenizer: Tokenizer, schema: dict[str, Any]) -> None:
    begun = AnswerShape(schema).constraint(edge_tokenizer)
    draw = random.Random(5)
    for _ in range(60):
        written: list[int] = []
        constraint = begun.fork()
        for _ in range(draw.randrange(40)):
            if constraint.may_end():
                break
            order = draw.sample(range(edge_tokenizer.vocab), 2000)
            token = constraint.first_allowed(order)
            if token is None:
                continue
            assert constraint.allows(token)
            constraint.accept(token)
            written.append(token)
        closing = constraint.closing()
        assert takes(constraint, closing)
        assert constraint.may_end()
        json.loads(bytes_of(edge_tokenizer, written + closing))


def test_a_character_of_several_bytes_may_be_closed_in_its_middle(edge_tokenizer: Tokenizer) -> None:
    whole = edge_tokenizer.encode('{"name": "🎉')
    halves = [
        whole[:end] for end in range(1, len(whole)) if not _is_text(bytes_of(edge_tokenizer, whole[:end]))
    ]
    assert halves
    for half in halves:
        constraint = AnswerShape(PERSON).constraint(edge_tokenizer)
        assert takes(constraint, half)
        assert json.loads(bytes_of(edge_tokenizer, half + constraint.closing()))["name"]


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ('{"city": "Ulm"}', True),
        ('{"city": 5}', False),
        ("{}", False),
        ('{"city": "Ulm"', False),
        ('Sure! {"city": "Ulm"}', False),
    ],
)
def test_only_json_of_the_schema_is_allowed(edge_tokenizer: Tokenizer, text: str, fits: bool) -> None:
    assert matches(AnswerShape(RAIN.parameters), edge_tokenizer, text) is fits


def test_forks_go_their_own_ways(edge_tokenizer: Tokenizer) -> None:
    constraint = AnswerShape(ANY_OBJECT).constraint(edge_tokenizer)
    other = constraint.fork()
    assert takes(constraint, edge_tokenizer.encode('{"a": 1}'))
    assert constraint.may_end()
    assert not other.may_end()
    assert takes(other, edge_tokenizer.encode('{"b": [true]}'))


@pytest.mark.parametrize("name", ["edge_tokenizer", "qwen_tokenizer"])
def test_text_and_calls_are_told_apart(request: pytest.FixtureRequest, name: str) -> None:
    tokenizer: Tokenizer = request.getfixturevalue(name)
    free = AnswerShape(tools=(RAIN, CLOCK))
    must = AnswerShape(tools=(RAIN, CLOCK), must_call=True)
    one = AnswerShape(tools=(RAIN, CLOCK), must_call=True, only="clock", parallel=False)
    clock = '<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>'
    assert matches(free, tokenizer, "It is <b>5 o'clock</b>.")
    assert matches(free, tokenizer, f"I'll look.\n{CALL}")
    assert matches(must, tokenizer, f"{CALL}\n{clock}")
    assert matches(one, tokenizer, clock)
    assert not matches(free, tokenizer, "<tool_call>\nno")
    assert not matches(must, tokenizer, clock.replace("{}", '{"zone": 1}'))
    assert not matches(must, tokenizer, "It is late.")
    assert not matches(one, tokenizer, CALL)
    assert not matches(one, tokenizer, f"{clock}\n{clock}")


def test_json_or_a_call(edge_tokenizer: Tokenizer) -> None:
    shape = AnswerShape(ANY_OBJECT, (CLOCK,))
    assert matches(shape, edge_tokenizer, '{"time": "late"}')
    assert matches(shape, edge_tokenizer, '<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>')
    assert not matches(shape, edge_tokenizer, "late")


def test_a_text_cut_short_goes_back_to_before_its_call(edge_tokenizer: Tokenizer) -> None:
    constraint = AnswerShape(tools=(RAIN,)).constraint(edge_tokenizer)
    before = edge_tokenizer.encode("Just a moment.")
    assert takes(constraint, before + edge_tokenizer.encode("<tool_call>\n"))
    assert (constraint.longest_complete() or 0) >= len(before)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "nonsense"}}},
        {"$ref": "#/$defs/missing"},
        {"$ref": "https://example.com/schema.json"},
        {"type": "string", "pattern": "("},
        {"type": "string", "minLength": 100_000},
        {"type": "object", "properties": {"a": False}, "required": ["a"]},
    ],
)
def test_a_schema_that_cannot_be_followed_is_refused(
    edge_tokenizer: Tokenizer, schema: dict[str, Any]
) -> None:
    with pytest.raises(RequestError) as caught:
        AnswerShape(schema).constraint(edge_tokenizer)
    assert caught.value.parameter == "response_format"
    with pytest.raises(RequestError, match="broken"):
        AnswerShape(tools=(CLOCK, Tool("broken", parameters=schema))).constraint(edge_tokenizer)


def test_a_choice_without_its_tool_is_refused() -> None:
    with pytest.raises(RequestError, match="clock"):
        AnswerShape(tools=(CLOCK,), must_call=True, only="rain")
    with pytest.raises(RequestError, match="no tools"):
        AnswerShape(must_call=True)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_calls_are_read_from_any_pieces(size: int) -> None:
    text = f"Let me see <tool >.\n{CALL}\n{CALL}"
    reader = CallReader()
    parts = [part for at in range(0, len(text), size) for part in reader.push(text[at : at + size])]
    parts += reader.finish()
    call = ToolCall("rain", {"city": "</tool_call> in Köln"})
    assert "".join(part for part in parts if isinstance(part, str)) == "Let me see <tool >."
    assert [part for part in parts if isinstance(part, ToolCall)] == [call, call]
    assert read_calls(text) == ("Let me see <tool >.", [call, call])


def test_half_a_call_is_text() -> None:
    assert read_calls('A <tool_call>\n{"name": "ra') == ('A<tool_call>\n{"name": "ra', [])
