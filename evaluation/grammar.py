"""Is the grammar constraint right: `duet eval grammar`.

Three measurements, each on rows {"language", "text"} of real source files:

- files: every token of a file that tree-sitter parses cleanly must be allowed, and its end too;
- mutations: on randomly damaged files the acceptor (strict rules off) and tree-sitter must agree;
- walks: however a program goes on at random, it is never stuck, and its shortest completion parses.

    python -m evaluation.grammar --data FILE.jsonl.gz [--limit N] [--mutations N] [--walks N] [--output report.json]
"""

from __future__ import annotations

import argparse
import ast
import gzip
import importlib
import json
import random
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import tree_sitter

from apps.code.grammar import GrammarConstraint
from apps.code.grammar.languages import language as grammar_language
from core_model import catalog
from core_model.checkpoint import load_checkpoint
from core_model.tokenizer import Tokenizer

_WALK_TOKENS = 120
_COMMON_SHARE = (
    0.7  # of a walk's tokens come from the file's own tokens, the others from the whole vocabulary
)


@dataclass
class FileCheck:
    """What became of one file."""

    language: str
    index: int
    clean: bool  # tree-sitter parses it without ERROR and MISSING
    strict: bool  # fed with the strict rules
    tokens: int = 0
    rejected_at: int | None = None  # the token that was refused
    before: str = ""  # the text before that token
    complete: bool = False
    us: list[float] | None = None  # microseconds of each token's check


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a .jsonl or .jsonl.gz file."""
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8") as file
    ):
        for line in file:
            if line.strip():
                yield json.loads(line)


@lru_cache
def _tree_sitter(language: str) -> tree_sitter.Parser:
    package = grammar_language(language).package.replace("-", "_")
    return tree_sitter.Parser(tree_sitter.Language(importlib.import_module(package).language()))


def parses(language: str, text: str) -> bool:
    """Whether tree-sitter parses the whole text without ERROR and MISSING nodes."""
    return not _tree_sitter(language).parse(text.encode()).root_node.has_error


def is_legal(language: str, text: str) -> bool:
    """Whether strict rules may be held against a text that tree-sitter parses: Python's own parser takes it."""
    if grammar_language(language).name != "python":
        return True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def check_file(row: dict[str, str], index: int, tokenizer: Tokenizer) -> FileCheck:
    """Feed one file token by token. A Python file that CPython refuses (Python 2) is fed without strict rules."""
    language, text = row["language"], row["text"].removeprefix("\ufeff")
    if not parses(language, text):
        return FileCheck(language, index, clean=False, strict=False)
    check = FileCheck(language, index, clean=True, strict=is_legal(language, text), us=[])
    constraint = GrammarConstraint(language, tokenizer, strict=check.strict)
    tokens = tokenizer.encode(text)
    assert check.us is not None
    for position, token in enumerate(tokens):
        started = time.perf_counter_ns()
        allowed = constraint.allows(token)
        if allowed:
            constraint.accept(token)
        check.us.append((time.perf_counter_ns() - started) / 1000)
        check.tokens += 1
        if not allowed:
            check.rejected_at = position
            check.before = tokenizer.decode(tokens[max(0, position - 30) : position + 1])
            return check
    check.complete = constraint.may_end()
    return check


def summarise(checks: list[FileCheck]) -> dict[str, float]:
    """The metrics of `duet eval grammar`; microseconds are wall-clock time."""
    clean = [check for check in checks if check.clean]
    us = np.array([value for check in clean for value in check.us or ()] or [0.0])
    return {
        "files": len(clean),
        "files_that_tree_sitter_refuses": len(checks) - len(clean),
        "files_fed_without_strict_rules": sum(not check.strict for check in clean),
        "tokens": sum(check.tokens for check in clean),
        "false_rejections": sum(check.rejected_at is not None for check in clean),
        "complete_files": sum(check.complete for check in clean),
        "us_per_token_mean": round(float(us.mean()), 2),
        "us_per_token_p50": round(float(np.percentile(us, 50)), 2),
        "us_per_token_p99": round(float(np.percentile(us, 99)), 2),
        "us_per_token_max": round(float(us.max()), 1),
    }


