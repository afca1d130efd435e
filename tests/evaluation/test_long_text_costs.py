"""`duet bench long` on a tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest

from core_model.checkpoint import load_checkpoint
from core_model.decoder import TorchDecoder
from core_model.tokenizer import Tokenizer
from evaluation.errors import DataError
from evaluation.long_text import DEPTHS, FORMS, KINDS, haystack, long_text
from evaluation.plots import curves, exponent


@pytest.fixture
def model(random_model: Path) -> tuple[TorchDecoder, Tokenizer]:
    checkpoint = load_checkpoint(random_model)
    return TorchDecoder(checkpoint), Tokenizer(checkpoint.tokenizer)


@pytest.mark.parametrize("kind", KINDS)
def test_facts_lie_at_their_depths_and_have_different_numbers(kind: str, edge_tokenizer: Tokenizer) -> None:
    text = haystack(kind, 4000, edge_tokenizer)
    assert len(text.tokens) == 4000
    whole = edge_tokenizer.decode(text.tokens)
    for depth, (question, number) in zip(DEPTHS, text.answers, strict=True):
        assert whole.count(number) == 1
        before = edge_tokenizer.encode(whole[: whole.index(number)])
        assert depth - 0.01 < len(before) / 4000 < depth + 0.1
        assert number not in edge_tokenizer.decode(question)
    assert len({number for _, number in text.answers}) == len(DEPTHS)


def test_every_form_is_measured(model: tuple[TorchDecoder, Tokenizer]) -> None:
    found = long_text(*model, sizes=[200, 300], kinds=["code"], scored=40)
    for form in FORMS:
        assert found[f"{form}_300_prefill_seconds"] > 0
        assert found[f"{form}_300_code_perplexity"] > 1
        assert 0 <= found[f"{form}_300_code_recall"] <= 1
        assert f"{form}_decode_exponent" in found
    # So short a text is attended to wholly in both.
    assert found["sparse_300_code_perplexity"] == pytest.approx(found["dense_300_code_perplexity"], rel=1e-4)
    assert found["dense-int4_300_cache_mb"] < 0.45 * found["dense_300_cache_mb"]


@pytest.mark.parametrize(("change", "named"), [({"forms": ["thin"]}, "thin"), ({"sizes": [600]}, "sizes")])
def test_what_cannot_be_measured_is_refused(
    model: tuple[TorchDecoder, Tokenizer], change: dict[str, list[object]], named: str
) -> None:
    with pytest.raises(DataError, match=named):
        long_text(*model, **{"sizes": [300], "kinds": ["code"], "scored": 40, **change})


def test_the_fitted_power_is_that_of_the_growth() -> None:
    points = [(n, 3.0 * n**1.5) for n in (100, 200, 800)]
    assert exponent(points) == pytest.approx(1.5)
    assert "n^1.50" in curves("Prefill", {"dense": points}, "s")
