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


class Shape(Enum):
    """What is wanted at a cursor."""

    LINE = "line"
    BLOCK = "block"


def shape_at(prefix: str, suffix: str, language: str | None) -> Shape:
    """A block where the cursor stands behind its head or on the line after it; else the rest of the line."""
    if language is None or suffix.partition("\n")[0].strip():
        return Shape.LINE
    before = prefix.rstrip()
    if not before.endswith(_OPENS[language]) or prefix[len(before) :].count("\n") > 1:
        return Shape.LINE
    end = len(before.encode("utf-8", "replace"))
    mark = parse(prefix + _STANDS_IN[language] + suffix, language).descendant_for_byte_range(end - 1, end)
    return Shape.BLOCK if mark is not None and _opens_block(mark) else Shape.LINE


def _opens_block(mark: Node) -> bool:
    parent = mark.parent
    return mark.type not in _NO_BLOCKS and (parent is None or parent.type not in _NO_BLOCKS)
