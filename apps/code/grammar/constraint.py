"""Grammars as the engine's `Constraint`: token by token, where a token may be a part of a character."""

from __future__ import annotations

import gc
import weakref
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from apps.code.grammar.condition import Condition
from apps.code.grammar.errors import PrefixNotViableError
from apps.code.grammar.fenced import BlockText, FencedText
from apps.code.grammar.grammar import grammar
from apps.code.grammar.joining import MAX_READ
from apps.code.grammar.placed import PlacedText
from apps.code.grammar.program import ProgramText


class TokenBytes(Protocol):
    """What a constraint needs of a tokenizer."""

    vocab: int

    def token_bytes(self, token: int) -> bytes:
        """The bytes of a token; empty for tokens that stand for no text."""

    def encode(self, text: str) -> list[int]:
        """Tokens of plain text."""


class _Place(NamedTuple):
    """A state of the condition, and the first bytes of a character that is not whole yet."""

    state: Any
    partial: bytes


class TokenConstraint:
    """A text condition for the tokens of a model; implements `core_model.constraint.Constraint`."""

    growth = 4
    """On average between two looks: one token can open five brackets, but several in a row do not."""

    def __init__(self, condition: Condition, tokenizer: TokenBytes) -> None:
        self._condition = condition
        self._tokenizer = tokenizer
        vocabulary(tokenizer)  # takes a second once: not between two tokens
        self._place = _Place(condition.start, b"")
        self._looked: tuple[int, _Place | None] = (-1, None)  # the token asked about last, and where it leads
        self._accepted = array("I")

    def allows(self, token: int) -> bool:
        """Whether the text so far, followed by `token`, can still be completed."""
        return self._after(token) is not None

    def first_allowed(self, tokens: Sequence[int]) -> int | None:
        """The first of many tokens that is allowed, or None; exact.

        The beginnings that cannot follow are found first (256 first bytes, then longer ones as they come up), and
        tokens with such a beginning are passed over without being tried.
        """
        known = vocabulary(self._tokenizer)
        viable_first = np.array([self._step(self._place, bytes([byte])) is not None for byte in range(256)])
        ids = np.asarray(tokens, dtype=np.int64)
        ids = ids[ids < len(known.sizes)]  # a model may have more logits than its tokenizer has tokens
        ids = ids[known.sizes[ids] > 0]
        dead: set[bytes] = set()
        for token in ids[viable_first[known.first_bytes[ids]]].tolist():
            data = self._tokenizer.token_bytes(token)
            if not dead.isdisjoint(data[:size] for size in range(2, len(data) + 1)):
                continue
            if self._step(self._place, data) is not None:
                return int(token)
            dead.add(self._shortest_dead(data))
        return None

    def accept(self, token: int) -> None:
        """Append `token`. Raises ValueError where it is not allowed."""
        place = self._after(token)
        if place is None:
            raise ValueError(f"token {token} ({self._tokenizer.token_bytes(token)!r}) is not allowed here")
        self._accepted.append(token)
        self._place = place
        self._looked = (-1, None)
        self._condition.tidy(place.state)

    def may_end(self) -> bool:
        """Whether the text so far is complete."""
        return not self._place.partial and self._condition.may_end(self._place.state)

    def forced(self) -> list[int]:
        """Nothing: a grammar of a programming language leaves a choice nearly everywhere, if only of white space."""
        return []

    def closing(self) -> list[int]:
        """Tokens of the shortest completion found; empty where the text may end.

        Empty also where no completion was found, which can happen before a suffix: see `longest_complete`.
        """
        if not self._place.partial:
            return self._closing_after(self._place.state, b"") or []
        for data, state in self._whole_characters(self._place):
            tokens = self._closing_after(state, data)
            if tokens is not None:
                return tokens
        return []

    def fork(self) -> Self:
        """An independent copy."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy._accepted = self._accepted[:]
        return copy

    def longest_complete(self) -> int | None:
        """How many of the accepted tokens to keep so that the text is complete; None: it never was."""
        # Read again, as this is rare: positions kept for it would be walked through by every garbage collection.
        places = [_Place(self._condition.start, b"")]
        for token in self._accepted:
            place = self._step(places[-1], self._tokenizer.token_bytes(token))
            if place is None:  # it was accepted once: reading all of it again takes too long
                break
            places.append(place)
        complete = (
            length
            for length, place in reversed(list(enumerate(places)))
            if not place.partial and self._condition.may_end(place.state)
        )
        return next(complete, None)

    def _after(self, token: int) -> _Place | None:
        if self._looked[0] != token:
            data = self._tokenizer.token_bytes(token)
            self._looked = (token, self._step(self._place, data) if data else None)
        return self._looked[1]

    def _step(self, place: _Place, data: bytes) -> _Place | None:
        data = place.partial + data
        try:
            text, partial = data.decode(), b""
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data" or error.end != len(data):
                return None
            text, partial = data[: error.start].decode(), data[error.start :]
        state = self._condition.advance(place.state, text) if text else place.state
        if state is None:
            return None
        after = _Place(state, partial)
        if partial and next(self._whole_characters(after), None) is None:
            return None
        return after

    def _whole_characters(self, place: _Place) -> Iterator[tuple[bytes, Any]]:
        """The ways to go on from a partial character: its remaining bytes and the state after it."""
        for character in self._condition.representatives(place.state, *_code_points(place.partial)):
            state = self._condition.advance(place.state, character)
            if state is not None:
                yield character.encode()[len(place.partial) :], state

    def _closing_after(self, state: Any, data: bytes) -> list[int] | None:
        text = self._condition.completion(state)
        if text is None:
            return None
        single = vocabulary(self._tokenizer).single_bytes
        return [single[byte] for byte in data] + (self._tokenizer.encode(text) if text else [])

    def _shortest_dead(self, data: bytes) -> bytes:
        for size in range(2, len(data)):
            if self._step(self._place, data[:size]) is None:
                return data[:size]
        return data


class GrammarConstraint(TokenConstraint):
    """The text is a program of `language`, or stands between `prefix` and `suffix` in one.

    `prefix` that no strict program begins with is tried without the strict rules. `patience` characters are read in the
    first search for what joins a text with the suffix. Raises UnknownLanguageError,
    GrammarVersionError, and PrefixNotViableError where no program of the language begins with `prefix` (then nothing
    is gained by a constraint).
    """

    def __init__(
        self,
        language: str,
        tokenizer: TokenBytes,
        prefix: str = "",
        suffix: str | None = None,
        strict: bool = True,
        patience: int = MAX_READ,
    ) -> None:
        super().__init__(
            _strict_or_not(
                lambda rules: ProgramText(grammar(language, rules), prefix, suffix or "", patience), strict
            ),
            tokenizer,
        )


class BlockConstraint(TokenConstraint):
    """The text is a program of `language` that begins with `begun`, and the end of the fenced block around it.

    Raises as `GrammarConstraint` does.
    """

    def __init__(self, language: str, tokenizer: TokenBytes, begun: str = "", strict: bool = True) -> None:
        super().__init__(
            _strict_or_not(lambda rules: BlockText(ProgramText(grammar(language, rules), begun)), strict),
            tokenizer,
        )


class PlacedConstraint(TokenConstraint):
    """The text is whole lines between `prefix` and `suffix` in a program, and the end of the fenced block around them.

    They are written at the margin; in their place each is indented by `indentation`. Raises as `GrammarConstraint`
    does.
    """

    def __init__(
        self,
        language: str,
        tokenizer: TokenBytes,
        prefix: str,
        suffix: str,
        indentation: str = "",
        strict: bool = True,
    ) -> None:
        def condition(rules: bool) -> Condition:
            # A newline more changes no program, and the text may end before its own.
            program = ProgramText(grammar(language, rules), prefix, f"\n{suffix}")
            return BlockText(PlacedText(program, indentation), may_be_empty=True)

        super().__init__(_strict_or_not(condition, strict), tokenizer)


class FencedConstraint(TokenConstraint):
    """The text is Markdown whose fenced blocks of a known language are programs."""

    def __init__(self, tokenizer: TokenBytes, strict: bool = True) -> None:
        super().__init__(FencedText(strict), tokenizer)


def _strict_or_not(condition: Callable[[bool], Condition], strict: bool) -> Condition:
    try:
        return condition(strict)
    except PrefixNotViableError:
        if not strict:
            raise
    return condition(False)


def _code_points(partial: bytes) -> tuple[int, int]:
    """The first and last code point whose UTF-8 begins with these bytes."""
    lead = partial[0]
    size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    smallest = {2: 0x80, 3: 0x800, 4: 0x10000}[size]
    bits = lead & (0x7F >> size)
    for byte in partial[1:]:
        bits = bits << 6 | byte & 0x3F
    missing = 6 * (size - len(partial))
    return max(bits << missing, smallest), min((bits + 1 << missing) - 1, 0x10FFFF)


class Vocabulary:
    """The bytes of all tokens: how many, the first one (0 of tokens without any), and tokens of a single byte."""

    def __init__(self, tokenizer: TokenBytes) -> None:
        data = [tokenizer.token_bytes(token) for token in range(tokenizer.vocab)]
        self.sizes = np.array([len(d) for d in data])
        self.first_bytes = np.array([d[0] if d else 0 for d in data], dtype=np.uint8)
        self.single_bytes = {d[0]: token for token, d in enumerate(data) if len(d) == 1}
        self._data = data
        self._ordered = sorted(range(len(data)), key=data.__getitem__)

    def starting(self, begin: bytes) -> Iterator[int]:
        """The tokens whose bytes begin so, in the order of their bytes."""
        first = bisect_left(self._ordered, begin, key=self._data.__getitem__)
        following = (self._ordered[place] for place in range(first, len(self._ordered)))
        return takewhile(lambda token: self._data[token].startswith(begin), following)


_vocabularies: weakref.WeakKeyDictionary[Any, Vocabulary] = weakref.WeakKeyDictionary()


def vocabulary(tokenizer: TokenBytes) -> Vocabulary:
    """Made once for a tokenizer, which takes a second."""
    found = _vocabularies.get(tokenizer)
    if found is None:
        found = _vocabularies[tokenizer] = Vocabulary(tokenizer)
        # It stays, and so do the tokenizer's own tables. A collection between two tokens need not go through them.
        gc.freeze()
    return found
