"""Whether a text fits into its gap: whether the file parses with it, by tree-sitter's judgement."""

from __future__ import annotations

import re
from functools import cached_property

from tree_sitter import Node

from apps.code.completion.shape import COMMENTS, rest_of_line
from apps.code.syntax import errors, parse

_LINES = ("{", "}", "void x() {", "class x {", "x(", "void x(", "x = {", "x)", "x};", "[", "x]")
"""What a line may open or close that the rest of a file lacks."""
_MARK = re.compile(r"#|//|/\*")
_CONDITION = re.compile(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|endif)\b", re.MULTILINE)
"""Where C++'s preprocessor begins and ends what is compiled on a condition; the grammar tolerates any number."""


class Fit:
    """Judges texts for one gap.

    A file that has errors elsewhere, or of which only a part was sent, never parses: where it need not be `whole`, a
    text fits that adds no error and has none.
    """

    def __init__(self, prefix: str, suffix: str, language: str | None, whole: bool) -> None:
        self._whole = whole
        self._prefix = prefix
        self._suffix = suffix
        self._language = language
        self._known: dict[str, bool] = {}

    @cached_property
    def rest(self) -> str:
        """What the line of the cursor goes on with after it, comments apart."""
        return rest_of_line(self._prefix, self._suffix, self._language)

    def fits(self, text: str) -> bool:
        """Whether the file is no worse with the text. Of a file in no language of ours nothing is known."""
        if self._language is None:
            return True
        if text not in self._known:
            found = self._errors(self._prefix + text + self._suffix)
            fits = not found or (not self._whole and self._adds_none(found, text))
            self._known[text] = fits and not self.unbalances(text)
        return self._known[text]

    def parses(self, text: str) -> bool:
        """Whether the whole file parses with the text."""
        return self._language is not None and not self._errors(self._prefix + text + self._suffix)

    def comment_in(self, text: str) -> int | None:
        """Where in a text a comment begins; None where none does."""
        if self._language is None or not _MARK.search(text):
            return None
        root = parse(self._prefix + text + self._suffix, self._language)
        for mark in _MARK.finditer(text):
            place = len((self._prefix + text[: mark.start()]).encode("utf-8", "replace"))
            node = root.descendant_for_byte_range(place, place + 1)
            if node is not None and node.type in COMMENTS and node.start_byte == place:
                return mark.start()
        return None

    def _adds_none(self, found: list[Node], text: str) -> bool:
        """Whether there are no more errors than without the text, and none begins in it or right behind it.

        Where any line in the cursor's place would make the file whole, the text must do it too.
        """
        if self._needs_only_a_line:
            return False
        start = len(self._prefix[: self._prefix.rfind("\n") + 1].encode("utf-8", "replace"))
        after = self._suffix.partition("\n")[2]
        following = self._suffix[: len(self._suffix) - len(after.lstrip()) + 1]
        end = len((self._prefix + text + following).encode("utf-8", "replace"))
        return len(found) <= self._unavoidable and not any(start <= node.start_byte < end for node in found)

    def unbalances(self, text: str) -> bool:
        """Whether the text ends a condition of C++'s preprocessor that nothing begins, or begins one without an end."""
        if self._language != "cpp" or not _CONDITION.search(text):
            return False
        before = _conditions(self._prefix + self._suffix)
        after = _conditions(self._prefix + text + self._suffix)
        return after[0] < before[0] or abs(after[1]) > abs(before[1])

    @cached_property
    def _needs_only_a_line(self) -> bool:
        return not self._unavoidable or any(not self._errors_with_line(line) for line in _LINES)

    @cached_property
    def _unavoidable(self) -> int:
        """Errors that the file has without the line of the cursor."""
        return len(self._errors_with_line(""))

    def _errors_with_line(self, line: str) -> list[Node]:
        """The errors with another line in place of the cursor's."""
        end = self._suffix.find("\n")
        rest = self._suffix[end:] if end >= 0 else ""
        return self._errors(self._prefix[: self._prefix.rfind("\n") + 1] + line + rest)

    def _errors(self, text: str) -> list[Node]:
        """The places that are not as the grammar has it."""
        assert self._language is not None
        return list(errors(parse(text, self._language)))


def _conditions(text: str) -> tuple[int, int]:
    """How many conditions are ended without a beginning, below 0, and how many are open at the end."""
    lowest = depth = 0
    for match in _CONDITION.finditer(text):
        depth += -1 if match[1] == "endif" else 1
        lowest = min(lowest, depth)
    return lowest, depth
