"""The engine with the real small model in exact arithmetic."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from core_model import Engine, GenerationRequest, SamplingParams
from core_model.checkpoint import load_checkpoint
from core_model.decoder import TorchDecoder
from core_model.errors import ContextLengthError, EngineClosedError, RequestError, UnknownAdapterError
from core_model.lora import load_adapter
from core_model.tokenizer import Tokenizer

GREEDY = SamplingParams(temperature=0, max_tokens=24)


def chat(engine: Engine, question: str) -> list[int]:
    return engine.tokenizer.encode_chat([{"role": "user", "content": question}])


def answer(
    engine: Engine, question: str, sampling: SamplingParams = GREEDY, window: int | None = None
) -> str:
    return engine.submit(GenerationRequest(chat(engine, question), sampling, window)).result().text


def wait_until_idle(engine: Engine) -> None:
    deadline = time.monotonic() + 20
    while engine.statistics.running or engine.statistics.waiting:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_pieces_of_the_stream_add_up_to_the_result(edge_engine: Engine) -> None:
    generation = edge_engine.submit(GenerationRequest(chat(edge_engine, "Name three colours."), GREEDY))
    pieces = list(generation)
    completion = generation.result()
    assert "".join(piece.text for piece in pieces) == completion.text
    assert [token for piece in pieces for token in piece.tokens] == completion.tokens
    assert len(pieces) > 5
    assert completion.finish_reason == "length"
    assert 0 < completion.first_token_s <= completion.total_s


def test_the_stream_can_be_read_asynchronously(edge_engine: Engine) -> None:
    async def read() -> tuple[str, str]:
        generation = edge_engine.submit(GenerationRequest(chat(edge_engine, "Count to ten."), GREEDY))
        text = "".join([piece.text async for piece in generation])
        return text, (await generation.aresult()).text

    streamed, whole = asyncio.run(read())
    assert streamed == whole != ""


def test_requests_in_one_batch_get_the_answers_they_get_alone(edge_engine: Engine) -> None:
    questions = ["Name a fruit.", "What is 2 + 2?", "Who wrote Hamlet?", "Say hello.", "Name a big city."]
    alone = [answer(edge_engine, question) for question in questions]
    steps = edge_engine.statistics.steps
    generations = [edge_engine.submit(GenerationRequest(chat(edge_engine, q), GREEDY)) for q in questions]
    assert [generation.result().text for generation in generations] == alone
    assert edge_engine.statistics.steps - steps < 2 * GREEDY.max_tokens


def test_a_common_beginning_is_computed_once(edge_engine: Engine) -> None:
    history = [
        {
            "role": "system",
            "content": "You are the assistant of a shop that sells tea, cups and kettles.",
        },
        {"role": "user", "content": "Do you have green tea?"},
    ]
    encode = edge_engine.tokenizer.encode_chat
    first = edge_engine.submit(GenerationRequest(encode(history), GREEDY)).result()
    history += [{"role": "assistant", "content": first.text}, {"role": "user", "content": "And cups?"}]
    prompt = encode(history)
    cached = edge_engine.submit(GenerationRequest(prompt, GREEDY)).result()
    assert cached.cached_tokens >= first.prompt_tokens // 16 * 16
    again = edge_engine.submit(GenerationRequest(prompt, GREEDY, window=1024)).result()
    assert again.cached_tokens == 0  # another window: nothing shared, and the same answer
    assert again.text == cached.text
    other = edge_engine.submit(GenerationRequest(prompt, GREEDY, owner="somebody else")).result()
    assert other.cached_tokens == 0  # nor with another owner
    assert other.text == cached.text


def test_cancelling_stops_the_work_and_frees_the_memory(edge_engine: Engine) -> None:
    wait_until_idle(edge_engine)
    free = edge_engine.statistics.free_blocks
    generation = edge_engine.submit(
        GenerationRequest(chat(edge_engine, "Tell me a very long story."), SamplingParams(max_tokens=2000))
    )
    next(iter(generation))
    generation.cancel()
    completion = generation.result()
    assert completion.finish_reason == "cancelled"
    assert len(completion.tokens) < 200
    wait_until_idle(edge_engine)
    assert edge_engine.statistics.free_blocks == free


def test_a_stop_string_across_tokens_is_cut_and_never_streamed(edge_engine: Engine) -> None:
    whole = answer(edge_engine, "Name three colours.")
    stop = whole[9:14]
    sampling = SamplingParams(temperature=0, max_tokens=24, stop=(stop, "never in there"))
    generation = edge_engine.submit(GenerationRequest(chat(edge_engine, "Name three colours."), sampling))
    assert "".join(piece.text for piece in generation) == whole[: whole.index(stop)]
    assert generation.result().finish_reason == "stop"


def test_a_window_keeps_memory_and_answers_beyond_the_context(
    edge_tokenizer: Tokenizer, random_model: Path
) -> None:
    decoder = TorchDecoder(load_checkpoint(random_model))
    engine = Engine(decoder, Tokenizer(load_checkpoint(random_model).tokenizer), cache_tokens=512)
    sampling = SamplingParams(temperature=1, seed=1, max_tokens=400, ignore_end=True)
    prompt = np.random.default_rng(0).integers(0, 256, 700).tolist()  # context 512, cache 512
    completion = engine.submit(GenerationRequest(prompt, sampling, window=64)).result()
    assert len(completion.tokens) == 400
    assert engine.statistics.free_blocks == 32
    engine.close()


def test_a_windowed_answer_does_not_depend_on_how_the_prompt_was_cut(random_model: Path) -> None:
    checkpoint = load_checkpoint(random_model)
    prompt = np.random.default_rng(3).integers(0, 256, 300).tolist()
    sampling = SamplingParams(temperature=0, max_tokens=30, ignore_end=True)
    texts = []
    for warm in ([], prompt[:170]):
        engine = Engine(TorchDecoder(checkpoint), Tokenizer(checkpoint.tokenizer), cache_tokens=2048)
        if warm:
            engine.submit(GenerationRequest(warm, sampling, window=48)).result()
        texts.append(engine.submit(GenerationRequest(prompt, sampling, window=48)).result().tokens)
        engine.close()
    assert texts[0] == texts[1]


def test_more_requests_than_fit_wait_for_their_turn(
    edge_decoder: TorchDecoder, edge_tokenizer: Tokenizer
) -> None:
    engine = Engine(edge_decoder, edge_tokenizer, cache_tokens=256, max_sequences=4)
    sampling = SamplingParams(temperature=0, max_tokens=60)
    generations = [
        engine.submit(GenerationRequest(chat(engine, f"What is {n} + 1?"), sampling)) for n in range(6)
    ]
    assert all(generation.result().tokens for generation in generations)
    engine.close()


def test_adapters_are_chosen_per_request_and_mixed_in_one_batch(random_model: Path, tmp_path: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    for seed in (1, 2):
        base = AutoModelForCausalLM.from_pretrained(random_model)
        config = LoraConfig(
            r=4, lora_alpha=32, target_modules=["q_proj", "down_proj"], init_lora_weights=False
        )

        torch.manual_seed(seed)
        get_peft_model(base, config).save_pretrained(tmp_path / f"adapter{seed}")
    checkpoint = load_checkpoint(random_model)
    engine = Engine(TorchDecoder(checkpoint), Tokenizer(checkpoint.tokenizer), cache_tokens=2048)
    for seed in (1, 2):
        engine.add_adapter(load_adapter(tmp_path / f"adapter{seed}", engine.config))
    sampling = SamplingParams(temperature=0, max_tokens=20, ignore_end=True)
    names = [None, "adapter1", "adapter2", "adapter1"]
    prompt = list(range(50, 90))

    def ask(name: str | None) -> list[int]:
        return engine.submit(GenerationRequest(prompt, sampling, adapter=name)).result().tokens

    alone = {name: ask(name) for name in set(names)}
    together = [engine.submit(GenerationRequest(prompt, sampling, adapter=name)) for name in names]
    assert [generation.result().tokens for generation in together] == [alone[name] for name in names]
    assert len({tuple(tokens) for tokens in alone.values()}) == 3
    engine.remove_adapter("adapter1")
    with pytest.raises(UnknownAdapterError, match="adapter1"):
        ask("adapter1")
    assert ask("adapter2") == alone["adapter2"]
    engine.close()


def test_scores_are_log_likelihoods(edge_engine: Engine) -> None:
    prompt = chat(edge_engine, "What is the capital of France?")
    encode = edge_engine.tokenizer.encode
    paris, cheese = edge_engine.score(prompt, [encode("The capital of France is Paris"), encode("Cheese")])
    assert cheese < -5
    sampling = SamplingParams(temperature=0, max_tokens=5, logprobs=3)
    completion = edge_engine.submit(GenerationRequest(prompt, sampling)).result()
    expected = sum(item.logprob for item in completion.logprobs)
    assert edge_engine.score(prompt, [completion.tokens])[0] == pytest.approx(expected, abs=1e-3)
    assert paris > cheese


@pytest.mark.parametrize(
    ("request_of", "error", "parameter"),
    [
        (lambda: GenerationRequest([]), RequestError, "prompt"),
        (lambda: GenerationRequest([1] * 9000), ContextLengthError, "prompt"),
        (
            lambda: GenerationRequest([1] * 8000),
            ContextLengthError,
            "max_tokens",
        ),
        (lambda: GenerationRequest([1], adapter="none"), UnknownAdapterError, "adapter"),
        (lambda: GenerationRequest([1], window=5), RequestError, "window"),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_parameter(
    edge_decoder: TorchDecoder,
    edge_tokenizer: Tokenizer,
    request_of,
    error: type[RequestError],
    parameter: str,
) -> None:
    engine = Engine(edge_decoder, edge_tokenizer, cache_tokens=4096)
    with pytest.raises(error) as caught:
        engine.submit(request_of())
    assert caught.value.parameter == parameter
    assert answer(engine, "Say yes.")
    engine.close()


def test_closing_ends_what_is_under_way_with_an_error(
    edge_decoder: TorchDecoder, edge_tokenizer: Tokenizer
) -> None:
    engine = Engine(edge_decoder, edge_tokenizer, cache_tokens=4096)
    generation = engine.submit(
        GenerationRequest(chat(engine, "Tell a story."), SamplingParams(max_tokens=500))
    )
    threading.Timer(0.5, engine.close).start()
    with pytest.raises(EngineClosedError):
        generation.result()
    with pytest.raises(EngineClosedError):
        answer(engine, "Hello?")
