"""Token healing: the word before the cursor is written again, so that no token has to begin in its middle.

A model reads a text in tokens, and `retu` is not how `return` begins for it. The half word is taken back from the
prompt and demanded as the beginning of what is generated. It is demanded in one token where one has all of it: a token
that has less may be the likelier, but for words that go on otherwise (` be`, with ` bei` demanded, for `bed`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Self

import numpy as np

from apps.code.grammar.constraint import GrammarConstraint, vocabulary
from core_model.tokenizer import Tokenizer

_HALF_WORD = re.compile(r"[^\w\r\n]?\w{1,64}\Z| ?[^\w\s]{1,4}\Z|(?<=\S)[^\S\n]\Z")
_WORD = re.compile(r"\w+\Z")
_MAX_WORDS = 64
_MAX_TRIED = 64  # tokens that the grammar is asked about to find one that has the whole half word


def half_word(prefix: str) -> str:
    """What of the text before the cursor is taken back: the word or the signs that it stands at.

    With the one character before a word, for tokens are made like this: ` return`, `(self`, `.join`, `("`.
    Not an indentation: what was written with it taken back was worse (docs/code.md).
    """
    found = _HALF_WORD.search(prefix)
    return found[0] if found else ""


def spellings(tokenizer: Tokenizer, begun: str, text: str) -> list[list[int]]:
    """The tokens of a text's words that begin with the half word at the end of `begun`, with what stands before it."""
    half = _WORD.search(begun)
    if half is None:
        return []
    words = sorted(set(re.findall(rf"\b{re.escape(half[0])}\w*", text)))
    return [tokenizer.encode(begun[: half.start()] + word) for word in words[:_MAX_WORDS]]


class GapConstraint:
    """What may be written in a gap: `begun` first, and all of it as a grammar has it, if there is one.

    White space that the cursor stands behind is as wide as it is meant to be: no more of it follows.
    Implements `core_model.constraint.Constraint`.
    """

    growth = GrammarConstraint.growth

    def __init__(
        self,
        tokenizer: Tokenizer,
        begun: str,
        grammar: GrammarConstraint | None,
        after_blank: bool = False,
        known: Sequence[Sequence[int]] = (),
    ) -> None:
        """`after_blank`: white space stands before `begun`, or before the cursor where that is empty.

        `known` are the `spellings` of words that the file has already.
        """
        self._tokenizer = tokenizer
        self._wanted = begun.encode("utf-8", "replace")
        self._ends_blank = begun[-1:].isspace()
        self._tight = after_blank and not begun  # right after it
        self._grammar = grammar if grammar is None or _takes(grammar, tokenizer, begun) else None
        self.in_grammar = self._grammar is not None
        """Whether a program can begin with what stands before the cursor."""
        self.whole = grammar is not None and self.in_grammar and bool(grammar.may_end() or grammar.closing())
        """Whether the file is to be whole in the end. It cannot, where a part of it is missing."""
        self._known = known
        self._plain = tokenizer.encode(begun)  # as far as it was followed
        self._spelling = False  # whether one of these words is being written
        self._in_one = self._fits_one_token()

    def allows(self, token: int) -> bool:
        """Whether the text may go on with this token."""
        if self._wanted:
            if not self._goes_on(token):
                return False
            shorter = len(self._tokenizer.token_bytes(token)) < len(self._wanted)
            if (self._spelling or shorter) and not self._spells(token):
                return False
        elif self._tight and self._tokenizer.token_bytes(token)[:1].isspace():
            return False
        return self._grammar is None or self._grammar.allows(token)

    def _goes_on(self, token: int) -> bool:
        """Whether a token is a part of the half word, or begins with all that is missing of it."""
        data = self._tokenizer.token_bytes(token)
        if not data or not (data.startswith(self._wanted) or self._wanted.startswith(data)):
            return False
        return not (self._ends_blank and data[len(self._wanted) : len(self._wanted) + 1].isspace())

    def _spells(self, token: int) -> bool:
        """Whether a part of the half word is written as in a word of the file, or else as the tokenizer does it."""
        if any(spelling[0] == token for spelling in self._known):
            return True
        return not self._spelling and not self._in_one and (not self._plain or token == self._plain[0])

    def _fits_one_token(self) -> bool:
        """Whether there is a token that begins with all that is missing of the half word."""
        if not self._wanted:
            return False
        tokens = islice(vocabulary(self._tokenizer).starting(self._wanted), _MAX_TRIED)
        return any(
            self._goes_on(token) and (self._grammar is None or self._grammar.allows(token))
            for token in tokens
        )

    def first_allowed(self, tokens: Sequence[int]) -> int | None:
        """The first of many tokens that is allowed, or None."""
        if self._wanted:
            known = vocabulary(self._tokenizer)
            ids = np.asarray(tokens, dtype=np.int64)
            ids = ids[ids < len(known.sizes)]  # a model may have more logits than its tokenizer has tokens
            likely = ids[known.first_bytes[ids] == self._wanted[0]].tolist()
            return next((token for token in likely if self.allows(token)), None)
        if self._grammar is None or self._tight:
            return next((token for token in tokens if self.allows(token)), None)
        return self._grammar.first_allowed(tokens)

    def accept(self, token: int) -> None:
        """Append `token`. Raises ValueError where it is not allowed."""
        if self._wanted and not self._goes_on(token):
            raise ValueError(f"token {token} does not go on with {self._wanted.decode()!r}")
        if self._grammar is not None:
            self._grammar.accept(token)
        size = len(self._tokenizer.token_bytes(token))
        self._spelling = self._spelling or (self._in_one and size < len(self._wanted))
        self._tight = self._ends_blank and size == len(self._wanted) > 0
        self._wanted = self._wanted[size:]
        self._plain = self._plain[1:] if self._plain[:1] == [token] else []
        self._known = [spelling[1:] for spelling in self._known if spelling[0] == token and len(spelling) > 1]
        self._in_one = self._fits_one_token()

    def may_end(self) -> bool:
        """Whether the half word is written, and the file is whole."""
        return not self._wanted and (not self.whole or self._grammar is None or self._grammar.may_end())

    def forced(self) -> list[int]:
        """The half word, while it is missing."""
        if self._wanted:
            return self._tokenizer.encode(self._wanted.decode("utf-8", "replace"))
        return self._grammar.forced() if self._grammar is not None else []

    def closing(self) -> list[int]:
        """Tokens that make the file whole; only the half word while that is still missing."""
        if self._wanted:
            return self._tokenizer.encode(self._wanted.decode("utf-8", "replace"))
        return self._grammar.closing() if self.whole and self._grammar is not None else []

    def longest_complete(self) -> int | None:
        """How many of the accepted tokens to keep so that the file is whole; None: it never was."""
        return self._grammar.longest_complete() if self.whole and self._grammar is not None else None

    def fork(self) -> Self:
        """An independent copy."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy._grammar = self._grammar.fork() if self._grammar is not None else None
        return copy


def _takes(grammar: GrammarConstraint, tokenizer: Tokenizer, text: str) -> bool:
    """Whether a program can go on with a text."""
    place = grammar.fork()
    for token in tokenizer.encode(text):
        if not place.allows(token):
            return False
        place.accept(token)
    return True
