"""How fast the engine is: decode, prefill, first token, memory; beside llama.cpp on the same file."""

from __future__ import annotations

import itertools
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil  # type: ignore[import-untyped]

from core_model.engine import Engine
from core_model.requests import Completion, GenerationRequest, SamplingParams
from evaluation.errors import DataError

DECODE_CONTEXTS = (32, 512, 4096)
DECODE_TOKENS = 48
PREFILL_TOKENS = 512
CACHED_TOKENS, NEW_TOKENS = 400, 40
REPEATS = 3
ORDINARY_TOKENS = (1000, 30_000)
"""Ids that are words in every vocabulary we serve; speed does not depend on which."""


class Contestant(Protocol):
    """Something that continues tokens greedily."""

    name: str

    def first_token_s(self, cached: Sequence[int], new: Sequence[int]) -> float:
        """Seconds from `new` tokens, after `cached` ones computed before, to the first answer."""

    def decode_s(self, prompt: Sequence[int], tokens: int) -> float:
        """Seconds per token of a continuation, after its first token."""


class OurEngine:
    """Duet's engine, from submission to delivery."""

    name = "duet"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def first_token_s(self, cached: Sequence[int], new: Sequence[int]) -> float:
        if cached:
            self._run([*cached], 1)
        return self._run([*cached, *new], 1).first_token_s

    def decode_s(self, prompt: Sequence[int], tokens: int) -> float:
        completion = self._run([*prompt], tokens + 1)
        return (completion.total_s - completion.first_token_s) / tokens

    def _run(self, prompt: list[int], tokens: int) -> Completion:
        sampling = SamplingParams(temperature=0, max_tokens=tokens, ignore_end=True)
        return self._engine.submit(GenerationRequest(prompt, sampling)).result()


class LlamaCpp:
    """llama-cpp-python on the same file. Raises DataError where it is not installed."""

    name = "llama_cpp"

    def __init__(self, model: Path, threads: int) -> None:
        try:
            from llama_cpp import Llama
        except ImportError as error:
            raise DataError(
                "llama-cpp-python is not installed: pip install 'duet-assistant[peers]'"
            ) from error
        context = max(DECODE_CONTEXTS) + 2 * DECODE_TOKENS
        self._model = Llama(
            str(model), n_ctx=context, n_threads=threads, n_threads_batch=threads, verbose=False
        )

    def first_token_s(self, cached: Sequence[int], new: Sequence[int]) -> float:
        self._model.reset()
        if cached:
            self._model.eval(cached)
        start = time.perf_counter()
        self._model.eval(new)
        self._model.sample(temp=0.0)
        return time.perf_counter() - start

    def decode_s(self, prompt: Sequence[int], tokens: int) -> float:
        self._model.reset()
        self._model.eval(prompt)
        token = self._model.sample(temp=0.0)
        start = time.perf_counter()
        for _ in range(tokens):
            self._model.eval([token])
            token = self._model.sample(temp=0.0)
        return (time.perf_counter() - start) / tokens


@dataclass(frozen=True)
class Measurement:
    """One figure: its name, how to take it once, and what is reported from the median."""

    name: str
    take: Callable[[Contestant, random.Random], float]
    report: Callable[[float], float]


def _tokens(source: random.Random, count: int) -> list[int]:
    return [source.randrange(*ORDINARY_TOKENS) for _ in range(count)]


def measurements() -> list[Measurement]:
    """Decode after each context, prefill, and the first token after a reused prefix."""

    def decode(context: int) -> Callable[[Contestant, random.Random], float]:
        return lambda contestant, source: contestant.decode_s(_tokens(source, context), DECODE_TOKENS)

    def prefill(contestant: Contestant, source: random.Random) -> float:
        return contestant.first_token_s([], _tokens(source, PREFILL_TOKENS))

    def first_token(contestant: Contestant, source: random.Random) -> float:
        return contestant.first_token_s(_tokens(source, CACHED_TOKENS), _tokens(source, NEW_TOKENS))

    return [
        *(
            Measurement(f"decode_{context}_tokens_per_second", decode(context), lambda s: 1 / s)
            for context in DECODE_CONTEXTS
        ),
        Measurement(f"prefill_{PREFILL_TOKENS}_tokens_per_second", prefill, lambda s: PREFILL_TOKENS / s),
        Measurement(f"first_token_{NEW_TOKENS}_on_{CACHED_TOKENS}_ms", first_token, lambda s: 1000 * s),
    ]


def engine_speed(
    engine: Engine,
    peer: Callable[[], Contestant] | None = None,
    repeats: int = REPEATS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, float]:
    """Medians of `repeats` runs, contestants alternating: {contestant}_{figure}, {contestant}_resident_mb.

    `resident_mb` is the whole process with our engine; for the peer, what it added to that.
    """
    contestants: list[Contestant] = [OurEngine(engine)]
    rounds = measurements()
    metrics: dict[str, float] = {}
    seeds = itertools.count()

    def take(contestant: Contestant, measurement: Measurement) -> float:
        # New tokens every time, so that nothing is reused but what a measurement means to reuse.
        return measurement.take(contestant, random.Random(next(seeds)))

    take(contestants[0], rounds[0])
    metrics[f"{contestants[0].name}_resident_mb"] = _resident_mb()
    if peer is not None:
        before = _resident_mb()
        contestants.append(peer())
        take(contestants[1], rounds[0])
        metrics[f"{contestants[1].name}_resident_mb"] = _resident_mb() - before
    total = len(rounds) * repeats * len(contestants)
    done = 0
    for measurement in rounds:
        seconds: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
        for _ in range(repeats):
            for contestant in contestants:
                seconds[contestant.name].append(take(contestant, measurement))
                done += 1
                progress(done, total)
        for name, values in seconds.items():
            metrics[f"{name}_{measurement.name}"] = measurement.report(statistics.median(values))
    return metrics


def _resident_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20
