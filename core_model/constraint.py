"""What generated text must satisfy, asked token by token while it is sampled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Constraint(Protocol):
    """A condition on generated text.

    The engine draws tokens in the order of their sampling keys and takes the first that the constraint
    allows, which is an exact draw from the masked, renormalised distribution. Token ids are those of the
    model's tokenizer; a token may hold part of a character. End-of-text tokens are never passed in:
    the engine asks `may_end` instead.
    """

    growth: int
    """Tokens by which each further token may lengthen `closing`: how soon the engine looks at it again."""

    def allows(self, token: int) -> bool:
        """Whether the text so far, followed by `token`, can still be completed. Changes nothing."""

    def first_allowed(self, tokens: Sequence[int]) -> int | None:
        """The first of many tokens that is allowed, or None: called when `allows` refused dozens of them."""

    def accept(self, token: int) -> None:
        """Append `token`. Raises ValueError where `allows(token)` is false."""

    def may_end(self) -> bool:
        """Whether the text so far is complete."""

    def forced(self) -> list[int]:
        """Token ids of text that must follow in any case, as far as it is found cheaply; asked at every token.

        The engine has them verified in one step instead of asking for one after another.
        """

    def closing(self) -> list[int]:
        """Token ids of the shortest text that completes what was accepted; empty where `may_end()`.

        Empty also where none is found; see `longest_complete`.
        """

    def longest_complete(self) -> int | None:
        """How many of the accepted tokens to keep so that the text is complete; None: it never was.

        For the text that `closing` finds no completion for (between a prefix and a suffix that do not fit).
        """

    def fork(self) -> Constraint:
        """An independent copy, cheap enough to be made at every token."""
