"""A tree-sitter lexer as an explicit automaton.

A wheel's lexer is compiled code; `apps.code.grammar.build` turns it into tables once, and this reads them. Code
points are grouped into classes of equal behaviour, so a step is two look-ups.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

import numpy as np

SKIP = 1 << 20
"""Added to a transition's target where the character is skipped (white space before a token)."""

_MAX_CACHED_CHARACTERS = 4096


class Dfa:
    """One automaton: the lexer or the keyword lexer.

    `transitions[state][class]` is -1 or the next state (plus SKIP), `accepts[state]` the accepted symbol or -1,
    `at_end[state]` the next state at the end of the text or -1, `reach[state]` the symbols accepted in any state
    that can be reached from there, in zero or more steps.
    """

    def __init__(self, data: Mapping[str, np.ndarray], name: str) -> None:
        self.accepts: list[int] = data[f"{name}_accepts"].tolist()
        self.at_end: list[int] = data[f"{name}_at_end"].tolist()
        self._range_starts: list[int] = data[f"{name}_range_starts"].tolist()
        self._range_classes: list[int] = data[f"{name}_range_classes"].tolist()
        self._class_of: dict[str, int] = {}
        self.transitions = _shared_rows(data[f"{name}_transitions"])
        self.successors = [frozenset(t & (SKIP - 1) for t in row if t >= 0) for row in self.transitions]
        self.reach = self._reachable_symbols()

    def _reachable_symbols(self) -> list[frozenset[int]]:
        reach = [{a} if a >= 0 else set() for a in self.accepts]
        changed = True
        while changed:
            changed = False
            for state in range(len(reach) - 1, -1, -1):
                before = len(reach[state])
                for successor in self.successors[state]:
                    reach[state] |= reach[successor]
                changed |= len(reach[state]) != before
        shared: dict[frozenset[int], frozenset[int]] = {}
        return [shared.setdefault(f, f) for f in map(frozenset, reach)]

    def class_of(self, character: str) -> int:
        """The class of a character; the most used ones are remembered."""
        found = self._class_of.get(character)
        if found is None:
            found = self._range_classes[bisect_right(self._range_starts, ord(character)) - 1]
            if len(self._class_of) < _MAX_CACHED_CHARACTERS:
                self._class_of[character] = found
        return found

    def class_ranges(self, low: int, high: int) -> dict[int, int]:
        """The classes that occur among the code points low..high, each with its first code point there."""
        found: dict[int, int] = {}
        i = bisect_right(self._range_starts, low) - 1
        while i < len(self._range_starts) and self._range_starts[i] <= high:
            found.setdefault(self._range_classes[i], max(self._range_starts[i], low))
            i += 1
        return found

    def run(self, text: str) -> int:
        """The state after `text` from the start state, or -1."""
        state = 0
        for character in text:
            state = self.transitions[state][self.class_of(character)]
            if state < 0:
                return -1
            state &= SKIP - 1
        return state


def _shared_rows(table: np.ndarray) -> list[tuple[int, ...]]:
    """Rows as tuples; equal rows and equal numbers are one object (Python numbers above 256 take 28 bytes each)."""
    numbers: dict[int, int] = {}
    rows: dict[tuple[int, ...], tuple[int, ...]] = {}
    result = []
    for row in table.tolist():
        shared = tuple(numbers.setdefault(v, v) for v in row)
        result.append(rows.setdefault(shared, shared))
    return result
