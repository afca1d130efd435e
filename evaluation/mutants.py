"""Which wrong translations made-up inputs catch: right ones are mutated, and judged as the assistant judges a draft.

The mutations are the classical ones (Offutt et al. 1996, An experimental determination of sufficient mutant operators):
a comparison, an arithmetic or a logical operator is replaced, a constant is one more or less, a truth is turned around.
A mutant counts where the benchmark's own tests find it wrong.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tree_sitter import Node

from apps.code.checking import Verdict
from apps.code.sandbox import Sandbox
from apps.code.syntax import nodes, parse, parses, text_of
from apps.code.translating import Translating
from evaluation.judging import judge
from evaluation.problems import Problem

Case = dict[str, Any]
_REPLACED = {
    "<": ("<=", ">"),
    "<=": ("<", ">="),
    ">": (">=", "<"),
    ">=": (">", "<="),
    "==": ("!=",),
    "!=": ("==",),
    "+": ("-",),
    "-": ("+",),
    "*": ("+",),
    "/": ("*",),
    "//": ("*",),
    "%": ("+",),
    "+=": ("-=",),
    "-=": ("+=",),
    "&&": ("||",),
    "||": ("&&",),
    "and": ("or",),
    "or": ("and",),
}
_OPERATIONS = (
    "binary_expression",
    "binary_operator",
    "comparison_operator",
    "boolean_operator",
    "assignment_expression",
    "augmented_assignment",
)
_TRUTHS = {"true": "false", "false": "true", "True": "False", "False": "True"}
_INTEGERS = ("integer", "decimal_integer_literal", "number_literal")
_MOST_TRIED = 12
"""Mutants of one problem, until one is wrong by the tests."""


@dataclass(frozen=True)
class Translated:
    """A problem of a translation benchmark whose `task` is in the language `source`."""

    source: str
    problem: Problem

    @property
    def key(self) -> str:
        return f"{self.source}→{self.problem.language} {self.problem.task_id}"


def mutants(code: str, language: str, start: str, draw: random.Random) -> Iterator[str]:
    """`code` with one change behind its first `start` characters, which still parses; in an order that is drawn."""
    content = code.encode()
    begun = len(start.encode())
    places = [
        (node.start_byte, node.end_byte, text)
        for node in nodes(parse(code, language))
        if node.start_byte >= begun
        for text in _changes(node)
    ]
    places.sort()
    for first, last, text in draw.sample(places, len(places)):
        mutant = (content[:first] + text.encode() + content[last:]).decode()
        if parses(mutant, language):
            yield mutant


def _changes(node: Node) -> Iterable[str]:
    parent = node.parent
    if not node.is_named and parent is not None and parent.type in _OPERATIONS:
        return _REPLACED.get(node.type, ())
    if node.type in _INTEGERS and text_of(node).isdigit():
        return (str(int(text_of(node)) + 1), str(max(0, int(text_of(node)) - 1)))
    return (_TRUTHS[text_of(node)],) if node.type in _TRUTHS.keys() | {"true", "false"} else ()


def spread(directions: Sequence[Sequence[Translated]], seed: int = 0) -> list[Translated]:
    """All problems in an order that takes the directions in turn; always the same one."""
    draw = random.Random(seed)
    drawn = [draw.sample(list(items), len(items)) for items in directions]
    return [items[place] for place in range(max(map(len, drawn))) for items in drawn if place < len(items)]


def case_of(translated: Translated, sandbox: Sandbox) -> Case:
    """One wrong translation: was it caught, on how many inputs, and is the right one let pass.

    `wrong` is None where no mutant was found that compiles and is wrong by the tests. Raises ToolchainMissingError and
    SandboxError.
    """
    problem = translated.problem
    assert problem.reference is not None
    draw = random.Random(translated.key)
    wrong = next(
        (
            mutant
            for _, mutant in zip(
                range(_MOST_TRIED),
                mutants(problem.reference, problem.language, problem.start, draw),
                strict=False,
            )
            if judge(problem, mutant, sandbox).outcome == "wrong"
        ),
        None,
    )
    if wrong is None:
        return {"task_id": translated.key, "wrong": None}
    work = Translating(problem.task, translated.source, problem.language, None, sandbox, start=problem.start)
    found, right = work.judge(wrong), work.judge(problem.reference)
    return {
        "task_id": translated.key,
        "wrong": wrong,
        "passed": found.problem is not None,
        "why": found.problem,
        "inputs": _examples(found),
        "right_refused": right.problem,
    }


def _examples(verdict: Verdict) -> int:
    return sum(check.is_example for check in verdict.checks)


def metrics(cases: Iterable[Case]) -> dict[str, float]:
    """`caught` of the wrong translations, and `right_refused`, of the right ones; `run` is the share that could be run
    on inputs at all."""
    listed = [case for case in cases if case["wrong"] is not None]
    if not listed:
        return {"wrong_translations": 0}
    count = len(listed)
    return {
        "wrong_translations": float(count),
        "caught": sum(case["passed"] for case in listed) / count,
        "run": sum(case["inputs"] > 0 for case in listed) / count,
        "right_refused": sum(case["right_refused"] is not None for case in listed) / count,
        "inputs": sum(case["inputs"] for case in listed) / count,
    }
