"""Do programs that the real model writes under the constraint parse: `duet eval grammar --programs`.

100 prompts a language, at each temperature and token budget. Half of them are answered as the assistant answers: in a
fence of Markdown, which the model closes; the other half are program text and nothing else. What is judged is the text
as generated. The highest temperature is run a second time without the constraint, from the same seeds.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from typing import Any

from apps.code.grammar import BlockConstraint, GrammarConstraint
from apps.code.prompts import END_OF_BLOCK, LANGUAGE_NAMES, fence
from apps.code.syntax import parses
from core_model import GenerationRequest, SamplingParams
from core_model.constraint import Constraint
from core_model.engine import Engine
from core_model.tokenizer import Tokenizer
from evaluation.cases import CaseFile
from evaluation.grammar import is_legal

TEMPERATURES = (0.7, 1.2)
BUDGETS = (40, 120, 400)
IN_FLIGHT = 32
"""Programs generated at a time: the batch of a step."""
CACHE_TOKENS = IN_FLIGHT * 768
"""Room for their prompts and the largest budget."""

Case = dict[str, Any]

_TASKS = """
reverses a string without using library functions
checks whether a number is prime
computes the n-th Fibonacci number iteratively
merges two sorted lists of integers
finds the longest common prefix of a list of strings
counts how often each word occurs in a text
implements binary search over a sorted array
sorts an array with quicksort
transposes a matrix of doubles
validates an e-mail address by simple rules
parses a comma-separated line with quoted fields
converts Roman numerals to integers
prints the first ten rows of Pascal's triangle
implements a stack with push, pop and peek
implements a queue with two stacks
models a bank account with deposits, withdrawals and a history
computes the greatest common divisor of two numbers
finds all anagrams of a word in a list
rotates an array to the right by k places
detects a cycle in a linked list
computes the edit distance of two strings
formats a number of bytes as KB, MB or GB
generates all permutations of a list
solves the towers of Hanoi and prints the moves
multiplies two matrices
reads integers until zero and prints their mean
implements a least-recently-used cache
walks a binary tree in order
finds the shortest path in a grid with breadth-first search
converts temperatures between Celsius and Fahrenheit
checks whether brackets in a text are balanced
finds two numbers in an array that add up to a target
removes duplicates from a list and keeps the order
computes a factorial with recursion and handles negative input
encodes a text with run-length encoding
implements Caesar's cipher with a key
finds the median of an unsorted array
splits a list into chunks of a given size
computes the area of circles, squares and triangles by a shape type
simulates a traffic light as a state machine
prints a multiplication table up to twelve
compares two version numbers such as 1.10.2
finds the maximum sum of a contiguous subarray
computes the power set of a set
groups people by their city and sorts them by age
implements a simple event bus with subscribers
counts the islands in a grid of zeros and ones
checks whether a year is a leap year
computes interest over years and prints a table
tokenises an arithmetic expression and evaluates it
""".strip().splitlines()
_FORMS = (
    "Write a {language} program that {task}. Answer with code only.",
    "{language} code that {task}:",
)
PROMPTS = len(_TASKS) * len(_FORMS)


@dataclass(frozen=True)
class Order:
    """One program to generate. `prompt` counts from 0 to PROMPTS - 1."""

    language: str
    prompt: int
    temperature: float
    budget: int  # tokens
    constrained: bool

    @property
    def key(self) -> str:
        kind = "constrained" if self.constrained else "free"
        return f"{self.language}-{self.temperature}-{self.budget}-{kind}-{self.prompt}"

    @property
    def fenced(self) -> bool:
        """Whether the answer is Markdown, in which the model closes the fence of the program."""
        return self.prompt < len(_TASKS)

    @property
    def text(self) -> str:
        form, task = divmod(self.prompt, len(_TASKS))
        return _FORMS[form].format(language=LANGUAGE_NAMES[self.language], task=_TASKS[task])


def orders(languages: Sequence[str], limit: int | None = None) -> list[Order]:
    """All programs of a run in an order that is mixed but always the same; `limit`: prompts of each language."""
    found = [
        Order(language, prompt, temperature, budget, constrained)
        for language in languages
        for temperature in TEMPERATURES
        for budget in BUDGETS
        for constrained in (True, False)
        for prompt in range(PROMPTS)
        if constrained or temperature == max(TEMPERATURES)
    ]
    chosen = random.Random(1).sample(range(PROMPTS), limit or PROMPTS)
    found = [order for order in found if order.prompt in chosen]
    random.Random(1).shuffle(found)
    return found


def run(
    engine: Engine,
    wanted: Iterable[Order],
    cases: CaseFile,
    on_case: Callable[[Case], None] = lambda case: None,
) -> None:
    """Generate and judge what `cases` lacks, IN_FLIGHT programs at a time. Stops at the first error."""
    waiting = [order for order in wanted if order.key not in cases]
    stopping = threading.Event()

    def work(order: Order) -> Case | None:
        if stopping.is_set():
            return None
        try:
            case = _program(engine, order)
        except BaseException:
            stopping.set()
            raise
        cases.add(order.key, case)
        return case

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        futures = [pool.submit(work, order) for order in waiting]
        try:
            for future in as_completed(futures):
                case = future.result()
                if case is not None:
                    on_case(case)
        finally:
            stopping.set()


def _program(engine: Engine, order: Order) -> Case:
    tokenizer = engine.tokenizer
    opening = fence(order.language)
    prompt = tokenizer.encode_chat([{"role": "user", "content": order.text}]) + tokenizer.encode(opening)
    stop = (END_OF_BLOCK,) if order.fenced or not order.constrained else ()
    sampling = SamplingParams(
        temperature=order.temperature, max_tokens=order.budget, seed=order.prompt, stop=stop
    )
    constraint = _constraint(order, tokenizer) if order.constrained else None
    done = engine.submit(GenerationRequest(prompt, sampling, constraint=constraint)).result()
    # what stands in a fence ends with the newline before the closing marks, which the stop string took
    text = done.text + "\n" if order.fenced else done.text
    clean = parses(text, order.language)
    return {
        **asdict(order),
        "tokens": len(done.tokens),
        "finish_reason": done.finish_reason,
        "parses": clean,
        "legal": clean and is_legal(order.language, text),
        "text": text,
    }


def _constraint(order: Order, tokenizer: Tokenizer) -> Constraint:
    if not order.fenced:
        return GrammarConstraint(order.language, tokenizer)
    return BlockConstraint(order.language, tokenizer)


def metrics(cases: Iterable[Case]) -> dict[str, float]:
    """Shares of programs that parse; for Python also of those that CPython's own parser takes."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        kind = "constrained" if case["constrained"] else "free"
        for name in (kind, f"{case['language']}_t{case['temperature']}_{case['budget']}_{kind}"):
            groups.setdefault(name, []).append(case)
    found: dict[str, float] = {}
    for name, members in sorted(groups.items()):
        found[f"{name}_programs"] = len(members)
        found[f"{name}_tokens"] = sum(case["tokens"] for case in members)
        found[f"{name}_parse_rate"] = sum(case["parses"] for case in members) / len(members)
        python = [case for case in members if case["language"] == "python"]
        if python:
            found[f"{name}_ast_rate"] = sum(case["legal"] for case in python) / len(python)
    return found
