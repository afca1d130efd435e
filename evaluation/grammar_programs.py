"""Do programs that the real model writes under the constraint parse: `duet eval grammar --programs`.

Every program is written twice from the same prompt and seed, with and without the constraint. A finished program is
what was generated, as it stands.

    python -m evaluation.grammar_programs [--languages python java cpp] [--limit N] [--budgets 40 120 400]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from apps.code.grammar import GrammarConstraint
from core_model import GenerationRequest, SamplingParams
from core_model.causal_lm import load_engine
from core_model.engine import Engine
from core_model.generation import Generation
from evaluation.grammar import is_legal, parses

_NAMES = {"python": "Python", "java": "Java", "cpp": "C++"}
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
    "Write {article} {language} program that {task}. Answer with code only.",
    "{language} code that {task}:",
)


@dataclass
class Program:
    """One generated program."""

    language: str
    task: str
    temperature: float
    budget: int
    constrained: bool
    tokens: int
    finish_reason: str
    parses: bool
    legal: bool  # for Python: CPython's parser takes it
    text: str


def prompts(language: str) -> list[str]:
    """The 100 prompts of a language."""
    name = _NAMES[language]
    return [form.format(article="a", language=name, task=task) for form in _FORMS for task in _TASKS]


def programs(
    engine: Engine, languages: list[str], temperatures: list[float], budgets: list[int], limit: int | None
) -> Iterator[Program]:
    """Programs for all prompts, eight at a time; each with the constraint and without."""
    for language in languages:
        for temperature in temperatures:
            for budget in budgets:
                for constrained in (True, False):
                    tasks = prompts(language)[:limit]
                    for start in range(0, len(tasks), 8):
                        batch = tasks[start : start + 8]
                        running = [
                            _submit(engine, language, task, temperature, budget, constrained, seed=start + i)
                            for i, task in enumerate(batch)
                        ]
                        for task, generation in zip(batch, running, strict=True):
                            done = generation.result()
                            yield Program(
                                language,
                                task,
                                temperature,
                                budget,
                                constrained,
                                len(done.tokens),
                                done.finish_reason,
                                parses(language, done.text),
                                is_legal(language, done.text),
                                done.text,
                            )


def _submit(
    engine: Engine, language: str, task: str, temperature: float, budget: int, constrained: bool, seed: int
) -> Generation:
    """The program begins right after the opening fence of the assistant's answer."""
    tokenizer = engine.tokenizer
    fence = {"python": "python", "java": "java", "cpp": "cpp"}[language]
    prompt = tokenizer.encode_chat([{"role": "user", "content": task}]) + tokenizer.encode(f"```{fence}\n")
    stop = () if constrained else ("\n```",)
    sampling = SamplingParams(temperature=temperature, max_tokens=budget, seed=seed, stop=stop)
    constraint = GrammarConstraint(language, tokenizer) if constrained else None
    return engine.submit(GenerationRequest(prompt, sampling, constraint=constraint))


def summarise(found: list[Program]) -> dict[str, float]:
    """Shares of programs that parse, per language, temperature, budget and constraint."""
    metrics: dict[str, float] = {}
    groups: dict[tuple[str, float, int, bool], list[Program]] = {}
    for program in found:
        key = (program.language, program.temperature, program.budget, program.constrained)
        groups.setdefault(key, []).append(program)
    for (language, temperature, budget, constrained), members in groups.items():
        name = f"{language}_t{temperature}_{budget}_{'constrained' if constrained else 'free'}"
        metrics[f"{name}_programs"] = len(members)
        metrics[f"{name}_parse_rate"] = sum(p.parses for p in members) / len(members)
        if language == "python":
            metrics[f"{name}_ast_rate"] = sum(p.parses and p.legal for p in members) / len(members)
    return metrics


def main() -> int:
    """Measure and print the metrics as JSON."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.grammar_programs", description=__doc__)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--languages", nargs="+", default=list(_NAMES))
    parser.add_argument("--temperatures", nargs="+", type=float, default=[0.7, 1.2])
    parser.add_argument("--budgets", nargs="+", type=int, default=[40, 120, 400])
    parser.add_argument("--limit", type=int, help="prompts of each language")
    parser.add_argument("--output", type=Path, help="the programs, one JSON object a line")
    arguments = parser.parse_args()
    engine = load_engine(arguments.model)
    found: list[Program] = []
    with (arguments.output or Path("/dev/null")).open("w", encoding="utf-8") as file:
        for program in programs(
            engine, arguments.languages, arguments.temperatures, arguments.budgets, arguments.limit
        ):
            found.append(program)
            file.write(json.dumps(asdict(program), ensure_ascii=False) + "\n")
            file.flush()
    engine.close()
    sys.stdout.write(json.dumps(summarise(found), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
