"""A message as the rest of the program may see it: of bounded length, without control characters and markup."""

from __future__ import annotations

import re
import string
import unicodedata

from apps.support.reading.mail import own_words

MOST_CHARACTERS = 2_000
"""A longer message is cut: nobody explains a parcel in more, and every token is work."""
MOST_STORED_CHARACTERS = 20_000
ATTACHMENT = "[attachment]"
"""What stands for a message of nothing but a picture, a sticker or another file."""

_CHAT_MARKUP = re.compile(r"<\|[^|<>]{0,40}\|>|</?s>|\[/?INST\]")
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")
_HALF_WIDTH = {
    ord(unicodedata.lookup(f"FULLWIDTH {unicodedata.name(character)}")): character
    for character in string.ascii_letters + string.digits + "#@._"
}
"""What numbers and addresses are made of, as East Asian keyboards write it."""
_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212\uff0d"), "-")
"""What word processors and phones make of the hyphen in a number."""


def clean(text: str) -> str:
    """The visible characters of the message's beginning, without quoted mail and what chat templates are made of."""
    visible = "".join(
        character
        for character in text[:MOST_CHARACTERS]
        if character in "\n\t" or unicodedata.category(character) not in _UNSEEN
    )
    return _CHAT_MARKUP.sub(
        " ", own_words(unicodedata.normalize("NFC", visible).translate(_HALF_WIDTH | _HYPHENS))
    ).strip()


def storable(text: str) -> str:
    """The text as both databases take it: no NUL, no lone surrogate, not endless."""
    return text[:MOST_STORED_CHARACTERS].replace("\x00", "").encode("utf-8", "replace").decode()
