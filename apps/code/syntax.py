"""Whether code parses, by tree-sitter's judgement."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tree_sitter import Language, Node, Parser

from apps.code.grammar.languages import language as grammar_language


@dataclass(frozen=True)
class SyntaxProblem:
    """The first place where code does not parse; line and column count from 1."""

    line: int
    column: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.what}"


@cache
def _language(name: str) -> Language:
    package = grammar_language(name).package.replace("-", "_")
    return Language(importlib.import_module(package).language())


def parse(code: str, language: str) -> Node:
    """The root of tree-sitter's tree; its offsets are in bytes of UTF-8. Raises UnknownLanguageError."""
    return Parser(_language(language)).parse(code.encode("utf-8", "replace")).root_node


def syntax_problem(code: str, language: str) -> SyntaxProblem | None:
    """None when `code` parses. Raises UnknownLanguageError."""
    root = parse(code, language)
    if not root.has_error:
        return None
    node = _first_error(root)
    what = f"missing {node.type}" if node.is_missing else "unexpected text"
    return SyntaxProblem(node.start_point.row + 1, node.start_point.column + 1, what)


def parses(code: str, language: str) -> bool:
    """Raises UnknownLanguageError."""
    return not parse(code, language).has_error


def nodes(root: Node, kind: str | None = None) -> Iterator[Node]:
    """All nodes below one and itself, in no order; of one type where it is named."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += node.children
        if kind is None or node.type == kind:
            yield node


def text_of(node: Node | None) -> str:
    """What stands in the code there; empty where there is no node."""
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def errors(root: Node) -> Iterator[Node]:
    """The places below a node where code is not as the grammar has it."""
    waiting = [root]  # no recursion: code may be nested deeper than Python's stack
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            yield node
        elif node.has_error:
            waiting += node.children


def _first_error(node: Node) -> Node:
    """The first error below `node`, or the innermost node that is known to hold it: an empty ERROR is in no list of
    children."""
    while not (node.is_error or node.is_missing):
        child = next((child for child in node.children if child.has_error or child.is_missing), None)
        if child is None:
            return node
        node = child
    return node
