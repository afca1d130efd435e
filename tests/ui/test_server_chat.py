"""The official client asks for chat completions."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from openai import OpenAI

from tests.ui.conftest import MODEL, Server

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
LONG_TASK = [{"role": "user", "content": "Tell a very long story about a fox and a river."}]


def test_a_question_is_answered(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0, max_tokens=20)
    assert "Paris" in (answer.choices[0].message.content or "")
    assert answer.choices[0].message.role == "assistant"
    assert answer.model == MODEL
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert 0 < answer.usage.completion_tokens <= 20


def test_a_stream_says_the_same_as_one_body(client: OpenAI) -> None:
    asked = {"model": MODEL, "messages": QUESTION, "temperature": 0, "max_tokens": 20}
    whole = client.chat.completions.create(**asked)
    chunks = list(
        client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_the_first_words_arrive_long_before_the_last(client: OpenAI) -> None:
    started = time.monotonic()
    arrivals = [
        time.monotonic() - started
        for chunk in client.chat.completions.create(
            model=MODEL, messages=LONG_TASK, max_tokens=40, stream=True
        )
        if chunk.choices and chunk.choices[0].delta.content
    ]
    assert len(arrivals) > 20
    assert arrivals[0] < arrivals[-1] / 2


def test_max_completion_tokens_cuts_the_answer_and_says_so(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=LONG_TASK, max_completion_tokens=5)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 5


def test_a_stop_string_ends_the_answer_and_is_left_out(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model=MODEL, messages=QUESTION, temperature=0, max_tokens=30, stop=["Paris"]
    )
    assert answer.choices[0].finish_reason == "stop"
    assert "Paris" not in (answer.choices[0].message.content or "")


def test_equal_seeds_give_equal_answers_and_other_seeds_others(client: OpenAI) -> None:
    def story(seed: int) -> str | None:
        return (
            client.chat.completions.create(
                model=MODEL, messages=LONG_TASK, temperature=1, max_tokens=8, seed=seed
            )
            .choices[0]
            .message.content
        )

    assert story(1) == story(1)
    assert len({story(seed) for seed in range(3)}) > 1


@pytest.mark.parametrize("seed", [-(2**63), -1, 2**63 - 1])
def test_any_64_bit_seed_is_taken(client: OpenAI, seed: int) -> None:
    assert client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=2, seed=seed).choices


def test_several_choices_differ_and_count_the_prompt_once(client: OpenAI) -> None:
    asked = {"model": MODEL, "messages": LONG_TASK, "temperature": 1.0, "max_tokens": 8, "seed": 3}
    one = client.chat.completions.create(**asked)
    three = client.chat.completions.create(**asked, n=3)
    assert [choice.index for choice in three.choices] == [0, 1, 2]
    assert three.choices[0].message.content == one.choices[0].message.content
    assert len({choice.message.content for choice in three.choices}) > 1
    assert three.usage.prompt_tokens == one.usage.prompt_tokens
    streamed = {0: "", 1: "", 2: ""}
    for chunk in client.chat.completions.create(**asked, n=3, stream=True):
        streamed[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert [streamed[n] for n in range(3)] == [choice.message.content for choice in three.choices]


def test_logprobs_are_reported_token_by_token(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model=MODEL, messages=QUESTION, temperature=0, max_tokens=6, logprobs=True, top_logprobs=3
    )
    content = answer.choices[0].logprobs.content
    assert len(content) == 6
    assert b"".join(bytes(item.bytes) for item in content).decode() == answer.choices[0].message.content
    for item in content:
        assert len(item.top_logprobs) == 3
        assert item.logprob == pytest.approx(item.top_logprobs[0].logprob)
        assert math.exp(item.logprob) <= 1


def test_content_may_come_in_parts_and_from_a_developer(client: OpenAI) -> None:
    parts = [{"type": "text", "text": "What is the capital "}, {"type": "text", "text": "of France?"}]
    answers = [
        client.chat.completions.create(model=MODEL, messages=messages, temperature=0, max_tokens=8)
        .choices[0]
        .message.content
        for messages in (
            [{"role": "system", "content": "Be short."}, QUESTION[0]],
            [{"role": "developer", "content": "Be short."}, {"role": "user", "content": parts}],
        )
    ]
    assert answers[0] == answers[1]


def test_a_later_turn_reuses_what_was_read_before(client: OpenAI) -> None:
    first = [{"role": "user", "content": "Remember the word marigold. " * 20}]
    client.chat.completions.create(model=MODEL, messages=first, max_tokens=1)
    later = [*first, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "Which word?"}]
    usage = client.chat.completions.create(model=MODEL, messages=later, max_tokens=1).usage
    assert usage.prompt_tokens_details.cached_tokens > usage.prompt_tokens / 2


def test_a_window_is_a_property_of_each_request(client: OpenAI) -> None:
    long = [{"role": "user", "content": "All work and no play. " * 20 + "What is the capital of France?"}]
    for window in (32, 2048):
        answer = client.chat.completions.create(
            model=MODEL, messages=long, max_tokens=4, extra_body={"window": window}
        )
        assert answer.usage.completion_tokens == 4


def test_a_client_that_leaves_a_stream_stops_the_work(server: Server) -> None:
    server.wait_until_idle()
    before = server.engine.statistics
    with server.client() as client:
        stream = client.chat.completions.create(
            model=MODEL, messages=LONG_TASK, max_tokens=1500, stream=True, extra_body={"window": 512}
        )
        for _, _chunk in zip(range(5), stream, strict=False):
            pass
        stream.close()
    server.wait_until_idle()
    after = server.engine.statistics
    assert after.cancelled == before.cancelled + 1
    assert after.generated_tokens - before.generated_tokens < 200
    assert after.free_blocks == before.free_blocks


def test_a_client_that_leaves_while_it_waits_for_one_body_stops_the_work(server: Server) -> None:
    server.wait_until_idle()
    before = server.engine.statistics
    body = {"model": MODEL, "messages": LONG_TASK, "max_tokens": 1500, "n": 2, "window": 512}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.url}/v1/chat/completions", json=body, timeout=1)
    server.wait_until_idle()
    after = server.engine.statistics
    assert after.cancelled == before.cancelled + 2
    assert after.free_blocks == before.free_blocks


def test_many_streams_run_side_by_side(server: Server) -> None:
    """More of them than fit in a batch; each gets its own answer."""
    most = 0
    watching = threading.Event()

    def watch() -> None:
        nonlocal most
        while not watching.wait(0.005):
            most = max(most, server.engine.statistics.running)

    def count_from(number: int) -> str:
        with server.client() as client:
            chunks = client.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": f"Repeat only this number: {number}"}],
                temperature=0,
                max_tokens=12,
                stream=True,
            )
            return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(24) as clients:
        answers = list(clients.map(count_from, range(100, 124)))
    watching.set()
    watcher.join()
    assert sum(str(number) in answer for number, answer in zip(range(100, 124), answers, strict=True)) >= 20
    assert most > 4
