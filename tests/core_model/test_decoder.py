"""The reference decoder against transformers and PEFT on the same weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core_model import Engine, GenerationRequest, SamplingParams, catalog
from core_model.batch import Batch
from core_model.checkpoint import load_checkpoint
from core_model.decoder import TorchDecoder
from core_model.kv_cache import BLOCK, SINKS, KVCache
from core_model.lora import load_adapter
from core_model.tokenizer import Tokenizer
from tests.conftest import DEFAULT, EDGE, open_checkpoint


def full_logits(
    decoder: TorchDecoder, tokens: list[int], window: int = 0, adapter: str | None = None, chunk: int = 0
) -> torch.Tensor:
    """Logits of every position, [tokens, vocab], computed `chunk` tokens at a time (0: at once)."""
    blocks = len(tokens) // BLOCK + 1
    cache = KVCache(decoder.config, blocks, torch.float32)
    results = []
    for start in range(0, len(tokens), chunk or len(tokens)):
        part = torch.tensor(tokens[start : start + (chunk or len(tokens))], dtype=torch.int32)
        positions = torch.arange(start, start + len(part), dtype=torch.int32)
        batch = Batch(
            tokens=part,
            positions=positions,
            sequences=torch.zeros_like(positions),
            slots=positions.clone(),
            block_tables=torch.arange(blocks, dtype=torch.int32)[None],
            windows=torch.tensor([window], dtype=torch.int32),
            adapters=[adapter],
            outputs=torch.arange(len(part)),
        )
        results.append(decoder.logits(decoder.hidden(batch, cache)))
    return torch.cat(results)


def test_logits_agree_with_transformers_for_both_families(random_model: Path) -> None:
    from transformers import AutoModelForCausalLM

    tokens = torch.randint(0, 256, (90,), generator=torch.Generator().manual_seed(1)).tolist()
    ours = full_logits(TorchDecoder(load_checkpoint(random_model)), tokens, chunk=17)
    reference = AutoModelForCausalLM.from_pretrained(random_model, dtype=torch.float32)
    with torch.no_grad():
        expected = reference(torch.tensor([tokens])).logits[0]
    assert (ours - expected).abs().max() < 1e-3


def test_logits_with_an_adapter_agree_with_peft(random_model: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(3)
    tokens = list(range(40, 90))
    reference = AutoModelForCausalLM.from_pretrained(random_model, dtype=torch.float32)
    config = LoraConfig(r=4, lora_alpha=12, target_modules="all-linear", init_lora_weights=False)
    adapted = get_peft_model(reference, config).eval()
    adapted.save_pretrained(tmp_path / "tiny")
    with torch.no_grad():
        expected = adapted(torch.tensor([tokens])).logits[0]
    decoder = TorchDecoder(load_checkpoint(random_model))
    without = full_logits(decoder, tokens)
    decoder.add_adapter(load_adapter(tmp_path / "tiny", decoder.config))
    assert (full_logits(decoder, tokens, adapter="tiny") - expected).abs().max() < 1e-3
    assert (without - expected).abs().max() > 0.05
    assert torch.equal(full_logits(decoder, tokens), without)


def test_a_window_wider_than_the_text_changes_nothing(edge_decoder: TorchDecoder) -> None:
    tokens = list(range(1000, 1060))
    assert torch.allclose(
        full_logits(edge_decoder, tokens, window=64), full_logits(edge_decoder, tokens), atol=1e-4
    )


def test_what_left_the_window_has_no_influence_in_the_first_layer(random_model: Path) -> None:
    class OneLayer:
        def __init__(self) -> None:
            import dataclasses

            whole = load_checkpoint(random_model)
            self.config = dataclasses.replace(whole.config, layers=1)
            self.tokenizer, self.fingerprint = whole.tokenizer, whole.fingerprint
            self.tensor, self.has = whole.tensor, whole.has

    decoder, window = TorchDecoder(OneLayer()), 32
    tokens = [5, 6, 7, 8, *range(20, 120)]
    changed = [*tokens[:SINKS], *range(130, 160), *tokens[SINKS + 30 :]]
    seen = SINKS + 30 + window - SINKS - 1  # the first position that sees none of the changed ones
    difference = (full_logits(decoder, tokens, window) - full_logits(decoder, changed, window)).abs().amax(-1)
    assert difference[seen:].max() < 1e-5
    assert difference[seen - 1] > 1e-4
    other_sink = [9, *tokens[1:]]
    assert (full_logits(decoder, tokens, window) - full_logits(decoder, other_sink, window))[
        -1
    ].abs().max() > 1e-5


PROMPTS = [
    "Name the planets of the solar system.",
    "Write a Python function that reverses a string.",
    "What is the capital of Australia?",
    "Explain recursion to a child.",
    "Translate 'good morning' into French.",
    "List five uses of a paper clip.",
    "Write a haiku about autumn.",
    "How do I boil an egg?",
    "What causes rain?",
    "Write a SQL query that counts orders per day.",
    "Give me a short story about a robot.",
    "What is 17 times 23?",
    "Summarise the plot of Romeo and Juliet.",
    "Write a Java class for a bank account.",
    "Why is the sky blue?",
    "Suggest names for a cat.",
    "What is the difference between TCP and UDP?",
    "Write an e-mail that asks for a refund.",
    "How many days are in a leap year?",
    "Write a C++ loop that prints the squares up to 100.",
]


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize(("name", "count", "length"), [(EDGE, 20, 200), (DEFAULT, 5, 60)])
def test_greedy_decoding_agrees_with_transformers(name: str, count: int, length: int) -> None:
    from transformers import AutoModelForCausalLM, GgufConfig

    checkpoint = open_checkpoint(name)
    tokenizer = Tokenizer(checkpoint.tokenizer)
    engine = Engine(TorchDecoder(checkpoint), tokenizer, cache_tokens=8192, max_sequences=20)
    sampling = SamplingParams(temperature=0, max_tokens=length, ignore_end=True)
    prompts = [tokenizer.encode_chat([{"role": "user", "content": prompt}]) for prompt in PROMPTS[:count]]
    generations = [engine.submit(GenerationRequest(prompt, sampling)) for prompt in prompts]
    answers = [generation.result().tokens for generation in generations]
    engine.close()
    path = catalog.resolve(name, catalog.home())
    reference = AutoModelForCausalLM.from_pretrained(
        str(path.parent),
        gguf_file=path.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.float32,
    )
    ends = sorted(tokenizer.end_ids)
    for prompt, answer in zip(prompts, answers, strict=True):
        # Each token is the reference's own choice after the same tokens: by induction, the same greedy text.
        with torch.no_grad():
            logits = reference(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
        logits[:, ends] = -torch.inf
        assert logits.argmax(-1).tolist() == answer
