"""How cheaply the items of every parser state are finished (made by `build.finishing_costs`)."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping

import numpy as np

from apps.code.grammar.tables import SHIFT, Tables
from apps.code.grammar.terminals import NEVER

_DEPTH_BITS = 6


class FinishingCosts:
    """Costs in tenths of a token, held sparse: state s owns the entries `_first[s]:_first[s + 1]`."""

    def __init__(self, data: Mapping[str, np.ndarray], tables: Tables) -> None:
        self._tables = tables
        self._forbidden = empty_blocks(tables)
        self._first = array("I", data["cost_first"].tobytes())
        keys = (data["cost_symbol"].astype(np.uint32) << _DEPTH_BITS) | data["cost_depth"]
        self._keys = array("I", keys.tobytes())
        self._values = array("H", data["cost_value"].tobytes())
        self.of_symbol = array("H", data["cost_of_symbol"].tobytes())

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
        tables = self._tables
        while self.cost(state, symbol, depth) != 0:
            best, choice = NEVER, -1
            for edge, entry in tables.row(state):
                own = self.of_symbol[edge]
                target = entry if edge >= tables.token_count else self._shift(state, edge, entry)
                if own < NEVER and target >= 0:
                    cost = own + self.cost(target, symbol, depth + 1)
                    if cost < best:
                        best, choice = cost, edge
            if choice < tables.token_count:
                return choice if choice >= 0 else None
            symbol, depth = choice, 0
        return None

    def forbids(self, state: int, symbol: int) -> bool:
        """Whether no completion may write this terminal in this state."""
        return (state, symbol) in self._forbidden

    def _shift(self, state: int, symbol: int, entry: int) -> int:
        if (state, symbol) in self._forbidden:
            return -1
        return next(
            (a for kind, a, is_extra in self._tables.actions(entry) if kind == SHIFT and not is_extra), -1
        )


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
