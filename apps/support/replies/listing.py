"""Several things in one sentence, as each language lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from apps.support.replies.words import words_of


def listing(parts: Sequence[str], language: str, joint: Literal["and", "or"] = "and") -> str:
    """ "a, b and c"; in Chinese "a、b、c"; of nothing the word for that."""
    phrases = words_of(language).phrases
    return join(parts or [phrases["nothing"]], phrases["comma"], phrases[joint])


def join(parts: Sequence[str], comma: str, last: str) -> str:
    return parts[0] if len(parts) == 1 else f"{comma.join(parts[:-1])}{last}{parts[-1]}"
