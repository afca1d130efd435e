"""An app's assistant under a model name: it composes text, the protocol is the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import openai
import pytest
from openai import OpenAI

from apps.settings import Settings
from core_model import Engine
from core_model.errors import RequestError
from tests.ui.conftest import MODEL, borrowed, serving, wait_until_ready
from ui.openai.schemas import ChatRequest
from ui.served_models import AssistantModel

stopped: list[str] = []


async def count_words(request: ChatRequest, choice: int) -> AsyncIterator[str]:
    """What the last message says, word by word, and then without end."""
    text = request.messages[-1].text
    if text == "nonsense":
        raise RequestError("nonsense is not answered", "messages")
    if text == "bug":
        raise ZeroDivisionError("secret detail")
    try:
        for word in text.split():
            yield f"{word}{choice} "
        while text.endswith("forever"):
            await asyncio.sleep(0.01)
            yield "on "
    finally:
        stopped.append(text)


@pytest.fixture(scope="module")
def client(edge_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAI]:
    home = tmp_path_factory.mktemp("home")

    words = AssistantModel("duet-words", edge_engine.tokenizer, count_words)
    settings = Settings(home=home, adapters_dir=home, api_keys=())
    with serving(settings, borrowed(edge_engine, [words])) as url:
        wait_until_ready(url)
        with OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            yield client


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_it_is_listed_beside_the_base(client: OpenAI) -> None:
    assert {MODEL, "duet-words"} <= {model.id for model in client.models.list()}


def test_it_answers_in_one_body_and_counts_tokens(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="duet-words", messages=asked("one two"), n=2)
    assert [choice.message.content for choice in answer.choices] == ["one0 two0 ", "one1 two1 "]
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 0


def test_it_streams(client: OpenAI) -> None:
    chunks = client.chat.completions.create(model="duet-words", messages=asked("one two"), stream=True)
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", "one0 ", "two0 ", None]


def test_it_stops_when_the_client_leaves(client: OpenAI) -> None:
    stopped.clear()
    stream = client.chat.completions.create(model="duet-words", messages=asked("on forever"), stream=True)
    for _, _chunk in zip(range(4), stream, strict=False):
        pass
    stream.close()
    deadline = time.monotonic() + 10
    while stopped != ["on forever"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_error_on_the_way_is_an_answer_and_in_a_stream_an_event(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="nonsense is not answered"):
        client.chat.completions.create(model="duet-words", messages=asked("nonsense"))
    with pytest.raises(openai.APIError, match="nonsense is not answered"):
        list(client.chat.completions.create(model="duet-words", messages=asked("nonsense"), stream=True))


def test_an_error_that_nobody_foresaw_is_told_without_its_details(client: OpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="duet-words", messages=asked("bug"))
    assert "secret" not in caught.value.message
    with pytest.raises(openai.APIError) as in_stream:
        list(client.chat.completions.create(model="duet-words", messages=asked("bug"), stream=True))
    assert "secret" not in in_stream.value.message
    assert client.chat.completions.create(model="duet-words", messages=asked("fine")).choices


def test_what_it_cannot_do_is_refused(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="only chats"):
        client.completions.create(model="duet-words", prompt="x")
    with pytest.raises(openai.BadRequestError, match="logprobs"):
        client.chat.completions.create(model="duet-words", messages=asked("x"), logprobs=True)
