"""Code that is written at the margin and read where it stands, indented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from apps.code.grammar.acceptor import Snapshot
from apps.code.grammar.program import ProgramText


class PlacedState(NamedTuple):
    """A state of the program, and whether the text stands at the beginning of a line."""

    code: Snapshot
    fresh: bool


class PlacedText:
    """The condition that a text makes a program once each of its lines, but for blank ones, is indented.

    A model writes a part of a file best as if it stood alone: at the margin.
    """

    def __init__(self, program: ProgramText, indentation: str) -> None:
        """`program` is the text between what stands before the part and what stands after it."""
        self._program = program
        self._indentation = indentation
        self.start = PlacedState(program.start, fresh=True)

    def advance(self, state: PlacedState, text: str) -> PlacedState | None:
        """The state after more text, or None where it can never become a program."""
        placed, fresh = indented(text, self._indentation, state.fresh)
        code = self._program.advance(state.code, placed)
        return None if code is None else PlacedState(code, fresh)

    def may_end(self, state: PlacedState) -> bool:
        """Whether the text so far, in its place, makes the program whole."""
        return self._program.may_end(state.code)

    def completion(self, state: PlacedState) -> str | None:
        """The shortest text found that makes the program whole, or None."""
        placed = self._program.completion(state.code)
        if not placed:
            return placed
        text = placed.removeprefix(self._indentation) if state.fresh else placed
        text = text.replace(f"\n{self._indentation}", "\n")
        after = self.advance(state, text)  # what stands further to the left cannot be written here
        return text if after is not None and self.may_end(after) else None

    def representatives(self, state: PlacedState, low: int, high: int) -> Iterator[str]:
        """Characters that stand for all of the code points low..high: the grammar treats the others alike."""
        return self._program.representatives(state.code, low, high)

    def tidy(self, state: PlacedState) -> None:
        """Bound the memory: the text moved on."""
        self._program.tidy(state.code)


def indented(text: str, indentation: str, fresh: bool = True) -> tuple[str, bool]:
    """A piece of text with its lines indented, blank ones left alone, and whether the next piece begins a line.

    `fresh` tells whether this one does.
    """
    first, *lines = text.split("\n")
    placed = [indentation + first if fresh and first else first]
    placed += [indentation + line if line else line for line in lines]
    return "\n".join(placed), not lines[-1] if lines else fresh and not first
