"""Strict rules of C++: what no translation unit has, and what leads tree-sitter-cpp where nothing is complete."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from apps.code.grammar.lexer import SKIP
from apps.code.grammar.strict_rules import StrictRules
from apps.code.grammar.tables import REDUCE


class CppRules(StrictRules):
    """C++: what no translation unit has, and what would lead tree-sitter's grammar where nothing is complete.

    Hard keywords are left out: macros of real code stand where keywords would make them identifiers.
    """

    def adapted(self, data: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Without the steps over a newline inside quotes, where tree-sitter skips white space, and with comments that
        end where they begin in a character literal."""
        tables = self._tables
        names = tables.names
        contents = [names.index(name) for name in ("string_content", "character")]
        inside: dict[int, bool] = {}  # lexer state → all parser states that use it stand inside quotes
        for state in range(1, tables.state_count):
            lex_state = tables.lex_state[state]
            inside[lex_state] = inside.get(lex_state, True) and any(
                tables.entry(state, content) for content in contents
            )
        starts, classes = data["lex_range_starts"], data["lex_range_classes"]
        newline, slash, star = (
            int(classes[np.searchsorted(starts, ord(mark), "right") - 1]) for mark in "\n/*"
        )
        transitions = data["lex_transitions"].copy()
        waiting, seen = [state for state, is_inside in inside.items() if is_inside], set()
        while waiting:
            state = waiting.pop()
            seen.add(state)
            if transitions[state, newline] >= SKIP:
                transitions[state, newline] = -1
            skips = {int(t) - SKIP for t in transitions[state] if t >= SKIP}
            waiting += skips - seen
        # `'/*` becomes a comment as soon as `'//` does, so that `dead_entries` can refuse it before it is whole.
        for character in np.flatnonzero(data["lex_accepts"] == names.index("character")):
            if transitions[character, slash] >= 0:
                transitions[character, star] = transitions[character, slash]
        return {**data, "lex_transitions": transitions}

    def dead_entries(self) -> frozenset[tuple[int, int]]:
        """Operators of an expression that stands alone at the top level, and `*` or `&` at the beginning of an
        item there or in a class, after a lambda's capture, or after `const` or `static` without a type; a comment
        in a character literal, which runs over its end."""
        tables = self._tables
        names = tables.names
        terminals = range(tables.token_count)
        pointers = [symbol for symbol in terminals if names[symbol] in ("*", "&", "&&")]
        binary = [symbol for symbol in terminals if names[symbol] in _CPP_BINARY_OPERATORS]
        capture = names.index("lambda_capture_specifier")
        items = [names.index(name) for name in ("_top_level_item", "_field_declaration_list_item")]
        specifiers = [
            symbol
            for symbol in range(tables.symbol_count)
            if names[symbol] in ("_constructor_specifiers", "operator_cast_definition_repeat1")
        ]
        character, comment = names.index("character"), names.index("comment")
        dead = set()
        for state in range(1, tables.state_count):
            if tables.entry(state, character):
                dead.add((state, comment))
            for after in (tables.entry(state, symbol) for symbol in specifiers):
                dead |= {(after, symbol) for symbol in pointers if after}
            after_capture = tables.entry(state, capture)
            dead |= {(after_capture, symbol) for symbol in pointers if after_capture}
            if any(tables.entry(state, item) for item in items):
                dead |= {(state, symbol) for symbol in pointers}
            if tables.entry(state, names.index("<=>")) and not self._can_close(state):
                dead |= {(state, symbol) for symbol in binary}
        return frozenset(dead)

    def _can_close(self, state: int) -> bool:
        """Whether an expression may be over in this state, or something other than an operator may follow it."""
        tables = self._tables
        for symbol, entry in tables.row(state):
            if symbol < tables.token_count:
                reduces = any(kind == REDUCE for kind, _, _ in tables.actions(entry))
                if reduces or tables.names[symbol] in _CPP_CLOSERS:
                    return True
        return False


_CPP_CLOSERS = frozenset([")", "]", "}", ";", ",", ":", "{", "="]) | {"\n"}
_CPP_BINARY_OPERATORS = frozenset(
    [
        "-",
        "+",
        "*",
        "/",
        "%",
        "||",
        "&&",
        "|",
        "^",
        "&",
        "==",
        "!=",
        ">",
        ">=",
        "<=",
        "<",
        "<<",
        ">>",
        "<=>",
        "?",
        "or",
        "and",
        "bitor",
        "xor",
        "bitand",
        "not_eq",
        ".*",
        "->*",
    ]
)
