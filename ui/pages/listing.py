"""Code as HTML: highlighted, with line numbers, and with the part that is new marked."""

from __future__ import annotations

from itertools import pairwise

from markupsafe import Markup, escape
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES

# Pygments' short names by what they look like here: few colours, quiet ones.
_LOOKS = {"k": "key", "s": "str", "m": "num", "c": "com", "nf": "fun", "nc": "typ", "nb": "typ", "nd": "dec"}


def code_html(
    code: str, language: str, *, new: tuple[int, int] | None = None, writing: bool = False
) -> Markup:
    """`code` as a listing of lines. `new` is the range of characters that was filled in.

    `writing` puts a caret at the end of the new part, or of the code.
    """
    start, end = new or (len(code), len(code))
    pieces: list[str] = []
    for index, kind, value in get_lexer_by_name(language).get_tokens_unprocessed(code):
        stop = index + len(value)
        cuts = sorted({index, stop, *(cut for cut in (start, end) if index < cut < stop)})
        for left, right in pairwise(cuts):
            inside = start <= left < end
            if writing and left == end:
                pieces.append(_CARET)
            pieces.append(_spans(code[left:right], _look(STANDARD_TYPES.get(kind, "")), inside))
    if writing and end == len(code):
        pieces.append(_CARET)
    body = "".join(pieces)
    lines = body.removesuffix("\n").split("\n")
    listing = "\n".join(f'<span class="line">{line}</span>' for line in lines)
    return Markup(f'<pre class="listing" translate="no"><code>{listing}</code></pre>')


_CARET = '<span class="caret"></span>'


def _look(short: str) -> str:
    return next((_LOOKS[prefix] for prefix in (short[:2], short[:1]) if prefix in _LOOKS), "")


def _spans(value: str, look: str, inside: bool) -> str:
    """Spans that end before each line break, so that every line is well-formed by itself."""
    classes = " ".join(filter(None, (look, "new" if inside else "")))
    opening = f'<span class="{classes}">' if classes else ""
    closing = "</span>" if classes else ""
    lines = [f"{opening}{escape(line)}{closing}" if line else "" for line in value.split("\n")]
    return "\n".join(lines)