@dataclass
class MutationCheck:
    """One damaged file: what tree-sitter says of it, and what the acceptor says."""

    language: str
    kind: str
    tree_sitter: bool
    accepted: bool
    refused_after: int | None  # tokens between the damage and the refusal; None: not refused, or at the end
    around: str


def mutations(
    rows: list[dict[str, str]], count: int, tokenizer: Tokenizer, seed: int = 1
) -> Iterator[MutationCheck]:
    """`count` files with one token replaced, deleted, doubled or swapped with the next; strict rules off."""
    rng = random.Random(seed)
    files = [(row["language"], tokenizer.encode(row["text"].removeprefix("\ufeff"))) for row in rows]
    files = [(language, tokens) for language, tokens in files if len(tokens) > 1]
    vocabulary = [token for token in range(tokenizer.vocab) if tokenizer.token_bytes(token)]
    done = 0
    while done < count:
        language, tokens = rng.choice(files)
        at = rng.randrange(len(tokens))
        kind = rng.choice(["vocabulary", "in file", "delete", "double", "swap"])
        damaged = _damage(tokens, at, kind, rng, vocabulary)
        data = b"".join(map(tokenizer.token_bytes, damaged))
        try:
            text = data.decode()
        except UnicodeDecodeError:
            continue
        if damaged == tokens or text.startswith("\ufeff"):
            continue
        done += 1
        refused = _first_refused(language, damaged, tokenizer)
        yield MutationCheck(
            language,
            kind,
            tree_sitter=parses(language, text),
            accepted=refused == len(damaged) + 1,
            refused_after=refused - at if refused < len(damaged) else None,
            around=tokenizer.decode(damaged[max(0, at - 8) : at + 8]),
        )


def _damage(tokens: list[int], at: int, kind: str, rng: random.Random, vocabulary: list[int]) -> list[int]:
    before, after = tokens[:at], tokens[at + 1 :]
    if kind == "vocabulary":
        return [*before, rng.choice(vocabulary), *after]
    if kind == "in file":
        return [*before, rng.choice(tokens), *after]
    if kind == "delete":
        return before + after
    if kind == "double":
        return [*before, tokens[at], tokens[at], *after]
    return [*before, *after[:1], tokens[at], *after[1:]]


def _first_refused(language: str, tokens: list[int], tokenizer: Tokenizer) -> int:
    """The first token that is refused; len(tokens) where only the end is, len(tokens) + 1 where nothing is."""
    constraint = GrammarConstraint(language, tokenizer, strict=False)
    for position, token in enumerate(tokens):
        if not constraint.allows(token):
            return position
        constraint.accept(token)
    return len(tokens) + constraint.may_end()


@dataclass
class Walk:
    """One program made at random."""

    language: str
    tokens: int
    stuck: bool  # no token was allowed and it could not end
    completed: bool  # a completion was found, and tree-sitter parses the whole cleanly
    legal: bool  # and CPython too, where the language is Python
    completion_tokens: int
    completion_ms: float
    end: str


def walks(rows: list[dict[str, str]], count: int, tokenizer: Tokenizer, seed: int = 1) -> Iterator[Walk]:
    """`count` random programs under the strict constraint: tokens of real files, vocabulary tokens and fragments of
    characters, each taken where it is allowed; then the shortest completion."""
    rng = random.Random(seed)
    vocabulary = [token for token in range(tokenizer.vocab) if tokenizer.token_bytes(token)]
    fragments = [token for token in vocabulary if _is_fragment(tokenizer.token_bytes(token))]
    for _ in range(count):
        row = rng.choice(rows)
        language, own = row["language"], tokenizer.encode(row["text"])
        constraint = GrammarConstraint(language, tokenizer)
        taken: list[int] = []
        stuck = False
        while len(taken) < _WALK_TOKENS and not stuck:
            token = _random_step(constraint, own, vocabulary, fragments, rng)
            if token is None:
                stuck = not constraint.may_end()
                break
            constraint.accept(token)
            taken.append(token)
        started = time.perf_counter()
        closing = constraint.closing()
        elapsed = time.perf_counter() - started
        data = b"".join(map(tokenizer.token_bytes, taken + closing))
        whole = data.decode(errors="replace")
        completed = "\ufffd" not in whole and parses(language, whole)
        yield Walk(
            language,
            len(taken),
            stuck,
            completed,
            completed and is_legal(language, whole),
            len(closing),
            elapsed * 1000,
            repr(tokenizer.decode(taken)[-80:]) + " + " + repr(tokenizer.decode(closing)),
        )


