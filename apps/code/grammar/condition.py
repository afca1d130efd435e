"""What is demanded of a text, character by character."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol


class Condition(Protocol):
    """A condition on text, over immutable states."""

    start: Any

    def advance(self, state: Any, text: str) -> Any | None:
        """The state after more text, or None where the condition can never be met."""

    def may_end(self, state: Any) -> bool:
        """Whether the text so far meets the condition."""

    def completion(self, state: Any) -> str | None:
        """The shortest text found that meets the condition, or None."""

    def representatives(self, state: Any, low: int, high: int) -> Iterator[str]:
        """Characters that stand for all of the code points low..high."""

    def tidy(self, state: Any) -> None:
        """Bound the memory: the text moved on."""
