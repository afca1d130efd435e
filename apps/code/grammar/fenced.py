"""Answers in Markdown: code inside a fence of a known language is constrained, all other text is free."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from apps.code.grammar.condition import Condition
from apps.code.grammar.errors import UnknownLanguageError
from apps.code.grammar.grammar import grammar
from apps.code.grammar.program import ProgramText

_OPENING = re.compile(r" {0,3}(?:(?P<backticks>`{3,})\s*([^\s`]*)[^`]*|(?P<tildes>~{3,})\s*(\S*).*)")
_MAX_REMEMBERED = 200  # characters of a line of prose that are kept: a fence's first line is shorter
_AFTER_FENCE = "\0"  # what stands in `line` after a closing fence, so that the rest of the line opens nothing


@dataclass(frozen=True)
class FencedState:
    """Where in an answer the text stands."""

    line: str = ""  # of prose or of a free fence, from its beginning
    fence: str = ""  # the backticks or tildes that opened the block; "" in prose
    program: Condition | None = None  # of a fence of a known language
    code: Any = None  # its state; None where the line can only be the closing fence
    marks: int = 0  # of the fence at the beginning of a line of code; -1 further on in the line
    whole: bool = False  # with marks: the program before the line is whole


class FencedText:
    """The condition that every fenced block of a known language is a whole program.

    A line that begins with the fence's marks ends the block, as Markdown has it; so it is refused until the
    program is whole.
    """

    def __init__(self, strict: bool = True) -> None:
        self._strict = strict
        self.start = FencedState()

    def advance(self, state: FencedState, text: str) -> FencedState | None:
        """The state after more text, or None where a block can never become a program."""
        at = 0
        while at < len(text):
            one_character = state.program is not None and state.marks >= 0
            end = at + 1 if one_character else text.find("\n", at) + 1 or len(text)
            after = (
                self._prose(state, text[at:end]) if state.program is None else self._code(state, text[at:end])
            )
            if after is None:
                return None
            state, at = after, end
        return state

    def may_end(self, state: FencedState) -> bool:
        """Whether the answer may end here: not inside a constrained block."""
        return state.program is None

    def completion(self, state: FencedState) -> str | None:
        """The shortest text that closes the open block, or None where none was found."""
        if state.program is None:
            return ""
        if state.marks > 0 and state.whole:
            return state.fence[state.marks :]
        text = state.program.completion(state.code) if state.code is not None else None
        if text is None:
            return None
        at_line_start = text.endswith("\n") if text else state.marks == 0
        return f"{text}{state.fence}" if at_line_start else f"{text}\n{state.fence}"

    def representatives(self, state: FencedState, low: int, high: int) -> Iterator[str]:
        """Characters that stand for all of the code points low..high."""
        if state.program is not None and state.code is not None:
            return state.program.representatives(state.code, low, high)
        return iter((chr(low if not 0xD800 <= low <= 0xDFFF else 0xE000),))

    def tidy(self, state: FencedState) -> None:
        """Bound the memory: the text moved on."""
        if state.program is not None and state.code is not None:
            state.program.tidy(state.code)

    def _prose(self, state: FencedState, piece: str) -> FencedState:
        """Prose, or a block of an unknown language; at most one line."""
        line = (state.line + piece)[:_MAX_REMEMBERED]
        if not piece.endswith("\n"):
            return replace(state, line=line)
        opening = _OPENING.fullmatch(line.rstrip("\n"))
        if opening is None:
            return replace(state, line="")
        fence, language = (found for found in opening.groups() if found is not None)
        if state.fence:
            closes = fence.startswith(state.fence) and not language
            return FencedState() if closes else replace(state, line="")
        try:
            program = ProgramText(grammar(language, self._strict))
        except UnknownLanguageError:
            return FencedState(fence=fence)
        return FencedState(fence=fence, program=program, code=program.start)

    def _code(self, state: FencedState, piece: str) -> FencedState | None:
        """Code: a piece of a line, one character where the line may be the closing fence."""
        assert state.program is not None  # the caller looked
        code = state.program.advance(state.code, piece) if state.code is not None else None
        if state.marks >= 0 and piece == state.fence[0]:
            whole = (
                state.whole if state.marks else state.code is not None and state.program.may_end(state.code)
            )
            marks = state.marks + 1
            if marks == len(state.fence):
                return FencedState(line=_AFTER_FENCE) if whole else None
            return replace(state, code=code, marks=marks, whole=whole) if whole or code is not None else None
        if code is None:
            return None
        return replace(state, code=code, marks=0 if piece.endswith("\n") else -1, whole=False)


class BlockText(FencedText):
    """The condition that the text is code, which the end of the fenced block that it stands in may follow."""

    def __init__(self, program: Condition, may_be_empty: bool = False) -> None:
        """`program` is the condition that the code meets. The first line may be the end only of what may be empty."""
        super().__init__()
        marks = 0 if may_be_empty else -1
        self.start = FencedState(fence="```", program=program, code=program.start, marks=marks)

    def advance(self, state: FencedState, text: str) -> FencedState | None:
        """The state after more text, or None where it can never become a program."""
        after = super().advance(state, text) if state.program is not None else None
        # Nothing follows the block.
        return after if after is None or after.program is not None or after.line == _AFTER_FENCE else None

    def may_end(self, state: FencedState) -> bool:
        """Whether the program is whole, or the block has ended."""
        if state.program is None:
            return True
        return state.marks <= 0 and state.code is not None and state.program.may_end(state.code)

    def completion(self, state: FencedState) -> str | None:
        """The shortest text that makes the program whole; the block need not be closed."""
        if state.program is None or (state.marks > 0 and state.whole):
            return state.fence[state.marks :]
        return state.program.completion(state.code) if state.code is not None else None
