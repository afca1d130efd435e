"""Speculation changes how fast a text comes, never the text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core_model import Engine, GenerationRequest, SamplingParams
from core_model.checkpoint import load_checkpoint
from core_model.fused_decoder import FusedDecoder
from core_model.generating import Generating
from core_model.generation import Generation
from core_model.kernels.build import KernelsUnavailableError
from core_model.lora import MODULES, LoraAdapter, module_shape
from core_model.requests import Completion
from core_model.speculation import Drafter, Guess, NgramIndex, StepCost, draft_lengths
from core_model.tokenizer import Tokenizer

SCRAMBLED = [number * 37 % 251 for number in range(40)]


class Ascending:
    """A constraint: every token is at most 40 ids above the one before it, or begins again below 40."""

    growth = 0

    def __init__(self) -> None:
        self._last = 0

    def allows(self, token: int) -> bool:
        return token < 40 or self._last < token <= self._last + 40

    def first_allowed(self, tokens: Sequence[int]) -> int | None:
        return next((token for token in tokens if self.allows(token)), None)

    def accept(self, token: int) -> None:
        assert self.allows(token)
        self._last = token

    def may_end(self) -> bool:
        return True

    def forced(self) -> list[int]:
        return [self._last + 1]  # wrong as often as not, which may cost time alone

    def closing(self) -> list[int]:
        return []

    def longest_complete(self) -> int | None:
        return None

    def fork(self) -> Ascending:
        return copy(self)


@pytest.fixture(scope="module")
def engine(random_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    checkpoint = load_checkpoint(random_model)
    try:
        decoder = FusedDecoder(checkpoint, "int8", 2, tmp_path_factory.getbasetemp() / "speculation")
    except KernelsUnavailableError as error:
        pytest.skip(str(error))
    decoder.config = replace(decoder.config, context=4096)  # its weights are random ones anyway
    engine = Engine(decoder, Tokenizer(checkpoint.tokenizer), cache_tokens=8192, max_sequences=8)
    generator = torch.Generator().manual_seed(5)

    def pair(module: str) -> tuple[torch.Tensor, torch.Tensor]:
        outputs, inputs = module_shape(decoder.config, module)
        return torch.randn(4, inputs, generator=generator) / 8, torch.randn(
            outputs, 4, generator=generator
        ) / 8

    weights = {(layer, module): pair(module) for layer in range(decoder.config.layers) for module in MODULES}
    engine.add_adapter(LoraAdapter("tuned", 4, weights))
    yield engine
    engine.close()


def prompts() -> list[list[int]]:
    """Random ones, repeating ones, and a longer one."""
    source = np.random.default_rng(11)
    scattered = [source.integers(0, 250, length).tolist() for length in (1, 30)]
    repeating = [source.integers(0, 250, length).tolist() * 6 for length in (2, 9)]
    return [*scattered, *repeating, source.integers(0, 250, 150).tolist()]


def requests(sampling: SamplingParams, speculate: bool) -> list[GenerationRequest]:
    return [
        GenerationRequest(
            prompt, sampling, window, adapter, constraint, references=(SCRAMBLED,), speculate=speculate
        )
        for prompt in prompts()
        for window in (None, 40)
        for adapter in (None, "tuned")
        for constraint in (None, Ascending())
    ]


@pytest.mark.parametrize(
    "sampling",
    [
        SamplingParams(temperature=0, max_tokens=40, ignore_end=True, logprobs=2),
        SamplingParams(temperature=0.4, max_tokens=40, seed=3, top_p=0.9, repetition_penalty=1.1),
        SamplingParams(temperature=1.2, max_tokens=40, seed=4, stop=("ab", "0")),
    ],
)
def test_the_text_is_the_same_with_drafts_and_beside_others(engine: Engine, sampling: SamplingParams) -> None:
    alone = [engine.submit(request).result() for request in requests(sampling, speculate=False)]
    before = engine.statistics
    together = [engine.submit(request) for request in requests(sampling, speculate=True)]
    found = [generation.result() for generation in together]
    after = engine.statistics

    def said(completion: Completion) -> tuple[object, ...]:
        return completion.tokens, completion.text, completion.logprobs, completion.finish_reason

    assert [said(completion) for completion in found] == [said(completion) for completion in alone]
    assert after.drafted_tokens > before.drafted_tokens
    assert after.free_blocks == 8192 // 16


def test_it_ends_at_the_same_place_with_drafts_and_in_the_background(engine: Engine) -> None:
    def ending(text: str) -> int | None:
        return 17 if len(text) >= 20 else None

    sampling = SamplingParams(temperature=0, max_tokens=60, ignore_end=True)
    prompt = [7, 8, 9] * 5
    plain = engine.submit(GenerationRequest(prompt, sampling, ending=ending, speculate=False)).result()
    everything = engine.submit(GenerationRequest(prompt, sampling, speculate=False)).result()
    assert plain.text == everything.text[:17]
    assert len(plain.tokens) < len(everything.tokens)
    before = engine.statistics
    for background in (False, True):
        request = GenerationRequest(
            prompt, sampling, references=(everything.tokens,), ending=ending, background=background
        )
        quick = engine.submit(request).result()
        assert (quick.tokens, quick.text) == (plain.tokens, plain.text)
    assert engine.statistics.accepted_tokens > before.accepted_tokens
    assert engine.statistics.steps - before.steps < 2 * len(plain.tokens)


def test_a_text_that_attends_sparsely_is_the_same_with_drafts(engine: Engine) -> None:
    sampling = SamplingParams(temperature=0, max_tokens=120, ignore_end=True, logprobs=1)
    prompt = np.random.default_rng(6).integers(0, 250, 90).tolist() * 30  # beyond what is attended to anyway
    dense, plain = [
        engine.submit(GenerationRequest(prompt, sampling, attention=attention, speculate=False)).result()
        for attention in ("dense", "sparse")
    ]
    assert plain.logprobs != dense.logprobs
    before = engine.statistics
    for references in ((), (plain.tokens,), (dense.tokens[:30] + SCRAMBLED,)):
        request = GenerationRequest(prompt, sampling, attention="sparse", references=references)
        quick = engine.submit(request).result()
        assert (quick.tokens, quick.logprobs) == (plain.tokens, plain.logprobs)
    after = engine.statistics
    accepted = after.accepted_tokens - before.accepted_tokens
    assert 0 < accepted < after.drafted_tokens - before.drafted_tokens


def test_nothing_is_drafted_where_keys_and_values_are_rounded(engine: Engine) -> None:
    rounded = Engine(engine.decoder, engine.tokenizer, 1024, 2, "int8")
    sampling = SamplingParams(temperature=0, max_tokens=40, ignore_end=True)
    try:
        plain, asked = [
            rounded.submit(GenerationRequest([7, 8, 9] * 9, sampling, speculate=speculate)).result()
            for speculate in (False, True)
        ]
        assert asked.tokens == plain.tokens
        assert rounded.statistics.drafted_tokens == 0
    finally:
        rounded.close()


def test_a_text_that_repeats_itself_takes_fewer_steps_than_tokens(engine: Engine) -> None:
    sampling = SamplingParams(temperature=0, max_tokens=200, ignore_end=True)
    before = engine.statistics.steps
    plain = engine.submit(GenerationRequest([7, 8, 9], sampling, speculate=False)).result()
    between = engine.statistics.steps
    quick = engine.submit(GenerationRequest([7, 8, 9], sampling, references=(plain.tokens,))).result()
    assert quick.tokens == plain.tokens
    assert between - before == 200
    assert engine.statistics.steps - between < 100


def test_drawn_tokens_are_distributed_as_without_drafts(engine: Engine) -> None:
    source = np.random.default_rng(0)
    logits = torch.tensor(source.normal(size=(2, engine.config.vocab)) * 3, dtype=torch.float32)
    chances = (logits / 0.8).softmax(-1).numpy()
    draft = int(chances[0].argsort()[-2])
    firsts: Counter[int] = Counter()
    seconds: Counter[int] = Counter()
    runs = 4000
    for seed in range(runs):
        sampling = SamplingParams(temperature=0.8, seed=seed, ignore_end=True)
        sequence = Generating(
            GenerationRequest([1, 2, 3], sampling), engine.tokenizer, Generation(), 10, speculate=True
        )
        accepted = sequence.receive(torch.empty(0), logits, (draft,))
        drawn = sequence.completion.tokens
        assert len(drawn) == 1 + accepted
        assert accepted == (drawn[0] == draft)
        firsts[drawn[0]] += 1
        seconds.update(drawn[1:])
    assert _distance(firsts, chances[0], runs) < 1
    assert seconds.total() == firsts[draft] > 100
    assert _distance(seconds, chances[1], seconds.total()) < 1


def _distance(counts: Counter[int], chances: np.ndarray, runs: int) -> float:
    """Largest deviation of a count, in fives of its standard deviation."""
    expected = chances * runs
    spread = 5 * np.sqrt(expected * (1 - chances)) + 3
    return max(abs(counts[token] - expected[token]) / spread[token] for token in range(len(chances)))


def test_the_longest_match_goes_on_and_of_equal_ones_the_last() -> None:
    index = NgramIndex([[1, 2, 3, 4, 50], [9, 2, 3, 4, 60], [2, 3, 4, 70]])
    first = {
        tuple(after): next(index.continuation(list(after))) for after in [(1, 2, 3, 4), (7, 2, 3, 4), (4,)]
    }
    assert first == {(1, 2, 3, 4): (50, 4), (7, 2, 3, 4): (70, 3), (4,): (70, 1)}
    assert list(index.continuation([1, 2, 3])) == [(4, 3), (50, 4)]  # not on into the next text
    assert list(index.continuation([5])) == []


def test_a_text_that_repeats_itself_goes_on_repeating() -> None:
    index = NgramIndex()
    for token in [1, 2, 3, 1, 2, 3]:
        index.append(token)
    continuation = index.continuation([1, 2, 3])
    assert [next(continuation)[0] for _ in range(8)] == [1, 2, 3, 1, 2, 3, 1, 2]


def test_a_sequence_gives_drafting_up_and_takes_it_up_again() -> None:
    source = np.random.default_rng(1)
    drafter = Drafter([[]], frozenset())

    def drafted(tokens: list[int]) -> int:
        rows = 0
        for token in tokens:
            guesses = drafter.guess([])
            rows += draft_lengths([guesses], 1, 0.1)[0]
            drafter.learn(token, 0)
        return rows

    noise = source.integers(0, 30, 1200).tolist()  # every token stood before, followed by any other
    drafted(noise[:600])
    assert drafted(noise[600:]) < 100
    verse = list(range(100, 150))
    drafted(verse)
    assert drafted(verse * 3) > 300


def test_tokens_that_end_a_text_are_not_drafted() -> None:
    drafter = Drafter([[1, 2, 3, 0, 4], [1, 2, 3]], frozenset({0}))
    assert drafter.guess([]) == []
    assert [guess.token for guess in drafter.guess([8, 0])] == [8]


def test_rows_go_to_the_likeliest_tokens_and_to_none_that_is_not_worth_one() -> None:
    def guesses(*reaches: float) -> list[Guess]:
        return [Guess(0, 1, reach) for reach in reaches]

    assert draft_lengths([guesses(0.9, 0.8, 0.05), guesses(0.02)], 2, 0.1) == [2, 0]
    assert draft_lengths([guesses(0.9, 0.8, 0.6)], 1, 0.02) == [3]
    assert draft_lengths([guesses(0.9, 0.3, 0.2)], 1, 0.5) == [1]
    assert draft_lengths([guesses(0.3)] * 8, 8, 0.3) == [0] * 8  # beside others a row delays all of them


def test_the_cost_of_a_row_is_learnt_from_the_steps() -> None:
    cost = StepCost()
    assert cost.per_row == StepCost.UNKNOWN
    for rows in [1, 4, 2, 9, 1, 12, 6] * 5:
        cost.observe(rows, 0.010 + 0.002 * rows)
    assert cost.per_row == pytest.approx(0.2)
