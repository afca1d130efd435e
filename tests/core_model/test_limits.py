"""Limits of time, endings and the background: properties of a request that the step loop keeps."""

from __future__ import annotations

import time

import pytest

from core_model import Engine, GenerationRequest, SamplingParams
from core_model.errors import RequestError


def story(engine: Engine, length: int = 4) -> list[int]:
    return engine.tokenizer.encode("Once upon a time there was a fox. " * length)


LONG = SamplingParams(temperature=0, max_tokens=2000, ignore_end=True)


def test_a_deadline_ends_the_work_with_what_there_is(edge_engine: Engine) -> None:
    done = edge_engine.submit(GenerationRequest(story(edge_engine), LONG, decode_s=0.2, window=256)).result()
    assert done.finish_reason == "deadline"
    assert 0 < len(done.tokens) < 2000
    assert done.text


def test_a_deadline_that_passes_while_the_prompt_is_read_leaves_nothing(edge_engine: Engine) -> None:
    done = edge_engine.submit(GenerationRequest(story(edge_engine, 200), LONG, deadline_s=0.0)).result()
    assert (done.finish_reason, done.text, done.tokens) == ("deadline", "", [])


@pytest.mark.parametrize("limit", ["deadline_s", "decode_s"])
def test_a_negative_limit_is_refused(limit: str) -> None:
    with pytest.raises(RequestError, match=limit) as caught:
        GenerationRequest([1], **{limit: -1.0})
    assert caught.value.parameter == limit


def test_an_ending_says_how_much_of_the_text_is_kept(edge_engine: Engine) -> None:
    told: list[str] = []

    def ending(text: str) -> int | None:
        told.append(text)
        return 3 if len(text) > 12 else None

    generation = edge_engine.submit(GenerationRequest(story(edge_engine), LONG, ending=ending))
    done = generation.result()
    assert done.finish_reason == "stop"
    assert done.text == told[-1][:3]
    assert len(told[-1]) > 12 >= len(told[-2])


def test_without_tokens_to_write_the_prompt_is_read_into_the_cache(edge_engine: Engine) -> None:
    prompt = [*story(edge_engine), *edge_engine.tokenizer.encode("It was red. " * 8)]
    warm = SamplingParams(temperature=0, max_tokens=0)
    read = edge_engine.submit(GenerationRequest(prompt, warm, background=True)).result()
    assert (read.text, read.tokens) == ("", [])
    done = edge_engine.submit(GenerationRequest(prompt, SamplingParams(temperature=0, max_tokens=1))).result()
    assert done.cached_tokens >= len(prompt) - 16


def test_what_runs_in_the_background_waits_for_everything_else(edge_engine: Engine) -> None:
    order: list[str] = []
    prompt = edge_engine.tokenizer.encode("A sentence that nobody has read before, number " * 40)
    behind = edge_engine.submit(
        GenerationRequest(prompt, SamplingParams(temperature=0, max_tokens=0), background=True)
    )
    while not edge_engine.statistics.running:
        time.sleep(0.001)
    ahead = edge_engine.submit(
        GenerationRequest(story(edge_engine), SamplingParams(temperature=0, max_tokens=2, ignore_end=True))
    )
    ahead.result()
    order += ["ahead"] + ["behind"] * behind.done
    behind.result()
    assert order == ["ahead"]
