"""Which of the assistant's languages a message is written in."""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["en", "zh"]
DEFAULT: Language = "en"

_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_FIGURE = re.compile(r"[!-~]*[\d@][!-~]*")  # ASCII: Chinese is written around figures without spaces


def detect_language(text: str, previous: str | None) -> Language:
    """English or Chinese; what has no words (an order number) keeps the previous language."""
    words = _FIGURE.sub(" ", text)
    han, latin = len(_HAN.findall(words)), len(_LATIN_WORD.findall(words))
    if han == latin == 0:
        return "zh" if previous == "zh" else DEFAULT
    # Product names stay English in many a Chinese sentence: a character weighs as much as an English word.
    return "zh" if han >= latin else "en"
