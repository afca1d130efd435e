"""`language` over HTTP: what is answered is code that parses, or it is said that it does not."""

from __future__ import annotations

import ast
import re

import httpx
import pytest
from openai import BadRequestError, OpenAI

from apps.code.syntax import parses
from tests.ui.conftest import MODEL, Server

TASK = [{"role": "user", "content": "Write a function that adds two numbers. Explain it first."}]


@pytest.mark.parametrize("language", ["python", "java", "c++"])
def test_a_chat_answer_in_a_language_is_bare_code(client: OpenAI, language: str) -> None:
    answer = client.chat.completions.create(
        model=MODEL,
        messages=TASK,
        max_tokens=20,
        temperature=1,
        seed=5,
        n=2,
        extra_body={"language": language},
    )
    for choice in answer.choices:
        assert choice.message.content.strip()
        assert "```" not in choice.message.content
        assert parses(choice.message.content, language)
        assert choice.model_extra["parses"] is True


def test_a_stream_in_a_language_ends_with_the_verdict(client: OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model=MODEL,
            messages=TASK,
            max_tokens=12,
            temperature=0,
            stream=True,
            extra_body={"language": "python"},
        )
    )
    ast.parse("".join(chunk.choices[0].delta.content or "" for chunk in chunks))
    assert chunks[-1].choices[0].model_extra["parses"] is True
    assert chunks[-1].choices[0].finish_reason == "length"


def test_without_a_language_nothing_is_said_of_parsing(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=TASK, max_tokens=2)
    assert "parses" not in answer.choices[0].model_extra


@pytest.mark.parametrize("stream", [False, True])
def test_a_completion_in_a_language_makes_the_prompt_a_program(client: OpenAI, stream: bool) -> None:
    prompt = "def add(a, b):\n    return (a"
    asked = {"model": MODEL, "prompt": prompt, "temperature": 0, "max_tokens": 8, "stream": stream}
    answer = client.completions.create(**asked, extra_body={"language": "python"})
    choices = [chunk.choices[0] for chunk in answer] if stream else answer.choices
    ast.parse(prompt + "".join(choice.text for choice in choices))
    assert choices[-1].model_extra == {"prefix_parses": True, "parses": True}


@pytest.mark.parametrize("stream", [False, True])
def test_after_a_broken_prefix_the_completion_is_free_and_says_so(client: OpenAI, stream: bool) -> None:
    asked = {"model": MODEL, "prompt": "class } {\n", "temperature": 0, "max_tokens": 4, "stream": stream}
    answer = client.completions.create(**asked, extra_body={"language": "java"})
    choices = [chunk.choices[0] for chunk in answer] if stream else answer.choices
    assert "".join(choice.text for choice in choices)
    assert choices[-1].model_extra == {"prefix_parses": False, "parses": False}


def test_the_prompt_of_tokens_is_read_too(client: OpenAI, server: Server) -> None:
    prompt = server.engine.tokenizer.encode("class A {")
    answer = client.completions.create(
        model=MODEL, prompt=prompt, temperature=0, max_tokens=6, extra_body={"language": "java"}
    )
    assert parses("class A {" + answer.choices[0].text, "java")


@pytest.mark.parametrize(
    ("body", "param", "says"),
    [
        ({"language": "cobol"}, "language", "python, java and cpp, not 'cobol'"),
        ({"language": "java", "prompt": "class A { int x = f((", "max_tokens": 1}, "max_tokens", "takes"),
    ],
)
def test_what_cannot_be_a_program_is_refused(
    client: OpenAI, body: dict[str, object], param: str, says: str
) -> None:
    with pytest.raises(BadRequestError, match=says) as caught:
        client.completions.create(model=MODEL, prompt="x", extra_body=body)
    assert caught.value.param == param


def test_the_support_assistant_writes_no_code(client: OpenAI) -> None:
    with pytest.raises(BadRequestError, match="writes no code") as caught:
        client.chat.completions.create(model="duet-support", messages=TASK, extra_body={"language": "python"})
    assert caught.value.param == "language"


def test_the_code_assistant_constrains_fences_without_being_asked(client: OpenAI) -> None:
    asked = "Answer with a Python code block (```python) only: a class for a stack."
    found = 0
    for seed in range(6):
        answer = client.chat.completions.create(
            model="duet-code",
            messages=[{"role": "user", "content": asked}],
            max_tokens=32,
            temperature=0.8,
            seed=seed,
        )
        text = answer.choices[0].message.content
        opening = r"^```(?:python|py)[ \t]*\n"
        blocks = re.findall(opening + r"(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert len(blocks) == len(re.findall(opening, text, re.MULTILINE))
        found += len(blocks)
        for block in blocks:
            ast.parse(block)
    assert found


def test_the_assistants_routes_are_constrained_and_compiled_without_being_asked(server: Server) -> None:
    body = {"task": "add two numbers", "language": "python", "effort": "quick", "max_tokens": 10}
    answer = httpx.post(f"{server.url}/api/code/write", json=body, timeout=120).json()
    assert answer["parses"]
    ast.parse(answer["code"])
    assert answer["compiles"] is (answer["compile_problem"] is None)
