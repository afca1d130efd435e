"""The constraints behind `language=`: what is installed under the entry point `duet.languages`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distributions
from typing import Protocol

from core_model.constraint import Constraint
from core_model.errors import RequestError
from core_model.tokenizer import Tokenizer

GROUP = "duet.languages"


@dataclass(frozen=True)
class Block:
    """A chat answer that is code: the model finds the block opened, and the answer comes without its marks."""

    opening: str  # stands in the prompt, before how the answer begins
    end: str  # stop string
    constraint: Constraint | None  # None where no program begins as the answer does


class Languages(Protocol):
    """Makes what an answer in a programming language needs, afresh for each."""

    def block(self, language: str, begun: str = "") -> Block:
        """A program of `language` that begins with `begun`.

        Raises RequestError, which names the known languages, for another one.
        """


def languages(tokenizer: Tokenizer) -> Languages:
    """The languages for a model's tokens. Raises RequestError where none are installed."""
    make = _installed()
    if make is None:
        raise RequestError(
            f"no languages are installed (entry point {GROUP}); run: pip install --editable .", "language"
        )
    return make(tokenizer)


@cache
def _installed() -> Callable[[Tokenizer], Languages] | None:
    # Not `entry_points()`: it looks at one distribution of a name only, which in a checkout may be the metadata that
    # an old build has left in the folder.
    found: Callable[[Tokenizer], Languages] | None = next(
        (
            point.load()
            for distribution in distributions()
            for point in distribution.entry_points.select(group=GROUP)
        ),
        None,
    )
    return found
