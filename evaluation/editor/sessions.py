"""Typing sessions made from source files: where the cursor stood, what was typed next, what stood after it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tree_sitter import Node

from apps.code.syntax import parse, parses
from evaluation.grammar import Row

Kind = Literal["line", "block"]
KINDS: tuple[Kind, ...] = ("line", "block")

_BLOCKS = {"python": "block", "java": "block", "cpp": "compound_statement"}
_COMMENTS = ("comment", "line_comment", "block_comment")
_SHORTEST = 8  # characters of a line that is cut
_LEFT = 3  # characters at least that are missing
_BLOCK_LINES = range(1, 9)
_KEYSTROKES = 3  # typed on after the first look


@dataclass(frozen=True)
class Session:
    """One place in one file. `expected` is what its author wrote there: the rest of a line, or the lines of a block."""

    key: str
    language: str
    kind: Kind
    prefix: str
    expected: str
    suffix: str
    lines: int  # of the file

    @property
    def keystrokes(self) -> list[str]:
        """Prefixes after the first one, as the author goes on typing."""
        first = self.expected.partition("\n")[0] or self.expected
        return [self.prefix + first[:count] for count in range(1, min(_KEYSTROKES, len(first) - 1) + 1)]


def sessions(rows: Sequence[Row], kind: Kind, count: int, seed: int) -> list[Session]:
    """So many sessions at most, one for each file that parses."""
    source = random.Random(seed)
    found: list[Session] = []
    for row in source.sample(rows, len(rows)):
        if len(found) == count:
            break
        if not parses(row["text"], row["language"]):
            continue
        places = list(_lines(row) if kind == "line" else _blocks(row))
        if places:
            start, end = source.choice(places)
            if kind == "line":
                start = source.randrange(start, end - _LEFT + 1)
            found.append(_session(row, kind, start, end))
    return found


def _session(row: Row, kind: Kind, start: int, end: int) -> Session:
    text = row["text"]
    key = f"{row['language']}/{kind}/{row['path']}:{start}"
    return Session(key, row["language"], kind, text[:start], text[start:end], text[end:], text.count("\n"))


def _lines(row: Row) -> Iterator[tuple[int, int]]:
    """Where lines of code begin, after their indentation, and end."""
    text, comments = row["text"], _comment_lines(row)
    start = 0
    for number, line in enumerate(text.split("\n")):
        code = line.strip()
        if len(code) >= _SHORTEST and number not in comments:
            yield start + len(line) - len(line.lstrip()), start + len(line.rstrip())
        start += len(line) + 1


def _comment_lines(row: Row) -> set[int]:
    return {
        number
        for node in _nodes(parse(row["text"], row["language"]), _COMMENTS)
        for number in range(node.start_point.row, node.end_point.row + 1)
    }


def _blocks(row: Row) -> Iterator[tuple[int, int]]:
    """Where the statements of short blocks begin and end: their first line's indentation is typed already."""
    data = row["text"].encode()
    for node in _nodes(parse(row["text"], row["language"]), (_BLOCKS[row["language"]],)):
        inner = [child for child in node.named_children if child.type not in _COMMENTS]
        if not inner or inner[0].start_point.row == (node.prev_sibling or node).start_point.row:
            continue
        first, last = inner[0].start_byte, inner[-1].end_byte
        if data[first:last].count(b"\n") + 1 in _BLOCK_LINES and not data[node.start_byte : first].strip(
            b"{ \t\r\n"
        ):
            yield len(data[:first].decode()), len(data[:last].decode())


def _nodes(node: Node, kinds: Sequence[str]) -> Iterator[Node]:
    if node.type in kinds:
        yield node
    for child in node.children:
        yield from _nodes(child, kinds)
