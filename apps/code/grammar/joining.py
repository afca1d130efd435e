"""Text that joins what stands before a suffix with it.

What is missing between the two can be closings (the grammar knows them), openings whose end stands in the suffix, or
both. Openings are tried from a short list of the language's constructs. The search is best first: of two beginnings of
a join, the one with which more of the suffix can be read is the better one.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator
from operator import itemgetter
from typing import NamedTuple

from apps.code.grammar.acceptor import Acceptor, Snapshot
from apps.code.grammar.openings import openings_before
from apps.code.grammar.shortest import Completer

MAX_READ = 300_000
"""Characters read in one search for a join: half a second."""
_SHARES = 16  # of the suffix: less is not told apart
_STEP = 8  # shares that one more step must gain
_MAX_OFF = 4  # shares that brackets out of balance may cost
_MAX_REPEATED = 8  # brackets opened at once
_REMEMBERED = 16  # outcomes are remembered before each of the suffix's first lines, then before every 16th
_MAX_OUTCOMES = 2_000


class _Beginning(NamedTuple):
    """A beginning of a join; the first of a heap is the most hopeful one."""

    rank: int
    number: int  # in the order of finding
    text: str
    steps: int
    state: Snapshot  # after the text


class Joiner:
    """Finds joins between the programs of one acceptor and one suffix."""

    def __init__(
        self, acceptor: Acceptor, completer: Completer, prefix: str, suffix: str, patience: int = MAX_READ
    ) -> None:
        """`patience` characters are read in the first search, fewer after each one that found nothing."""
        self._acceptor = acceptor
        self._completer = completer
        self._size = len(suffix)
        self._lines = suffix.splitlines(keepends=True)
        self._closed = -_brackets_open(suffix)
        self._openings = list(
            dict.fromkeys(openings_before(acceptor.grammar.language.openings, prefix, suffix))
        )
        self._outcomes: dict[tuple[int, Hashable], int | None] = {}
        self._last = ""
        self._read = 0
        self._patience = patience

    def completes(self, state: Snapshot) -> bool:
        """Whether the suffix makes the text a whole program."""
        return self._unread(state) is None

    def join(self, state: Snapshot) -> str | None:
        """A short text after which the suffix makes a whole program, or None where none was found."""
        if self._last and self._text_joins(state, self._last):
            return self._last
        found = self._search(state)
        if found is None:
            self._patience //= 2
        else:
            self._last = found
        return found

    def _text_joins(self, state: Snapshot, text: str) -> bool:
        after = self._acceptor.feed(state, text)
        return after is not None and self.completes(after)

    def _search(self, start: Snapshot) -> str | None:
        """Best first: much of the suffix can be read, few steps, as many brackets opened as are closed."""
        self._read = 0
        if self.completes(start):
            return ""
        to_open = self._closed + _brackets_open(self._completer.complete(start) or "")
        queue = [_Beginning(0, 0, "", 0, start)]
        seen, met = {""}, {_stacks(start)}
        while queue:
            begun = heapq.heappop(queue)
            missing = to_open - _brackets_open(begun.text)
            longer = {begun.text + more: more for more in self._continuations(begun.state, missing)}
            new = [(abs(to_open - _brackets_open(text)), text) for text in longer if text not in seen]
            seen |= longer.keys()
            for off, text in sorted(new, key=itemgetter(0)):
                self._read += len(longer[text])
                if self._read > self._patience:
                    return None
                state = self._acceptor.feed(begun.state, longer[text])
                if state is None or not self._acceptor.viable(state) or _stacks(state) in met:
                    continue
                met.add(_stacks(state))
                unread = self._unread(state)
                if unread is None:
                    return text
                # The whole suffix could be read, but too much is open at its end: the worst beginning.
                share = unread * _SHARES // self._size if unread else _SHARES + 1
                rank = share + _STEP * begun.steps + min(off, _MAX_OFF)
                heapq.heappush(queue, _Beginning(rank, len(met), text, begun.steps + 1, state))
        return None

    def _continuations(self, state: Snapshot, to_open: int) -> Iterator[str]:
        yield from self._completer.beginnings(state)
        yield from self._openings
        if 1 < to_open <= _MAX_REPEATED:
            single = [text for text in self._openings if _brackets_open(text) == 1]
            blocks = [text for text in single if text.endswith("{") and not text[0].isspace()]
            yield from (outer * (to_open - 1) + inner for outer in blocks for inner in single)

    def _unread(self, state: Snapshot) -> int | None:
        """Characters of the suffix from the beginning of the line that can't follow; None where it completes."""
        met: list[tuple[int, Hashable]] = []
        left = self._size
        outcome: int | None
        for number, line in enumerate(self._lines):
            if number <= _REMEMBERED or number % _REMEMBERED == 0:
                place = (number, _place(state))
                if place in self._outcomes:  # another text led to the same stacks here
                    outcome = self._outcomes[place]
                    break
                met.append(place)
            self._read += len(line)
            after = self._acceptor.feed(state, line)
            if after is None:
                outcome = left
                break
            state, left = after, left - len(line)
        else:
            outcome = None if self._acceptor.complete(state) else 0
        if len(self._outcomes) > _MAX_OUTCOMES:
            self._outcomes.clear()
        self._outcomes.update(dict.fromkeys(met, outcome))
        return outcome


def _place(state: Snapshot) -> Hashable:
    """Alike in states that read on alike."""
    base = state.base
    moved = [r._replace(start=r.start - base, word=r.word - base, end=r.end - base) for r in state.readings]
    return state.tail, tuple(moved)


def _stacks(state: Snapshot) -> Hashable:
    """Alike in states that differ in words only, as after most texts inside a comment."""
    return frozenset(reading[:2] + reading[3:5] for reading in state.readings)


def _brackets_open(text: str) -> int:
    """How many more brackets a text opens than it closes, strings and comments not told apart."""
    return sum(map(text.count, "([{")) - sum(map(text.count, ")]}"))
