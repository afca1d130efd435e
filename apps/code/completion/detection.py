"""Which language a text is in, from what an editor sends: names of files, the first line, the text itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import inf
from pathlib import PurePath

from apps.code.prompts import LANGUAGE_NAMES
from apps.code.syntax import errors, parse

SUFFIXES = {
    **dict.fromkeys((".py", ".pyi", ".pyw"), "python"),
    ".java": "java",
    **dict.fromkeys((".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h", ".ipp", ".inl"), "cpp"),
}
_SHEBANG = re.compile(r"#!.*\bpython[\d.]*\b")
_MAX_READ = 12_000  # characters on each side of the cursor
_MIN_NODES = 8  # less says nothing
_LINES_PER_ERROR = 12  # real files have a few errors: macros, or a beginning that was not sent
_LENIENT = 3  # errors more where the files beside are of the language


def language_of_name(name: str) -> str | None:
    """The language of a file's name; None where it is none of ours, or says nothing."""
    return SUFFIXES.get(PurePath(name).suffix.lower())


def detect(prefix: str, suffix: str, filename: str | None, others: Sequence[str]) -> str | None:
    """The language of the file around a cursor, None where it is none of ours.

    `others` are names of other files of the project, the last one the nearest.
    """
    if filename and PurePath(filename).suffix:
        return language_of_name(filename)
    if _SHEBANG.match(prefix):
        return "python"
    text = _without_cursor_line(prefix[-_MAX_READ:], suffix[:_MAX_READ])
    broken = {language: _broken(text, language) for language in LANGUAGE_NAMES}
    most = text.count("\n") // _LINES_PER_ERROR
    neighbours = [language_of_name(name) for name in reversed(others) if PurePath(name).suffix]
    if neighbours:
        # A file beside others is in a language of theirs, if it can be: a small one parses as many things.
        return next((name for name in neighbours if name and broken[name] <= most + _LENIENT), None)
    likely = [language for language in broken if broken[language] <= most]
    return min(likely, key=lambda language: broken[language], default=None)


def _without_cursor_line(prefix: str, suffix: str) -> str:
    """What is being typed says nothing yet."""
    return prefix[: prefix.rfind("\n") + 1] + suffix.partition("\n")[2]


def _broken(text: str, language: str) -> float:
    """Places that no rule of the grammar takes; infinitely many where there is too little to tell."""
    root = parse(text, language)
    return len(list(errors(root))) if root.descendant_count >= _MIN_NODES else inf
