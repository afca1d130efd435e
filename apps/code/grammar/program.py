"""A program's text as a condition: whole programs, and the text between a given prefix and suffix."""

from __future__ import annotations

from collections.abc import Iterator

from apps.code.grammar.acceptor import Acceptor, Snapshot
from apps.code.grammar.budget import Budget, OutOfTimeError
from apps.code.grammar.errors import PrefixNotViableError
from apps.code.grammar.grammar import Grammar
from apps.code.grammar.joining import MAX_READ, Joiner
from apps.code.grammar.shortest import Completer

_BYTE_ORDER_MARK = "\ufeff"


class ProgramText:
    """The condition that prefix + text + suffix is (the beginning of) a program of a grammar.

    States are snapshots of the acceptor after prefix + text. Raises PrefixNotViableError where no program begins with
    the prefix, or where reading it takes too long.

    All that is asked of a program and its forks comes out of one budget. Where that is spent no token is allowed and
    no completion found: the text ends where it was complete.
    """

    def __init__(
        self, grammar: Grammar, prefix: str = "", suffix: str = "", patience: int = MAX_READ
    ) -> None:
        self._grammar = grammar
        self._budget = Budget(len(prefix) + len(suffix))
        self._acceptor = Acceptor(grammar, self._budget)
        self._completer = Completer(self._acceptor)
        self._joiner = Joiner(self._acceptor, self._completer, prefix, suffix, patience) if suffix else None
        start = self.advance(self._acceptor.initial(), prefix.removeprefix(_BYTE_ORDER_MARK))
        if start is None:
            raise PrefixNotViableError(grammar.language.name)
        self.start = start

    def advance(self, state: Snapshot, text: str) -> Snapshot | None:
        """The state after more text, or None where it can never become a program."""
        if not text:
            return state
        try:
            with self._budget.spending():
                after = self._acceptor.feed(state, text)
                return after if after is not None and self._acceptor.viable(after) else None
        except OutOfTimeError:
            return None

    def may_end(self, state: Snapshot) -> bool:
        """Whether the text so far, with the suffix, is a whole program."""
        try:
            with self._budget.spending():
                return self._joiner.completes(state) if self._joiner else self._acceptor.complete(state)
        except OutOfTimeError:
            return False

    def completion(self, state: Snapshot) -> str | None:
        """The shortest text found that makes a whole program with the suffix, or None."""
        try:
            with self._budget.spending():
                return self._joiner.join(state) if self._joiner else self._completer.complete(state)
        except OutOfTimeError:
            return None

    def representatives(self, state: Snapshot, low: int, high: int) -> Iterator[str]:
        """Characters that stand for all of the code points low..high: the grammar treats the others alike."""
        for code_point in self._grammar.lexer.class_ranges(low, high).values():
            if not 0xD800 <= code_point <= 0xDFFF:
                yield chr(code_point)

    def tidy(self, state: Snapshot) -> None:
        """Bound the memory: the text moved on."""
        self._acceptor.parser.limit_memory()
        self._budget.refill()
