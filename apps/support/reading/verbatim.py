"""A shop's words as a message writes them."""

from __future__ import annotations

import re


def verbatim(name: str) -> re.Pattern[str]:
    """The name in a message in lower case, however its words and figures are held together."""
    parts = re.findall(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[^\w\s-]", name.casefold())
    if not parts:
        return re.compile(r"(?!)")  # a name without a sign of its own is never named
    unit = r"(?<!\d\s)" if len(name) == 1 and name.isalpha() else ""  # "2 L" is no size
    before, after = r"(?<![\w'’])(?<!\d[.,])" + unit, r"(?![\w'’]|[.,]\d)"
    if re.search(r"[\u3400-\u9fff]", name):
        before = after = ""  # no space between words
    return re.compile(before + r"[\s-]*".join(map(re.escape, parts)) + after)
