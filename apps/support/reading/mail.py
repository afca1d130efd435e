"""What the customer wrote themselves of a message that came by e-mail: no thread below it, no signature.

Told by form: quoted lines begin with `>` and a signature with the line `-- ` (RFC 3676, 4.3 and 4.5). What a mail
program quotes without marks stands below its header, or below a line with its sender and time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SIGNATURE = re.compile(r"--\s?$")
_FIELD = re.compile(r"[*\s]{0,4}[^\W\d][\w -]{0,30}\*?\s?[:：]")
# The first field of the header that Outlook, Apple Mail, Gmail, Yahoo, QQ … put above what they quote.
_SENDER = re.compile(
    r"[*\s]{0,4}(from|von|de|da|van|från|fra|od|от|kimden|发件人|寄件者|寄件人|差出人|보낸 사람)\*?\s?[:：]",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*(-{3,}[^-]{0,60}-{3,}|[-_]{5,}|[^:：]{3,60}[:：])\s*$")  # "Begin forwarded message:"
_ADDRESS = re.compile(r"\S@\S")
_TIME = re.compile(r"\d:\d\d|(?<!\d)20\d\d(?!\d)")
_HEADER_LINES = 4
_MOST_HEADING_LINES = 3  # mail programs wrap it


def own_words(text: str) -> str:
    """The message without what it quotes and its signature; empty where nothing else is there."""
    own: list[str] = []
    lines = text.split("\n")
    quoting = False
    for number, line in enumerate(lines):
        if _SIGNATURE.match(line):
            break
        if _begins_header(lines[number : number + _HEADER_LINES]):
            _take_off_rule(own)
            break
        if line.lstrip().startswith(">"):
            if not quoting:
                _take_off_heading(own, marked=True)
            quoting = True
        elif line.strip() or not quoting:
            quoting = False
            own.append(line)
            if _take_off_heading(own, marked=False):
                break
    return "\n".join(own).strip()


def _begins_header(lines: Sequence[str]) -> bool:
    """Whether these are the first lines of a quoted mail's header: its sender, then other fields."""
    if not _SENDER.match(lines[0]) or not any(map(_FIELD.match, lines[1:])):
        return False
    together = "\n".join(lines)
    return bool(_ADDRESS.search(together) or _TIME.search(together))


def _take_off_rule(own: list[str]) -> None:
    """The line that stands above a header: dashes, or "Begin forwarded message:"."""
    _take_off_blanks(own)
    if own and _RULE.match(own[-1]):
        own.pop()


def _take_off_heading(own: list[str], *, marked: bool) -> bool:
    """The line "On … at …, … <…> wrote:" above a quote; where the quote has no marks it must name sender and time."""
    last = len(own)
    while last and not own[last - 1].strip():
        last -= 1
    for first in range(last - 1, max(-1, last - 1 - _MOST_HEADING_LINES), -1):
        heading = " ".join(own[first:last]).strip()
        if not heading.endswith((":", "：")):
            return False
        sender, time = _ADDRESS.search(heading), _TIME.search(heading)
        if (sender or time) if marked else (sender and time):
            del own[first:]
            return True
    return False


def _take_off_blanks(own: list[str]) -> None:
    while own and not own[-1].strip():
        own.pop()
