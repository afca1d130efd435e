"""Whether a text fits into its gap: whether the file parses with it, by tree-sitter's judgement."""

from __future__ import annotations

from functools import cached_property

from apps.code.syntax import errors, parse


class Fit:
    """Judges texts for one gap.

    A file that has errors elsewhere, or of which only a part was sent, never parses: where it need not be `whole`, a
    text fits that adds no error.
    """

    def __init__(self, prefix: str, suffix: str, language: str | None, whole: bool) -> None:
        self._whole = whole
        self._prefix = prefix
        self._suffix = suffix
        self._language = language
        self._known: dict[str, bool] = {}

    def fits(self, text: str) -> bool:
        """Whether the file is no worse with the text. Of a file in no language of ours nothing is known."""
        if self._language is None:
            return True
        if text not in self._known:
            places, size = self._errors(self._prefix + text + self._suffix)
            self._known[text] = not places or (not self._whole and self._adds_none(places, size, text))
        return self._known[text]

    def parses(self, text: str) -> bool:
        """Whether the whole file parses with the text."""
        return self._language is not None and self._errors(self._prefix + text + self._suffix) == (0, 0)

    def _adds_none(self, places: int, size: int, text: str) -> bool:
        """Whether so many errors were there without the text, of which what it adds can only be a part."""
        before, size_before = self._unavoidable
        line = len(self._prefix) - self._prefix.rfind("\n")
        return places <= before and size <= size_before + len(
            (self._prefix[-line:] + text).encode("utf-8", "replace")
        )

    @cached_property
    def _unavoidable(self) -> tuple[int, int]:
        """Errors that the file has without the line of the cursor."""
        line = self._prefix.rfind("\n") + 1
        rest = self._suffix.find("\n")
        return self._errors(self._prefix[:line] + (self._suffix[rest + 1 :] if rest >= 0 else ""))

    def _errors(self, text: str) -> tuple[int, int]:
        """Places that are not as the grammar has it, and the bytes that they take."""
        assert self._language is not None
        found = list(errors(parse(text, self._language)))
        return len(found), sum(node.end_byte - node.start_byte for node in found)
