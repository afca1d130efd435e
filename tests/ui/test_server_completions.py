"""The official client asks for plain completions and for what stands in a gap."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from openai import BadRequestError, OpenAI

from apps.settings import Settings
from core_model import load_engine
from core_model.tokenizer import Tokenizer
from tests.conftest import DEFAULT
from tests.ui.conftest import MODEL, Server, serving, wait_until_ready
from ui.metrics import Metrics
from ui.runtime import Runtime, assemble

PROMPT = "The capital of France is"


def test_a_text_is_continued(client: OpenAI) -> None:
    answer = client.completions.create(model=MODEL, prompt=PROMPT, temperature=0, max_tokens=5)
    assert "Paris" in answer.choices[0].text
    assert answer.object == "text_completion"


def test_sixteen_tokens_are_the_default_as_at_openai(client: OpenAI) -> None:
    answer = client.completions.create(model=MODEL, prompt="Once upon a time", temperature=0)
    assert answer.usage.completion_tokens == 16
    assert answer.choices[0].finish_reason == "length"


def test_a_stream_says_the_same_as_one_body(client: OpenAI) -> None:
    asked = {"model": MODEL, "prompt": PROMPT, "temperature": 0, "max_tokens": 8}
    whole = client.completions.create(**asked)
    chunks = list(client.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == whole.choices[0].text
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens


def test_characters_of_several_bytes_are_never_split(client: OpenAI) -> None:
    chunks = client.completions.create(
        model=MODEL, prompt="🎉🎊🎉🎊🎉🎊🎉🎊", temperature=0, max_tokens=24, stream=True
    )
    text = "".join(chunk.choices[0].text for chunk in chunks)
    assert "🎉🎉" in text
    assert "\ufffd" not in text.rstrip("\ufffd")


def test_several_prompts_are_answered_in_order(client: OpenAI) -> None:
    prompts = [PROMPT, "Two plus two equals"]
    asked = {"model": MODEL, "temperature": 0, "max_tokens": 5}
    single = [client.completions.create(**asked, prompt=prompt).choices[0].text for prompt in prompts]
    both = client.completions.create(**asked, prompt=prompts, n=2)
    assert [choice.text for choice in both.choices] == [single[0], single[0], single[1], single[1]]
    assert [choice.index for choice in both.choices] == [0, 1, 2, 3]


def test_a_prompt_may_be_tokens(client: OpenAI, edge_tokenizer: Tokenizer) -> None:
    tokens = edge_tokenizer.encode(PROMPT)
    asked = {"model": MODEL, "temperature": 0, "max_tokens": 5}
    assert (
        client.completions.create(**asked, prompt=tokens).choices[0].text
        == client.completions.create(**asked, prompt=PROMPT).choices[0].text
    )
    with pytest.raises(BadRequestError, match="between 0 and"):
        client.completions.create(**asked, prompt=[10**9])


def test_logprobs_have_the_older_shape(client: OpenAI) -> None:
    answer = client.completions.create(model=MODEL, prompt=PROMPT, temperature=0, max_tokens=4, logprobs=2)
    logprobs = answer.choices[0].logprobs
    assert "".join(logprobs.tokens) == answer.choices[0].text
    assert [len(top) for top in logprobs.top_logprobs] == [2] * 4
    assert logprobs.text_offset == [
        sum(map(len, logprobs.tokens[:index])) for index in range(len(logprobs.tokens))
    ]


def test_a_model_that_cannot_fill_gaps_says_so(client: OpenAI) -> None:
    with pytest.raises(BadRequestError, match="fill in the middle") as caught:
        client.completions.create(model=MODEL, prompt="def f(", suffix="return x")
    assert caught.value.param == "suffix"


def test_more_answers_than_a_server_should_give_one_client_are_refused(client: OpenAI) -> None:
    with pytest.raises(BadRequestError, match="at most 64"):
        client.completions.create(model=MODEL, prompt=["a"] * 33, n=2, max_tokens=1)


@pytest.fixture(scope="module")
def coder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAI]:
    """The default model, which knows fill-in-the-middle, on a server of its own."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), adapters_dir=Path("none"), api_keys=())

    def load(settings: Settings, metrics: Metrics) -> Runtime:
        return assemble(load_engine(DEFAULT, weights="bf16"), DEFAULT, settings, metrics)

    with serving(settings, load) as url:
        wait_until_ready(url)
        yield OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


@pytest.mark.slow
def test_with_a_suffix_the_gap_is_filled(coder: OpenAI) -> None:
    answer = coder.completions.create(
        model=DEFAULT,
        prompt="def area_of_circle(radius):\n    import math\n",
        suffix="\n\nprint(area_of_circle(2))\n",
        temperature=0,
        max_tokens=32,
    )
    assert "return" in answer.choices[0].text
    assert "radius" in answer.choices[0].text
    assert "<|" not in answer.choices[0].text


@pytest.mark.slow
def test_an_editor_may_write_the_gap_in_the_models_own_tokens(coder: OpenAI) -> None:
    prefix, suffix = "def area_of_circle(radius):\n    import math\n", "\n\nprint(area_of_circle(2))\n"
    asked = {"model": DEFAULT, "temperature": 0, "max_tokens": 24}
    prompt = f"<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>"
    assert (
        coder.completions.create(**asked, prompt=prompt).choices[0].text
        == coder.completions.create(**asked, prompt=prefix, suffix=suffix).choices[0].text
    )


@pytest.mark.slow
def test_an_empty_suffix_beside_the_models_own_tokens_says_nothing(coder: OpenAI) -> None:
    asked = {"model": DEFAULT, "temperature": 0, "max_tokens": 16}
    prompt = "<|fim_prefix|>def add(a, b):\n    <|fim_suffix|>\n<|fim_middle|>"
    plain, *others = (
        coder.completions.create(**asked, prompt=prompt, **more)
        for more in ({}, {"suffix": ""}, {"suffix": "\n"})
    )
    for other in others:
        assert other.choices[0].text == plain.choices[0].text
        assert other.usage == plain.usage


def test_an_empty_suffix_continues_the_text_where_no_gap_can_be_filled(client: OpenAI) -> None:
    asked = {"model": MODEL, "prompt": PROMPT, "temperature": 0, "max_tokens": 5}
    plain, empty = (client.completions.create(**asked, **more) for more in ({}, {"suffix": ""}))
    assert empty.choices[0].text == plain.choices[0].text


def test_a_model_without_gaps_says_so(server: Server) -> None:
    answer = httpx.post(f"{server.url}/infill", json={"input_prefix": "a", "input_suffix": "b"})
    assert answer.status_code == 400
    assert "code model" in answer.json()["error"]["message"]
    assert (
        httpx.post(f"{server.url}/infill", json={"n_predict": "many"}).json()["error"]["param"] == "n_predict"
    )
