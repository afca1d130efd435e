"""What a task names that the answer must have: functions, by their brackets, and classes."""

from __future__ import annotations

import builtins
import re

from apps.code.cpp_declarations import is_standard
from apps.code.syntax import nodes, parse, text_of

_CALLS = re.compile(r"(?<![\w.:])(?![A-Z]\()([A-Za-z_]\w*)\((?!e?s\))")  # not O(n), not file(s)
_CLASS = re.compile(
    r"\bclass(?:es)?\s++(?:(?:called|named)\s++)?`?([A-Z]\w+)"
    r"|\b([A-Z]\w*[a-z]\w*[A-Z]\w*|[A-Z]{2,}[a-z]\w*)`?\s++class\b"
)
_MOST_CHARACTERS = 20_000
_IDENTIFIERS = ("identifier", "type_identifier", "field_identifier")
# What every library has says nothing: `use sort()`, `without eval()`.
_COMMON = {*dir(builtins), *dir(str), *dir(list), *dir(dict), *dir(set), "main", "Main"}


def names_wanted(task: str) -> list[str]:
    """Names of functions and classes in a task, each once; none that is a standard library's."""
    text = task[:_MOST_CHARACTERS]
    found = [match[1] for match in _CALLS.finditer(text)]
    found += [match[1] or match[2] for match in _CLASS.finditer(text)]
    return [name for name in dict.fromkeys(found) if name not in _COMMON and not is_standard(name)]


def names_in(code: str, language: str) -> set[str]:
    """All names that code declares or uses."""
    return {text_of(node) for node in nodes(parse(code, language)) if node.type in _IDENTIFIERS}
