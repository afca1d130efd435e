"""The words of a text, to search by. Chinese writes no spaces: there they are all pairs of characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

IS_CJK = re.compile(r"[\u3400-\u9fff]")
_WORDS = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+")


def terms_of(text: str) -> Iterator[str]:
    for match in _WORDS.finditer(unicodedata.normalize("NFKC", text).lower()):
        word = match[0]
        if not IS_CJK.match(word) or len(word) == 1:
            yield word
        else:
            yield from (word[start : start + 2] for start in range(len(word) - 1))
