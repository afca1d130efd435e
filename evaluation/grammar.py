"""Does the grammar constraint forbid legal code, and what does a token cost: `duet eval grammar --data FILE`.

Every token of a real file that tree-sitter parses cleanly must be allowed, and its end too.
"""

from __future__ import annotations

import ast
import gc
import gzip
import json
import random
import threading
import time
import warnings
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from apps.code.grammar import GrammarConstraint
from apps.code.grammar.languages import language as grammar_language
from apps.code.syntax import parses
from core_model.tokenizer import Tokenizer
from evaluation.errors import DataError

SUFFIXES = {
    "python": (".py",),
    "java": (".java",),
    "cpp": (".cpp", ".cc", ".cxx", ".h", ".hh", ".hpp", ".cuh", ".inl", ".tcc"),
}
_BYTE_ORDER_MARK = "\ufeff"
_EARLY, _LATE = slice(0, 200), slice(1500, 2000)
"""Tokens of a file whose costs are compared: the cost must not grow with the length of the program."""

Row = dict[str, str]

_parsing = threading.Lock()
"""CPython 3.11 counts the depth of syntax trees for all threads together, and fails where two are made at a time."""


@dataclass
class FileCheck:
    """What became of one file."""

    language: str
    name: str
    clean: bool  # tree-sitter parses it without ERROR and MISSING
    strict: bool  # fed with the strict rules
    tokens: int = 0
    rejected_at: int | None = None  # the token that was refused
    before: str = ""  # the text before that token, and the token
    complete: bool = False
    us: list[float] = field(default_factory=list)  # processor time of each token's check, in microseconds


def read_rows(path: Path) -> list[Row]:
    """The rows {language, text} of a .jsonl or .jsonl.gz file. Raises DataError."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8") as file
        ):
            rows = [json.loads(line) for line in file if line.strip()]
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path} is no .jsonl or .jsonl.gz file: {error}") from error
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not all(
            isinstance(row.get(key), str) for key in ("language", "text")
        ):
            raise DataError(f"{path}, row {number}: no object with the texts `language` and `text`")
        row["text"] = row["text"].removeprefix(_BYTE_ORDER_MARK)
        row.setdefault("path", f"row {number}")
    return rows


def read_folder(folder: Path, language: str) -> list[Row]:
    """The source files of a language under a folder, in an order that is mixed but always the same."""
    name = grammar_language(language).name
    if name not in SUFFIXES:
        raise DataError(f"which files hold {name} is not known; give rows with --data")
    files = [file for file in sorted(folder.rglob("*")) if file.suffix in SUFFIXES[name] and file.is_file()]
    random.Random(1).shuffle(files)
    rows = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8").removeprefix(_BYTE_ORDER_MARK)
        except UnicodeDecodeError:
            continue  # in another encoding: not what the assistant writes
        rows.append({"language": name, "path": str(file.relative_to(folder)), "text": text})
    if not rows:
        raise DataError(f"no {name} files under {folder}")
    return rows


def is_legal(language: str, text: str) -> bool:
    """Whether strict rules may be held against a text that tree-sitter parses: Python's own parser takes it."""
    if grammar_language(language).name != "python":
        return True
    try:
        with _parsing, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def check_file(row: Row, tokenizer: Tokenizer) -> FileCheck:
    """Feed one file token by token. A Python file that CPython refuses (Python 2) is fed without strict rules."""
    language, text = row["language"], row["text"]
    if not parses(text, language):
        return FileCheck(language, row["path"], clean=False, strict=False)
    check = FileCheck(language, row["path"], clean=True, strict=is_legal(language, text))
    constraint = GrammarConstraint(language, tokenizer, strict=check.strict)
    tokens = tokenizer.encode(text)
    us = array("d")
    gc.freeze()  # a collection goes through what this file makes, not through what we keep of all files
    for position, token in enumerate(tokens):
        started = time.thread_time_ns()
        allowed = constraint.allows(token)
        if allowed:
            constraint.accept(token)
        us.append((time.thread_time_ns() - started) / 1000)
        check.tokens += 1
        if not allowed:
            check.rejected_at = position
            check.before = tokenizer.decode(tokens[max(0, position - 30) : position + 1])
            break
    else:
        check.complete = constraint.may_end()
    check.us = us.tolist()
    return check


def metrics(checks: Iterable[FileCheck]) -> dict[str, float]:
    """Counts, and the cost of a token in microseconds of processor time."""
    listed = list(checks)
    clean = [check for check in listed if check.clean]
    return {
        "files": len(clean),
        "files_that_tree_sitter_refuses": len(listed) - len(clean),
        "files_fed_without_strict_rules": sum(not check.strict for check in clean),
        "tokens": sum(check.tokens for check in clean),
        "false_rejections": sum(check.rejected_at is not None for check in clean),
        "complete_files": sum(check.complete for check in clean),
        **costs([check.us for check in clean]),
    }


def costs(us: list[list[float]]) -> dict[str, float]:
    """The cost of a token from the costs of each file's tokens."""
    everything = np.concatenate([np.asarray(file) for file in us] or [np.zeros(1)])
    found = {
        "us_per_token_mean": float(everything.mean()),
        "us_per_token_p50": float(np.percentile(everything, 50)),
        "us_per_token_p99": float(np.percentile(everything, 99)),
        "us_per_token_max": float(everything.max()),
    }
    long = [file for file in us if len(file) > _LATE.start]
    if long:
        early = np.median(np.concatenate([file[_EARLY] for file in long]))
        late = np.median(np.concatenate([file[_LATE] for file in long]))
        found["late_over_early_p50"] = float(late / early)
    return found
