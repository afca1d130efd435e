"""A message as the rest of the program may see it: of bounded length, without control characters and markup."""

from __future__ import annotations

import re
import unicodedata

MOST_CHARACTERS = 2_000
"""A longer message is cut: nobody explains a parcel in more, and every token is work."""
MOST_STORED_CHARACTERS = 20_000

_CHAT_MARKUP = re.compile(r"<\|[^|<>]{0,40}\|>|</?s>|\[/?INST\]")
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")


def clean(text: str) -> str:
    """The visible characters of the message's beginning, without what chat templates are made of."""
    visible = "".join(
        character
        for character in text[:MOST_CHARACTERS]
        if character in "\n\t" or unicodedata.category(character) not in _UNSEEN
    )
    return _CHAT_MARKUP.sub(" ", unicodedata.normalize("NFC", visible)).strip()


def storable(text: str) -> str:
    """The text as both databases take it: no NUL, no lone surrogate, not endless."""
    return text[:MOST_STORED_CHARACTERS].replace("\x00", "").encode("utf-8", "replace").decode()
