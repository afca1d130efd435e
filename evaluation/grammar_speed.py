"""What the grammar constraint costs: `duet bench grammar`.

Per token on real files and deeply nested ones, memory, and the share of a decode step with the real model.
"""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from apps.code.grammar import GrammarConstraint
from apps.code.grammar.grammar import Grammar
from apps.code.grammar.languages import language as grammar_language
from apps.code.prompts import LANGUAGE_NAMES, fence
from apps.code.syntax import parses
from core_model import GenerationRequest, SamplingParams
from core_model.constraint import Constraint
from core_model.engine import Engine
from core_model.requests import Completion
from core_model.tokenizer import Tokenizer
from evaluation.grammar import FileCheck, Row, check_file, costs

T = TypeVar("T")

NESTED = {
    "python": [("x = ", "(", 200), ("", "x(a(", 50), ("x = ", "a<", 200)],
    "java": [
        ("class A { int x = ", "(", 200),
        ("class A { int x = ", "a<", 200),
        ("class A { int x = ", "x(a(", 50),
    ],
    "cpp": [("int x = ", "(", 200), ("int x = ", "a<", 200), ("void f() { ", "x(a(", 50)],
}
MEMORY_TOKENS = 2000
"""Tokens of the program whose memory is measured."""
TASKS = ("reads a file of numbers and prints their mean", "is a queue with two stacks")
DECODE_TOKENS = 400
"""The budget of a program, the largest of `grammar_programs`; completions are looked at in the last 48."""
DECODED_PROGRAMS = 2 * len(TASKS) * len(LANGUAGE_NAMES)
"""With the constraint and without."""


def token_costs(rows: Sequence[Row], tokenizer: Tokenizer, on_file: Callable[[], None]) -> dict[str, float]:
    """By language: the processor time of a token on files that tree-sitter parses, in microseconds."""
    checks: dict[str, list[FileCheck]] = {}
    for row in rows:
        check = check_file(row, tokenizer)
        if check.clean:
            checks.setdefault(check.language, []).append(check)
        on_file()
    return {
        f"{language}_{name}": value
        for language, found in checks.items()
        for name, value in (
            ("tokens", float(sum(check.tokens for check in found))),
            *costs([check.us for check in found]).items(),
        )
    }


def nesting_costs(tokenizer: Tokenizer) -> dict[str, float]:
    """By language: the mean and the largest cost of a token of deeply nested texts, in microseconds."""
    found: dict[str, float] = {}
    for language, texts in NESTED.items():
        us: list[float] = []
        for start, unit, count in texts:
            constraint = GrammarConstraint(language, tokenizer)
            gc.freeze()  # a collection goes through what this text makes, not through what else is measured
            for token in tokenizer.encode(start + unit * count):
                started = time.thread_time_ns()
                constraint.accept(token)
                us.append((time.thread_time_ns() - started) / 1000)
        found[f"{language}_nested_us_mean"] = float(np.mean(us))
        found[f"{language}_nested_us_max"] = max(us)
    return found


def memory(rows: Sequence[Row], tokenizer: Tokenizer) -> dict[str, float]:
    """By language: megabytes of a loaded grammar and of a program of MEMORY_TOKENS tokens (Python's own
    allocations; the wheel's shared library is not in them)."""
    found: dict[str, float] = {}
    for language in sorted({row["language"] for row in rows}):
        spec = grammar_language(language)
        tracemalloc.start()
        loaded = Grammar(spec, strict=True)
        found[f"{language}_loaded_mb"] = tracemalloc.get_traced_memory()[0] / 2**20
        tracemalloc.stop()
        del loaded
        long = _long_program(rows, language, tokenizer)
        if long:
            GrammarConstraint(language, tokenizer)  # the shared grammar is loaded before
            found[f"{language}_program_mb"] = _program_mb(language, long, tokenizer)
    return found


def _long_program(rows: Sequence[Row], language: str, tokenizer: Tokenizer) -> list[int]:
    for row in rows:
        if row["language"] == language and len(row["text"]) > MEMORY_TOKENS and parses(row["text"], language):
            tokens = tokenizer.encode(row["text"])
            if len(tokens) >= MEMORY_TOKENS:
                return tokens[:MEMORY_TOKENS]
    return []


def _program_mb(language: str, tokens: list[int], tokenizer: Tokenizer) -> float:
    gc.collect()
    tracemalloc.start()
    constraint = GrammarConstraint(language, tokenizer)
    for token in tokens:
        constraint.accept(token)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


class Timed:
    """A constraint that adds up the seconds spent in it."""

    def __init__(self, constraint: Constraint, spent: list[float] | None = None) -> None:
        self.growth = constraint.growth
        self._constraint = constraint
        self._spent = [0.0] if spent is None else spent

    @property
    def seconds(self) -> float:
        return self._spent[0]

    def allows(self, token: int) -> bool:
        return self._measured(lambda: self._constraint.allows(token))

    def first_allowed(self, tokens: Sequence[int]) -> int | None:
        return self._measured(lambda: self._constraint.first_allowed(tokens))

    def accept(self, token: int) -> None:
        self._measured(lambda: self._constraint.accept(token))

    def may_end(self) -> bool:
        return self._measured(self._constraint.may_end)

    def forced(self) -> list[int]:
        return self._measured(self._constraint.forced)

    def closing(self) -> list[int]:
        return self._measured(self._constraint.closing)

    def longest_complete(self) -> int | None:
        return self._measured(self._constraint.longest_complete)

    def fork(self) -> Timed:
        return Timed(self._measured(self._constraint.fork), self._spent)

    def _measured(self, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return work()
        finally:
            self._spent[0] += time.perf_counter() - started


def decode_share(engine: Engine, on_program: Callable[[], None]) -> dict[str, float]:
    """What the constraint takes of decoding with a model, with it and without it in turn.

    `decode_share` is the time spent in the constraint by the time of all steps after the first token, wall-clock;
    `decode_ms_on` and `decode_ms_off` are medians of a step, whose difference is as noisy as the machine.
    """
    on: list[float] = []
    off: list[float] = []
    spent = total = 0.0
    for language in LANGUAGE_NAMES:
        for seed, task in enumerate(TASKS):
            for constrained in (True, False):
                timed = Timed(GrammarConstraint(language, engine.tokenizer))
                done = _decode(engine, language, task, seed, timed if constrained else None)
                steps = done.total_s - done.first_token_s
                (on if constrained else off).append(1000 * steps / max(1, len(done.tokens) - 1))
                if constrained:
                    spent, total = spent + timed.seconds, total + steps
                on_program()
    return {
        "decode_share": spent / total,
        "decode_ms_on": statistics.median(on),
        "decode_ms_off": statistics.median(off),
    }


def _decode(engine: Engine, language: str, task: str, seed: int, constraint: Constraint | None) -> Completion:
    tokenizer = engine.tokenizer
    message = f"{LANGUAGE_NAMES[language]} code that {task}:"
    prompt = tokenizer.encode_chat([{"role": "user", "content": message}])
    prompt += tokenizer.encode(fence(language))
    sampling = SamplingParams(temperature=0.7, max_tokens=DECODE_TOKENS, seed=seed)
    return engine.submit(GenerationRequest(prompt, sampling, constraint=constraint)).result()
