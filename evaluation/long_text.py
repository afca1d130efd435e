"""Long texts: speed, memory, perplexity and recall of facts at several lengths, by form of attention and cache."""

from __future__ import annotations

import itertools
import math
import pydoc_data.topics
import random
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from core_model.decoder import Decoder
from core_model.engine import Engine
from core_model.requests import Attention, Completion, GenerationRequest, Precision, SamplingParams
from core_model.tokenizer import Tokenizer
from evaluation.errors import DataError
from evaluation.plots import exponent

SIZES = (2048, 8192, 16384, 32768)
DEPTHS = (0.1, 0.3, 0.5, 0.7, 0.9)
SCORED_TOKENS = 256
"""Tokens at the end of a text whose perplexity is taken, given all before them."""
DECODED_TOKENS = 32
ANSWER_TOKENS = 10


@dataclass(frozen=True)
class Form:
    """How a text is attended to, and how its keys and values are kept."""

    attention: Attention | None = None
    window: int | None = None
    kv_cache: Precision = "bf16"


FORMS: Mapping[str, Form] = {
    "dense": Form("dense"),
    "sparse": Form("sparse"),
    "window": Form(window=512),
    "dense-int8": Form("dense", kv_cache="int8"),
    "dense-int4": Form("dense", kv_cache="int4"),
    "sparse-int8": Form("sparse", kv_cache="int8"),
    "sparse-int4": Form("sparse", kv_cache="int4"),
}


@dataclass(frozen=True)
class Kind:
    """A kind of text: its paragraphs, a fact to be hidden in it, and how the fact is asked for."""

    paragraphs: Callable[[], Iterator[str]]
    names: Sequence[str]  # one for each depth
    fact: str
    question: str


def _english() -> Iterator[str]:
    for topic in sorted(pydoc_data.topics.topics):
        yield from pydoc_data.topics.topics[topic].split("\n\n")


def _code() -> Iterator[str]:
    library = Path(sysconfig.get_path("stdlib"))
    for name in ("argparse.py", "typing.py", "tarfile.py", "turtle.py", "subprocess.py", "mailbox.py"):
        yield from (library / name).read_text(encoding="utf-8").split("\n\n")


def _chinese() -> Iterator[str]:
    for article in sorted(
        (files("apps.support.shop") / "handbook" / "zh").iterdir(), key=lambda file: file.name
    ):
        yield from article.read_text(encoding="utf-8").split("\n\n")


KINDS: Mapping[str, Kind] = {
    "english": Kind(
        _english,
        ("north gate", "old mill", "boat house", "tea room", "bell tower"),
        "The access code of the {name} is {number}.",
        "\n\nAs was said above, the access code of the {name} is",
    ),
    "chinese": Kind(
        _chinese,
        ("北门", "磨坊", "船屋", "茶室", "钟楼"),
        "{name}的门禁密码是{number}。",
        "\n\n如前文所述，{name}的门禁密码是",
    ),
    "code": Kind(
        _code,
        ("RETRY", "UPLOAD", "SESSION", "QUEUE", "PACKET"),
        "{name}_LIMIT = {number}",
        "\n\n# the constant as it is defined above\nassert {name}_LIMIT ==",
    ),
}


@dataclass(frozen=True)
class Haystack:
    """A text of `tokens` with facts in it; `answers` are (question, number) in the order of DEPTHS."""

    tokens: list[int]
    answers: list[tuple[list[int], str]]


def haystack(kind: str, size: int, tokenizer: Tokenizer) -> Haystack:
    """A text of exactly `size` tokens with a fact at each of DEPTHS; the same for the same arguments.

    A kind with less text than that is repeated.
    """
    told, source = KINDS[kind], random.Random(f"{kind} {size}")
    numbers = [str(source.randrange(10_000, 100_000)) for _ in DEPTHS]
    facts = [
        told.fact.format(name=name, number=number) for name, number in zip(told.names, numbers, strict=True)
    ]
    waiting = list(zip(DEPTHS, facts, strict=True))
    tokens = list(tokenizer.first)
    for paragraph in itertools.chain.from_iterable(told.paragraphs() for _ in itertools.count()):
        while waiting and len(tokens) >= waiting[0][0] * size:
            tokens += tokenizer.encode(waiting.pop(0)[1] + "\n\n")
        if len(tokens) >= size:
            break
        tokens += tokenizer.encode(paragraph + "\n\n")
    questions = [tokenizer.encode(told.question.format(name=name)) for name in told.names]
    return Haystack(tokens[:size], list(zip(questions, numbers, strict=True)))


