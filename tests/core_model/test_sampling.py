from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_model.errors import RequestError
from core_model.requests import SamplingParams
from core_model.sampling import draw, logprob_of

TIE = 1e-6
"""Logits that are so near to each other have the same probability in float32."""
END = frozenset({0})
NO_END: frozenset[int] = frozenset()


@dataclass
class Only:
    """A constraint that allows a fixed set of tokens."""

    allowed: set[int]
    complete: bool = False
    completion: tuple[int, ...] = (1,)
    growth: int = 1

    def allows(self, token: int) -> bool:
        return token in self.allowed

    def first_allowed(self, tokens: Sequence[int]) -> int | None:
        return next((token for token in tokens if token in self.allowed), None)

    def accept(self, token: int) -> None:
        if token not in self.allowed:
            raise ValueError(token)

    def may_end(self) -> bool:
        return self.complete

    def closing(self) -> list[int]:
        return [] if self.complete else list(self.completion)

    def fork(self) -> Only:
        return self


def frequencies(
    logits: np.ndarray, params: SamplingParams, constraint: Only | None, draws: int, seed: int = 0
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    counts = Counter(
        draw(logits, params, rng, seen=[], end_ids=NO_END, constraint=constraint) for _ in range(draws)
    )
    return np.array([counts[token] for token in range(len(logits))]) / draws


def softmax(values: np.ndarray) -> np.ndarray:
    exponentials = np.exp(values - values.max())
    return exponentials / exponentials.sum()


def chi_square(observed: np.ndarray, expected: np.ndarray, draws: int) -> float:
    """Pearson's statistic over the cells that are expected."""
    cells = expected > 0
    return float((draws * (observed[cells] - expected[cells]) ** 2 / expected[cells]).sum())


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_draws_follow_the_masked_renormalised_distribution(temperature: float) -> None:
    logits = np.linspace(3, -1, 12).astype(np.float32)
    allowed = {1, 4, 5, 8, 11}
    mask = np.array([0.0 if token in allowed else -np.inf for token in range(12)])
    expected = softmax(logits / temperature + mask)
    observed = frequencies(logits, SamplingParams(temperature=temperature), Only(allowed), 20_000)
    assert observed[[t for t in range(12) if t not in allowed]].sum() == 0
    assert chi_square(observed, expected, 20_000) < 23.5  # 4 degrees of freedom, p = 1e-4


def test_draws_are_exact_where_only_very_unlikely_tokens_are_allowed() -> None:
    logits = np.array([0.0, -29.0, -31.0, -32.0, -60.0], dtype=np.float32)
    expected = np.zeros(5)
    expected[[1, 2, 3]] = softmax(np.array([-29.0, -31.0, -32.0]))
    observed = frequencies(logits, SamplingParams(temperature=1.0), Only({1, 2, 3}), 10_000)
    assert chi_square(observed, expected, 10_000) < 18.5  # 2 degrees of freedom, p = 1e-4


def test_unconstrained_draws_follow_the_softmax() -> None:
    logits = np.array([1.0, 0.0, 2.0, -1.0], dtype=np.float32)
    observed = frequencies(logits, SamplingParams(temperature=1.0), None, 20_000)
    assert chi_square(observed, softmax(logits), 20_000) < 21.1  # 3 degrees of freedom, p = 1e-4


def test_greedy_takes_the_best_allowed_token() -> None:
    logits = np.arange(1000, dtype=np.float32)
    params, rng = SamplingParams(temperature=0), np.random.default_rng()
    assert draw(logits, params, rng, seen=[], end_ids=END) == 999
    assert draw(logits, params, rng, seen=[], end_ids=END, constraint=Only({3, 700, 5})) == 700
    assert draw(logits, params, rng, seen=[], end_ids=END, constraint=Only(set())) is None


def test_an_end_token_waits_until_the_text_may_end() -> None:
    logits = np.array([9.0, 1.0, 0.0], dtype=np.float32)
    params, rng = SamplingParams(temperature=0), np.random.default_rng()
    assert draw(logits, params, rng, seen=[], end_ids=END, constraint=Only({1, 2})) == 1
    assert draw(logits, params, rng, seen=[], end_ids=END, constraint=Only({1, 2}, complete=True)) == 0
    assert draw(logits, params, rng, seen=[], end_ids=END, constraint=Only(set(), complete=True)) == 0


def test_a_text_that_nothing_completes_ends_where_the_model_ends_it() -> None:
    logits = np.array([9.0, 1.0, 0.0], dtype=np.float32)
    params, rng = SamplingParams(temperature=0), np.random.default_rng()
    assert draw(logits, params, rng, seen=[], end_ids=END, constraint=Only({1, 2}, completion=())) == 0


@given(
    st.lists(st.floats(-8, 8, width=32), min_size=2, max_size=40),
    st.integers(1, 5),
    st.sampled_from([0.1, 0.5, 0.9]),
)
@settings(max_examples=100, deadline=None)
def test_truncation_keeps_the_most_likely(values: list[float], top_k: int, top_p: float) -> None:
    logits = np.array(values, dtype=np.float32)
    rng = np.random.default_rng(1)
    by_rank = np.sort(logits)[::-1]
    for _ in range(5):
        token = draw(logits, SamplingParams(temperature=1, top_k=top_k), rng, seen=[], end_ids=NO_END)
        assert token is not None
        assert logits[token] >= by_rank[min(top_k, len(values)) - 1] - TIE
        token = draw(logits, SamplingParams(temperature=1, top_p=top_p), rng, seen=[], end_ids=NO_END)
        assert token is not None
        chances = softmax(logits.astype(np.float64))
        more_likely = chances[chances > chances[token] * (1 + 1e-6)].sum()  # beyond what rounding makes equal
        assert more_likely < top_p + 1e-6


def test_min_p_drops_what_is_much_less_likely_than_the_best() -> None:
    logits = np.log(np.array([0.6, 0.3, 0.05, 0.05], dtype=np.float32))
    observed = frequencies(logits, SamplingParams(temperature=1, min_p=0.2), None, 2_000)
    assert observed[2:].sum() == 0
    assert observed[1] == pytest.approx(1 / 3, abs=0.05)


def test_the_same_seed_draws_the_same_tokens() -> None:
    logits = np.random.default_rng(5).normal(size=5000).astype(np.float32)
    params = SamplingParams(temperature=1)

    def run(seed: int) -> list[int | None]:
        rng = np.random.default_rng(seed)
        return [draw(logits, params, rng, seen=[], end_ids=NO_END) for _ in range(20)]

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_the_repetition_penalty_makes_seen_tokens_less_likely() -> None:
    logits = np.array([2.0, 1.9, -1.0], dtype=np.float32)
    params = SamplingParams(temperature=0, repetition_penalty=1.5)
    assert draw(logits, params, np.random.default_rng(), seen=[0, 0], end_ids=NO_END) == 1
    assert logits[0] == 2.0


def test_logprobs_are_those_of_the_untempered_model() -> None:
    logits = np.array([1.0, 3.0, 2.0], dtype=np.float32)
    found = logprob_of(logits, 2, top=2)
    expected = np.log(softmax(logits.astype(np.float64)))
    assert found.logprob == pytest.approx(expected[2], abs=1e-5)
    assert [token for token, _ in found.top] == [1, 2]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("temperature", -1), ("top_p", 0), ("top_k", -3), ("min_p", 1), ("max_tokens", -1), ("stop", ("",))],
)
def test_a_parameter_out_of_range_is_named(parameter: str, value: object) -> None:
    with pytest.raises(RequestError, match=parameter) as caught:
        SamplingParams(**{parameter: value})
    assert caught.value.parameter == parameter
