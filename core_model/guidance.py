"""Text of a grammar or a JSON schema as a `Constraint`, by llguidance (https://github.com/guidance-ai/llguidance)."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from string import ascii_letters
from typing import Self

import numpy as np
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper
from numpy.typing import NDArray

from core_model.errors import RequestError
from core_model.tokenizer import Tokenizer

JSON_STYLE = {"item_separator": ", ", "key_separator": ": ", "whitespace_flexible": False}
"""How JSON is written: on one line, as `json.dumps` does and as models have read most of it."""

MAX_CLOSING = 2_000
"""Bytes after which the search for the end of a text is given up."""

_BYTES = LLTokenizer("byte")
_IN_STRINGS_ONLY = ord("q")  # no JSON outside of a string has one
_OUTSIDE_STRINGS = b'}],":0123456789{[-ntf'  # what ends the text the soonest comes first
_ANY_TEXT = ascii_letters.encode() + bytes(range(256))


class GuidedText:
    """The condition that a text is of a grammar in llguidance's notation. Implements `Constraint`."""

    growth = 64  # a token may open an object of many required members; looking again is cheap

    def __init__(self, tokenizer: Tokenizer, grammar: str, parameter: str, endings: bytes = b"") -> None:
        """Takes about a second for a tokenizer's first grammar. `endings`: bytes by which a text comes to its end.

        Raises RequestError, which names `parameter`, for a grammar or schema that cannot be followed.
        """
        self._tokens = _tokens_of(tokenizer)
        self._start = LLMatcher(self._tokens.guide, grammar, log_level=0)
        if self._start.is_error():
            reason = self._start.get_error().partition("\n")[0]
            raise RequestError(f"{parameter} cannot be followed: {reason}", parameter)
        self._matcher = self._start.deep_copy()
        self._accepted: list[int] = []
        self._endings = endings
        if not self.may_end() and not self.closing():
            raise RequestError(
                f"{parameter} cannot be followed: no text of at most {MAX_CLOSING} bytes was found that does",
                parameter,
            )

    def allows(self, token: int) -> bool:
        """Whether the text so far, followed by `token`, can still be completed."""
        return token < self._tokens.count and self._matcher.validate_tokens([token]) == 1

    def first_allowed(self, tokens: Sequence[int]) -> int | None:
        """The first of many tokens that is allowed, or None."""
        allowed = self._tokens.allowed(self._matcher)
        ids = np.asarray(tokens, dtype=np.int64)
        ids = ids[ids < len(allowed)]  # a model may have more logits than its tokenizer has tokens
        found = np.flatnonzero(allowed[ids])
        return int(ids[found[0]]) if len(found) else None

    def accept(self, token: int) -> None:
        """Append `token`. Raises ValueError where it is not allowed."""
        if not self.allows(token):
            raise ValueError(f"token {token} is not allowed here")
        self._matcher.consume_token(token)
        self._accepted.append(token)

    def may_end(self) -> bool:
        """Whether the text so far is of the grammar."""
        return bool(self._matcher.is_accepting())

    def forced(self) -> list[int]:
        """Keys, quotes and brackets that nothing else can stand for."""
        return self._tokens.encode(bytes(self._matcher.compute_ff_bytes()))

    def closing(self) -> list[int]:
        """Tokens that complete the text, few if not the fewest; empty where it may end or no end was found."""
        place, rest = self._matcher.deep_copy(), b""
        before = frozenset[int]()
        while not place.is_accepting():
            forced = bytes(place.compute_ff_bytes())
            if not forced:
                allowed = self._tokens.allowed_bytes(place)
                if not allowed or len(rest) >= MAX_CLOSING:
                    return []
                forced, before = bytes([self._soonest(allowed, allowed - before)]), allowed
            for byte in forced:
                if byte not in self._tokens.of_byte or not place.consume_token(self._tokens.of_byte[byte]):
                    return []
            rest += forced
        return self._tokens.encode(rest)

    def _soonest(self, allowed: frozenset[int], new: frozenset[int]) -> int:
        """The byte that probably leads to the end soonest; `new` ones were not allowed before the last byte.

        In a string its end, else what was not possible a moment ago: a pattern that repeats letters goes on with that.
        """
        if _IN_STRINGS_ONLY in allowed:
            order = bytes([ord('"')]) + bytes(byte for byte in _ANY_TEXT if byte in new) + _ANY_TEXT
        else:
            order = _OUTSIDE_STRINGS + _ANY_TEXT
        return next(byte for byte in self._endings + order if byte in allowed)

    def longest_complete(self) -> int | None:
        """How many of the accepted tokens to keep so that the text is of the grammar; None: it never was."""
        place, longest = self._start.deep_copy(), None
        for count, token in enumerate([None, *self._accepted]):
            if token is not None:
                place.consume_token(token)
            if place.is_accepting():
                longest = count
        return longest

    def fork(self) -> Self:
        """An independent copy."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy._matcher = self._matcher.deep_copy()
        copy._accepted = self._accepted[:]
        return copy


def matches(grammar: str, text: str) -> bool:
    """Whether the whole text is of the grammar."""
    matcher = LLMatcher(_BYTES, grammar, log_level=0)
    return matcher.consume_tokens(list(text.encode())) and bool(matcher.is_accepting())


class _GuideTokens:
    """A tokenizer as llguidance reads it, and its tokens of one byte."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = weakref.proxy(tokenizer)
        self.count = tokenizer.vocab
        # What llguidance asks of a tokenizer:
        self.eos_token_id = min(tokenizer.end_ids)
        self.bos_token_id = None
        self.tokens = [tokenizer.token_bytes(token) for token in range(tokenizer.vocab)]
        self.special_token_ids = [token for token, data in enumerate(self.tokens) if not data]
        self.guide = LLTokenizer(
            TokenizerWrapper(self), n_vocab=self.count, eos_token=sorted(tokenizer.end_ids)
        )
        self.of_byte = {data[0]: token for token, data in enumerate(self.tokens) if len(data) == 1}
        self._single = np.array(list(self.of_byte.values()), dtype=np.int64)
        self._bytes = np.array(list(self.of_byte), dtype=np.int64)

    def __call__(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text))

    def allowed(self, place: LLMatcher) -> NDArray[np.bool_]:
        """Which tokens may come next."""
        bits = np.frombuffer(place.compute_bitmask(), dtype=np.uint8)
        return np.unpackbits(bits, bitorder="little")[: self.count].astype(bool)

    def allowed_bytes(self, place: LLMatcher) -> frozenset[int]:
        """Which bytes may come next."""
        return frozenset(self._bytes[self.allowed(place)[self._single]].tolist())

    def encode(self, data: bytes) -> list[int]:
        """Tokens of bytes that may begin within a character."""
        head = data[: len(data) - len(data.lstrip(bytes(range(0x80, 0xC0))))]
        try:
            return [self.of_byte[byte] for byte in head] + self(data[len(head) :].decode())
        except UnicodeDecodeError:
            return [self.of_byte[byte] for byte in data]


_read: weakref.WeakKeyDictionary[Tokenizer, _GuideTokens] = weakref.WeakKeyDictionary()


def _tokens_of(tokenizer: Tokenizer) -> _GuideTokens:
    found = _read.get(tokenizer)
    if found is None:
        found = _read[tokenizer] = _GuideTokens(tokenizer)
    return found