def _is_fragment(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False


def _random_step(
    constraint: GrammarConstraint,
    own: list[int],
    vocabulary: list[int],
    fragments: list[int],
    rng: random.Random,
) -> int | None:
    for _ in range(40):
        pool = own if rng.random() < _COMMON_SHARE else fragments if rng.random() < 0.2 else vocabulary
        token = rng.choice(pool)
        if constraint.allows(token):
            return token
    return constraint.first_allowed(rng.sample(vocabulary, len(vocabulary)))


def main() -> int:
    """Measure and print the metrics as JSON."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.grammar", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, nargs="+", help="rows {language, text}, .jsonl or .jsonl.gz"
    )
    parser.add_argument("--limit", type=int, help="files of each --data")
    parser.add_argument("--tokens", type=int, help="stop a --data after so many tokens")
    parser.add_argument("--mutations", type=int, default=0, help="damaged files of each --data")
    parser.add_argument("--walks", type=int, default=0, help="random programs of each --data")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct", help="whose tokenizer")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    checkpoint = load_checkpoint(catalog.resolve(arguments.model, catalog.home()), catalog.home() / "packed")
    tokenizer = Tokenizer(checkpoint.tokenizer)
    report = {str(path): _measure(path, arguments, tokenizer) for path in arguments.data}
    sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    if arguments.output:
        arguments.output.write_text(json.dumps(report, indent=2, ensure_ascii=False))
    return 0


def _measure(path: Path, arguments: argparse.Namespace, tokenizer: Tokenizer) -> dict[str, object]:
    rows = list(read_rows(path))[: arguments.limit]
    result: dict[str, object] = {}
    if not (arguments.mutations or arguments.walks):
        checks: list[FileCheck] = []
        for index, row in enumerate(rows):
            checks.append(check_file(row, index, tokenizer))
            if arguments.tokens and sum(check.tokens for check in checks) >= arguments.tokens:
                break
        result = dict(summarise(checks))
        result["rejected"] = [
            {"row": check.index, "before": check.before} for check in checks if check.rejected_at is not None
        ]
        result["incomplete"] = [
            check.index
            for check in checks
            if check.clean and check.rejected_at is None and not check.complete
        ]
    clean = [row for row in rows if parses(row["language"], row["text"].removeprefix("\ufeff"))]
    if arguments.mutations:
        small = [row for row in clean if len(row["text"]) < 8000]
        found = list(mutations(small, arguments.mutations, tokenizer))
        differing = [asdict(check) for check in found if check.tree_sitter != check.accepted]
        result |= {
            "mutations": len(found),
            "mutations_tree_sitter_parses": sum(check.tree_sitter for check in found),
            "disagreements": len(differing),
            "differing": differing[:20],
        }
    if arguments.walks:
        made = list(walks(clean, arguments.walks, tokenizer))
        times = np.array([walk.completion_ms for walk in made])
        result |= {
            "walks": len(made),
            "walk_tokens": sum(walk.tokens for walk in made),
            "stuck": sum(walk.stuck for walk in made),
            "not_completed": sum(not walk.completed for walk in made),
            "completed_but_refused_by_cpython": sum(walk.completed and not walk.legal for walk in made),
            "completion_tokens_max": max(walk.completion_tokens for walk in made),
            "completion_ms_p50": round(float(np.percentile(times, 50)), 2),
            "completion_ms_p99": round(float(np.percentile(times, 99)), 2),
            "completion_ms_max": round(float(times.max()), 1),
            "failures": [walk.end for walk in made if walk.stuck or not walk.completed][:20],
            "refused_by_cpython": [walk.end for walk in made if walk.completed and not walk.legal][:20],
        }
    return result


if __name__ == "__main__":
    sys.exit(main())
