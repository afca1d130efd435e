"""How cheaply the items of every parser state are finished (made by `build.finishing_costs`)."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping

import numpy as np

from apps.code.grammar.tables import REDUCE, SHIFT, Tables
from apps.code.grammar.terminals import NEVER

_DEPTH_BITS = 6


class FinishingCosts:
    """Costs in tenths of a token, held sparse: state s owns the entries `_first[s]:_first[s + 1]`."""

    def __init__(self, data: Mapping[str, np.ndarray], tables: Tables) -> None:
        self._tables = tables
        self._forbidden = empty_blocks(tables) | lone_elses(tables)
        self._first = array("I", data["cost_first"].tobytes())
        keys = (data["cost_symbol"].astype(np.uint32) << _DEPTH_BITS) | data["cost_depth"]
        self._keys = array("I", keys.tobytes())
        self._values = array("H", data["cost_value"].tobytes())
        self.of_symbol = array("H", data["cost_of_symbol"].tobytes())
        self._first_terminals: dict[tuple[int, int, int], int | None] = {}  # of the items that came up

    def items(self, state: int) -> list[tuple[int, int, int]]:
        """(symbol, depth, cost): finishing an item that is reduced to the symbol and pops `depth` states."""
        return [
            (self._keys[i] >> _DEPTH_BITS, self._keys[i] & ((1 << _DEPTH_BITS) - 1), self._values[i])
            for i in range(self._first[state], self._first[state + 1])
        ]

    def cost(self, state: int, symbol: int, depth: int) -> int:
        """The cost of one item, NEVER where the state has no such item."""
        key, high = symbol << _DEPTH_BITS | depth, self._first[state + 1]
        i = bisect_left(self._keys, key, self._first[state], high)
        return self._values[i] if i < high and self._keys[i] == key else NEVER

    def first_terminal(self, state: int, symbol: int, depth: int) -> int | None:
        """The terminal that the cheapest way to finish an item begins with; None: it is reduced at once."""
        key = (state, symbol, depth)
        if key not in self._first_terminals:
            self._first_terminals[key] = self._find_first_terminal(state, symbol, depth)
        return self._first_terminals[key]

    def _find_first_terminal(self, state: int, symbol: int, depth: int) -> int | None:
        tables = self._tables
        begun: set[int] = set()  # nonterminals that this one begins with: none begins with itself
        while self.cost(state, symbol, depth) != 0:
            best, choice = NEVER, -1
            for edge, _ in tables.row(state):
                own = NEVER if edge in begun else self.of_symbol[edge]
                target = -1 if (state, edge) in self._forbidden else self._target(state, edge)
                if own < NEVER and target >= 0:
                    cost = own + self.cost(target, symbol, depth + 1)
                    if cost < best:
                        best, choice = cost, edge
            if choice < tables.token_count:
                return choice if choice >= 0 else None
            symbol, depth = choice, 0
            begun.add(choice)
        return None

    def forbids(self, state: int, symbol: int) -> bool:
        """Whether no completion may write this terminal in this state."""
        return (state, symbol) in self._forbidden

    def _target(self, state: int, symbol: int) -> int:
        """The state after a symbol, -1 where it is not shifted."""
        tables = self._tables
        entry = tables.entry(state, symbol)
        if symbol >= tables.token_count:
            return entry
        return next((a for kind, a, extra in tables.actions(entry) if kind == SHIFT and not extra), -1)


def empty_blocks(tables: Tables) -> set[tuple[int, int]]:
    """Where tree-sitter-python takes an empty block, which no completion may write: (state, symbol)."""
    if "_newline" not in tables.names or "_indent" not in tables.names:
        return set()
    newline, indent, dedent = (tables.names.index(name) for name in ("_newline", "_indent", "_dedent"))
    found = set()
    for state in range(1, tables.state_count):
        entry = tables.entry(state, indent)
        if entry:
            found.add((state, newline))
            found |= {(argument, dedent) for kind, argument, _ in tables.actions(entry) if kind == SHIFT}
    return found


def bare_tries(tables: Tables) -> tuple[frozenset[int], int]:
    """Where tree-sitter-python takes a `try` without a clause, which no completion may leave: the states after the
    block, and the nonterminal that they reduce to."""
    if "try_statement" not in tables.names or "_dedent" not in tables.names:
        return frozenset(), -1
    statement = tables.names.index("try_statement")
    blocks = [s for s in range(tables.symbol_count) if tables.names[s] in ("block", "_simple_statements")]
    states = {tables.entry(base, block) for base in range(1, tables.state_count) for block in blocks} - {0}
    return frozenset(state for state in states if statement in _reduced(tables, state)), statement


def lone_elses(tables: Tables) -> set[tuple[int, int]]:
    """Where tree-sitter-python takes an `else` after a `try` without `except`: (state, symbol)."""
    states, _ = bare_tries(tables)
    clauses = [
        symbol for symbol in range(tables.symbol_count) if tables.names[symbol] in ("else", "else_clause")
    ]
    return {(state, symbol) for state in states for symbol in clauses}


def _reduced(tables: Tables, state: int) -> set[int]:
    """The nonterminals that something is reduced to in a state."""
    return {
        argument
        for symbol, entry in tables.row(state)
        if symbol < tables.token_count
        for kind, argument, _ in tables.actions(entry)
        if kind == REDUCE
    }
