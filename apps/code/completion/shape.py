"""How long a suggestion is to be, by the syntax around the cursor: the rest of a line, or the block after a head."""

from __future__ import annotations

from enum import Enum

from tree_sitter import Node

from apps.code.syntax import parse

_STANDS_IN = {"python": "x", "java": "", "cpp": ""}  # for what is missing, where an empty place says less
_OPENS = {"python": ":", "java": "{", "cpp": "{"}
_NO_BLOCKS = frozenset(
    {
        *("pair", "slice", "dictionary", "set", "lambda", "type", "typed_parameter", "format_specifier"),
        *("string", "string_content", "comment", "line_comment", "block_comment"),
        *("array_initializer", "initializer_list", "element_value_array_initializer"),
    }
)


COMMENTS = ("comment", "line_comment", "block_comment")


class Shape(Enum):
    """What is wanted at a cursor."""

    LINE = "line"
    BLOCK = "block"


def shape_at(prefix: str, suffix: str, language: str | None) -> Shape:
    """A block where the cursor stands behind its head or on the line after it; else the rest of the line."""
    if language is None or rest_of_line(prefix, suffix, language):
        return Shape.LINE
    before = prefix.rstrip()
    if not before.endswith(_OPENS[language]) or prefix[len(before) :].count("\n") > 1:
        return Shape.LINE
    end = len(before.encode("utf-8", "replace"))
    mark = parse(prefix + _STANDS_IN[language] + suffix, language).descendant_for_byte_range(end - 1, end)
    return Shape.BLOCK if mark is not None and _opens_block(mark) else Shape.LINE


def rest_of_line(prefix: str, suffix: str, language: str | None) -> str:
    """What the line of the cursor goes on with after it; a comment there is none of what is written before it."""
    line = suffix.partition("\n")[0]
    rest = line.strip()
    if language is None or not rest:
        return rest
    start = len((prefix + line[: len(line) - len(line.lstrip())]).encode("utf-8", "replace"))
    node = parse(prefix + suffix, language).descendant_for_byte_range(start, start + 1)
    return "" if node is not None and node.type in COMMENTS and node.start_byte == start else rest


def _opens_block(mark: Node) -> bool:
    parent = mark.parent
    return mark.type not in _NO_BLOCKS and (parent is None or parent.type not in _NO_BLOCKS)