def long_text(
    decoder: Decoder,
    tokenizer: Tokenizer,
    sizes: Sequence[int] = SIZES,
    forms: Sequence[str] = tuple(FORMS),
    kinds: Sequence[str] = tuple(KINDS),
    scored: int = SCORED_TOKENS,
    progress: Callable[[str], None] = lambda step: None,
) -> dict[str, float]:
    """Metrics {form}_{size}_…: prefill_seconds, decode_ms, cache_mb, and for each kind perplexity and recall.

    Speed is taken on the first kind; perplexity is that of the last `scored` tokens.
    `{form}_prefill_exponent` and `{form}_decode_exponent` are fitted over the sizes. Raises DataError for an
    unknown form or kind, and for a size that the model cannot read.
    """
    for known, asked in ((FORMS, forms), (KINDS, kinds)):
        unknown = set(asked) - set(known)
        if unknown:
            raise DataError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    room = scored + DECODED_TOKENS
    if min(sizes) <= 2 * room or max(sizes) + room >= decoder.config.context:
        raise DataError(
            f"sizes must be above {2 * room} and, for {decoder.config.name}, below {decoder.config.context - room}"
        )
    metrics: dict[str, float] = {}
    for size in sizes:
        for name in forms:
            engine = Engine(
                decoder, tokenizer, size + 4 * room, max_sequences=2, precision=FORMS[name].kv_cache
            )
            try:
                for index, kind in enumerate(kinds):
                    progress(f"{size} tokens, {name}, {kind}")
                    taken = _Measurement(engine, FORMS[name], haystack(kind, size, tokenizer), scored)
                    found = taken.quality(kind) if index else taken.speed() | taken.quality(kind)
                    metrics |= {f"{name}_{size}_{figure}": value for figure, value in found.items()}
            finally:
                engine.close()
    for name in forms if len(sizes) > 1 else ():
        for figure in ("prefill_seconds", "decode_ms"):
            values = [metrics[f"{name}_{size}_{figure}"] for size in sizes]
            metrics[f"{name}_{figure.partition('_')[0]}_exponent"] = exponent(
                list(zip(sizes, values, strict=True))
            )
    return metrics


class _Measurement:
    """One text in one form, whose beginning is computed once and then found in the prefix cache."""

    def __init__(self, engine: Engine, form: Form, text: Haystack, scored: int) -> None:
        self._engine, self._form = engine, form
        self._begun, self._rest = text.tokens[:-scored], text.tokens[-scored:]
        self._answers = text.answers

    def speed(self) -> dict[str, float]:
        prefill = self._run(self._begun, 1)
        decode = self._run([*self._begun, *self._rest[:1]], DECODED_TOKENS + 1)
        seen = min(len(self._begun), self._form.window or len(self._begun))
        bytes_a_token = self._engine.cache_bytes_per_token(sparse=self._form.attention == "sparse")
        return {
            "prefill_seconds": prefill.first_token_s,
            "decode_ms": 1000 * (decode.total_s - decode.first_token_s) / DECODED_TOKENS,
            "cache_mb": seen * bytes_a_token / 1e6,
        }

    def quality(self, kind: str) -> dict[str, float]:
        scored = self._engine.score(
            self._begun, [self._rest], window=self._form.window, attention=self._form.attention
        )
        found = [
            number in self._run([*self._begun, *question], ANSWER_TOKENS).text
            for question, number in self._answers
        ]
        return {
            f"{kind}_perplexity": math.exp(-scored[0] / len(self._rest)),
            f"{kind}_recall": sum(found) / len(found),
        }

    def _run(self, prompt: list[int], tokens: int) -> Completion:
        sampling = SamplingParams(temperature=0, max_tokens=tokens, ignore_end=True)
        request = GenerationRequest(
            prompt, sampling, window=self._form.window, attention=self._form.attention
        )
        return self._engine.submit(request).result()
