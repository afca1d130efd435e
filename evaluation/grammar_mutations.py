"""Do the acceptor and tree-sitter agree about damaged programs: `duet eval grammar --data FILE --mutations N`."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from apps.code.grammar import GrammarConstraint
from apps.code.syntax import parses
from core_model.tokenizer import Tokenizer
from evaluation.grammar import Row

BATCH = 100
"""Damaged programs of one case."""
_LONGEST = 8000  # characters of a program that is damaged

Case = dict[str, Any]


@dataclass
class Verdict:
    """One damaged program: what tree-sitter says of it, and what the acceptor says, strict rules off."""

    language: str
    kind: str
    tree_sitter: bool
    accepted: bool
    refused_after: int | None  # tokens between the damage and the refusal; None: not refused, or at the end
    around: str


class Mutations:
    """Programs with one token replaced, deleted, doubled or swapped with the next."""

    def __init__(self, rows: Iterable[Row], tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        small = [row for row in rows if len(row["text"]) < _LONGEST and parses(row["text"], row["language"])]
        files = [(row["language"], tokenizer.encode(row["text"])) for row in small]
        self._files = [(language, tokens) for language, tokens in files if len(tokens) > 1]
        self._vocabulary = [token for token in range(tokenizer.vocab) if tokenizer.token_bytes(token)]

    def case(self, number: int) -> Case:
        """BATCH damaged programs, always the same ones for a number."""
        rng = random.Random(number)
        verdicts = [self._verdict(rng) for _ in range(BATCH)]
        return {
            "mutations": len(verdicts),
            "parse": sum(verdict.tree_sitter for verdict in verdicts),
            "differing": [asdict(verdict) for verdict in verdicts if verdict.tree_sitter != verdict.accepted],
        }

    def _verdict(self, rng: random.Random) -> Verdict:
        tokenizer = self._tokenizer
        while True:
            language, tokens = rng.choice(self._files)
            at = rng.randrange(len(tokens))
            kind = rng.choice(["vocabulary", "in file", "delete", "double", "swap"])
            damaged = self._damage(tokens, at, kind, rng)
            try:
                text = b"".join(map(tokenizer.token_bytes, damaged)).decode()
            except UnicodeDecodeError:
                continue
            if damaged != tokens and not text.startswith("\ufeff"):
                break
        refused = self._first_refused(language, damaged)
        return Verdict(
            language,
            kind,
            tree_sitter=parses(text, language),
            accepted=refused == len(damaged) + 1,
            refused_after=refused - at if refused < len(damaged) else None,
            around=tokenizer.decode(damaged[max(0, at - 8) : at + 8]),
        )

    def _damage(self, tokens: list[int], at: int, kind: str, rng: random.Random) -> list[int]:
        before, after = tokens[:at], tokens[at + 1 :]
        if kind == "vocabulary":
            return [*before, rng.choice(self._vocabulary), *after]
        if kind == "in file":
            return [*before, rng.choice(tokens), *after]
        if kind == "delete":
            return before + after
        if kind == "double":
            return [*before, tokens[at], tokens[at], *after]
        return [*before, *after[:1], tokens[at], *after[1:]]

    def _first_refused(self, language: str, tokens: list[int]) -> int:
        """The first token that is refused; len(tokens) where only the end is, len(tokens) + 1 where nothing is."""
        constraint = GrammarConstraint(language, self._tokenizer, strict=False)
        for position, token in enumerate(tokens):
            if not constraint.allows(token):
                return position
            constraint.accept(token)
        return len(tokens) + constraint.may_end()


def metrics(cases: Iterable[Case]) -> dict[str, float]:
    """`disagreements`: the acceptor takes what tree-sitter refuses, or the other way round."""
    listed = list(cases)
    return {
        "mutations": sum(case["mutations"] for case in listed),
        "mutations_tree_sitter_parses": sum(case["parse"] for case in listed),
        "disagreements": sum(len(case["differing"]) for case in listed),
    }
