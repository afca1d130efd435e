"""How long one program may be thought about: nested and ambiguous text can cost far more than its length."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from apps.code.grammar.errors import GrammarError

_BURST_S = 0.8
_PER_CHARACTER_S = 20e-6
_PER_TOKEN_S = 0.005
_FREE_S = 0.0002
_STEPS_UNWATCHED = 16


class OutOfTimeError(GrammarError):
    """The program's budget is spent."""

    def __init__(self) -> None:
        super().__init__("the program is nested so deeply, or so ambiguous, that reading it takes too long")


class Budget:
    """CPU seconds of the thread that reads, searches and completes one program and its forks.

    Text of ordinary code takes 2 µs a character, a token that is tried 0.1 ms and a completion a few: what is no longer
    than a token of ordinary code is free, so that as many can be tried as there are. Each token that is written brings
    a part back. CPU time, because what the machine does besides is to change no answer.
    """

    def __init__(self, characters: int = 0) -> None:
        """`characters` are there already, and may have to be read as a whole."""
        self._most_s = self._left_s = _BURST_S + _PER_CHARACTER_S * characters
        self._end_s = float("inf")
        self._unwatched = 0

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Work whose `step`s raise OutOfTimeError once nothing is left. Not to be nested."""
        start_s = time.thread_time()
        self._end_s = start_s + _FREE_S + max(self._left_s, 0.0)
        try:
            yield
        finally:
            self._left_s -= max(0.0, time.thread_time() - start_s - _FREE_S)
            self._end_s = float("inf")

    def step(self) -> None:
        """A small step of the work."""
        self._unwatched += 1
        if self._unwatched >= _STEPS_UNWATCHED:  # the clock costs as much as a step
            self._unwatched = 0
            if time.thread_time() > self._end_s:
                raise OutOfTimeError

    def refill(self) -> None:
        """A token was written."""
        self._left_s = min(self._most_s, max(self._left_s, 0.0) + _PER_TOKEN_S)
