"""Terminals → program text."""

from __future__ import annotations

from apps.code.grammar.python_scanner import closing_quote
from apps.code.grammar.scanner import Memory
from apps.code.grammar.tables import Tables

_OPERATOR_CHARACTERS = frozenset("<>=+-&|*/:.%!^?")
_INDENT_WIDTH = 4


def render(tables: Tables, texts: dict[int, str], terminals: list[int], memory: Memory) -> str:
    """The text of the terminals, with as little white space as keeps them apart."""
    if "_indent" in tables.names:
        return _render_indented(tables, texts, terminals, memory)
    text = ""
    for terminal in terminals:
        text = _joined(text, texts[terminal])
    return text


def _joined(text: str, following: str) -> str:
    """Two pieces of a program, kept apart where they would become one token; directives begin a line."""
    last, first = text[-1:], following[:1]
    if first == "#" and text and last != "\n":
        return f"{text}\n{following}"
    words = (last.isalnum() or last == "_") and (first.isalnum() or first == "_")
    operators = last in _OPERATOR_CHARACTERS and first in _OPERATOR_CHARACTERS
    return f"{text} {following}" if text and following and (words or operators) else text + following


def _render_indented(tables: Tables, texts: dict[int, str], terminals: list[int], memory: Memory) -> str:
    """Python: newlines and indentation follow the terminals `_newline`, `_indent` and `_dedent`."""
    indents, quotes = list(memory[0]), [closing_quote(delimiter) for delimiter in memory[1]]
    text, line_due = "", False
    for terminal in terminals:
        name = tables.names[terminal]
        if name in ("_newline", "_indent", "_dedent"):
            line_due = True
            if name == "_indent":
                indents.append(indents[-1] + _INDENT_WIDTH)
            elif name == "_dedent" and len(indents) > 1:
                indents.pop()
            continue
        piece = texts[terminal]
        if name == "string_start":
            piece = '"' if '"' not in quotes else "'"
            quotes.append(piece)
        elif name == "string_end" and quotes:
            piece = quotes.pop()
        if line_due:
            text, line_due = f"{text}\n{' ' * indents[-1]}{piece}", False
        else:
            text = f"{text} {piece}" if text.endswith(":") else _joined(text, piece)
    return text
