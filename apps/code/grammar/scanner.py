"""What a port of a grammar's external scanner (the C function beside the tables) gives the acceptor.

A scanner is asked at the beginning of a token in states where external tokens are possible. It looks at
`text[start:limit]` and either finds a token, or nothing (then the automaton lexes), or suspends because the text ends
before it can decide; a suspended scan goes on from its `phase` when more text has come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

Memory = tuple[Any, ...]
"""What a scanner remembers between tokens (indentation, open strings). Immutable and hashable."""

Phase = tuple[int, ...]
"""Where a suspended scan stands; offsets are relative to the token's start."""

FRESH: Phase = ()
"""The phase of a scan that has not begun."""

TOKEN, NOTHING, REFUSED, SUSPENDED = range(4)
Scan = tuple[int, Any, Any, Any]
"""(TOKEN, external index, end, memory), (NOTHING, …), (REFUSED, …) or (SUSPENDED, phase, …)."""

NO_TOKEN: Scan = (NOTHING, None, None, None)
BAD_TEXT: Scan = (REFUSED, None, None, None)


@dataclass(slots=True)
class Window:
    """The text that a scan may look at, and what the parser's state says about it."""

    text: str
    limit: int  # the text known so far ends here
    at_end: bool  # nothing follows the limit
    valid: tuple[bool, ...]  # per external token: may the parser's state take it
    takes: Callable[[int], bool]  # the same, exactly: with the whole stack


class ExternalScanner(Protocol):
    """A port of one grammar's external scanner."""

    initial: Memory

    def scan(self, window: Window, start: int, memory: Memory, phase: Phase) -> Scan:
        """Look for an external token at `start`."""

    def comment_run(self, text: str, start: int) -> int:
        """The end of the last of several comments from `start` after which a scan finds just what it finds at `start`;
        `start` where there are none."""

    def shifted(self, memory: Memory, symbol: int) -> Memory:
        """The memory after the parser took `symbol`, which the automaton found."""

    def viable(self, window: Window, start: int, memory: Memory, phase: Phase) -> bool | None:
        """Whether the suspended text can become an external token or white space; None: ask the automaton."""

    def needed_from(self, memory: Memory, phase: Phase) -> int:
        """The offset from the token's start before which a suspended scan needs no text any more."""

    def endings(self, memory: Memory, phase: Phase) -> list[str]:
        """Short texts that finish the suspended token, the most likely first."""

    def line_break(self, memory: Memory) -> str:
        """A line break after which a statement goes on."""
