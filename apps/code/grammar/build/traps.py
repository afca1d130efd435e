"""Terminals that the parse table allows and no program survives.

tree-sitter settles precedence when it makes the table, so a stack can be one that no text completes: after
`for 10 -` Python's grammar waits for a target such as `x.y`, but whatever `.y` follows belongs to what stands after the
minus, for ever. Such a terminal is found where a state can only shift (its expression must become something else),
the terminal makes a binary expression of it, and every terminal that may follow that expression leads back to the same
state or is such a terminal again.
"""

from __future__ import annotations

import numpy as np

from apps.code.grammar.tables import REDUCE, SHIFT, Tables

_BINARY = 3  # children of `expression operator expression`


def traps(tables: Tables) -> np.ndarray:
    """Pairs (state, terminal), [n, 2]."""
    finder = _Finder(tables)
    found = [pair for state in range(1, tables.state_count) for pair in finder.traps_of(state)]
    return np.array(found, np.uint16).reshape(-1, 2)


class _Finder:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._bases: dict[int, list[int]] = {}  # state → the states it is reached from by a nonterminal
        for state in range(1, tables.state_count):
            for symbol, entry in tables.row(state):
                if symbol >= tables.token_count:
                    self._bases.setdefault(entry, []).append(state)

    def traps_of(self, state: int) -> list[tuple[int, int]]:
        """The trap terminals of one state: the greatest set of terminals that lead to nothing but themselves."""
        shifts = self._only_shifts(state)
        if not shifts or state not in self._bases:
            return []
        ends = {terminal: self._binary_ends(target) for terminal, target in shifts.items()}
        suspects = {terminal for terminal, found in ends.items() if found}
        while True:
            escaping = {t for t in suspects if any(self._escapes(state, end, suspects) for end in ends[t])}
            if not escaping:
                return [(state, terminal) for terminal in sorted(suspects)]
            suspects -= escaping

    def _only_shifts(self, state: int) -> dict[int, int]:
        """Terminal → next state where the state never reduces; extras (comments) aside. Empty where it does."""
        shifts: dict[int, int] = {}
        for symbol, entry in self._tables.row(state):
            if symbol >= self._tables.token_count:
                continue
            for kind, argument, detail in self._tables.actions(entry):
                if kind != SHIFT:
                    return {}
                if not detail:
                    shifts[symbol] = argument
        return shifts

    def _binary_ends(self, after_operator: int) -> list[tuple[int, int]]:
        """(state, symbol) where `expression operator X` is reduced to the symbol; empty where anything else can
        come of the operator."""
        tables = self._tables
        ends: list[tuple[int, int]] = []
        for symbol, entry in tables.row(after_operator):
            if symbol < tables.token_count:
                if any(kind == REDUCE for kind, _, _ in tables.actions(entry)):
                    return []
                continue
            reductions = self._reductions(entry)
            if any(count > _BINARY for _, count in reductions):
                return []
            ends += [(entry, reduced) for reduced, count in reductions if count == _BINARY]
        return ends

    def _reductions(self, state: int) -> set[tuple[int, int]]:
        tables = self._tables
        return {
            (argument, detail)
            for symbol, entry in tables.row(state)
            if symbol < tables.token_count
            for kind, argument, detail in tables.actions(entry)
            if kind == REDUCE
        }

    def _escapes(self, state: int, end: tuple[int, int], suspects: set[int]) -> bool:
        """Whether some terminal after the binary expression leads anywhere else than to a suspect of `state`."""
        tables = self._tables
        end_state, symbol = end
        for terminal, entry in tables.row(end_state):
            if terminal >= tables.token_count:
                continue
            if (REDUCE, symbol, _BINARY) not in tables.actions(entry):
                continue
            for base in self._bases[state]:
                reached = self._after_reduction(base, symbol, terminal)
                if reached is not None and (reached != state or terminal not in suspects):
                    return True
        return False

    def _after_reduction(self, base: int, symbol: int, terminal: int) -> int | None:
        """The state in which `terminal` is shifted once `symbol` stands on `base`; None where it cannot be."""
        tables = self._tables
        state = tables.entry(base, symbol)
        while state:
            entry = tables.entry(state, terminal)
            if not entry:
                return None
            units = [a for kind, a, count in tables.actions(entry) if kind == REDUCE and count == 1]
            if len(units) != len(tables.actions(entry)) or len(units) != 1:
                return state
            state = tables.entry(base, units[0])
        return None
