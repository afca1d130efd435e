"""What is asked for: some lines of a file, and what is to become of them."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cached_property

from core_model.errors import RequestError
from core_model.requests import SamplingParams

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
GREEDY = SamplingParams(temperature=0.0)


@dataclass(frozen=True)
class Edit:
    """An instruction on a selection, and what stands around it.

    The selection is whole lines, as it is for editors: what is selected within a line stands for the line. It may do
    without its last line's end, and then so does what takes its place. Without a `language` it is found from the
    name and the text; a text in none of ours is edited freely. With `max_tokens` None in all that a selection of this
    size may need. Raises RequestError where nothing is selected.
    """

    instruction: str
    prefix: str
    selection: str
    suffix: str = ""
    filename: str | None = None
    language: str | None = None
    sampling: SamplingParams = GREEDY
    max_tokens: int | None = None
    window: int | None = None
    owner: str = ""

    def __post_init__(self) -> None:
        if not self.selection.strip():
            raise RequestError("nothing is selected: an edit needs some code that it changes", "selection")
        start = self.prefix.rfind("\n") + 1
        end = 0 if self.selection.endswith("\n") else len(self.suffix.partition("\n")[0].removesuffix("\r"))
        object.__setattr__(self, "selection", self.prefix[start:] + self.selection + self.suffix[:end])
        object.__setattr__(self, "prefix", self.prefix[:start])
        object.__setattr__(self, "suffix", self.suffix[end:])

    @cached_property
    def line_end(self) -> str:
        """How the lines of the file end."""
        return "\r\n" if "\r\n" in self.prefix + self.selection + self.suffix else "\n"

    @cached_property
    def lines(self) -> list[str]:
        """The selected lines, without their ends."""
        return self.selection.replace("\r\n", "\n").removesuffix("\n").split("\n")

    @cached_property
    def indentation(self) -> str:
        """The white space that all lines begin with, blank ones aside."""
        spaces = [_white_space(line) for line in self.lines if line.strip()]
        least, most = min(spaces), max(spaces)  # in the order of texts: what these two begin with, all do
        return next((least[:n] for n in range(len(least), 0, -1) if most.startswith(least[:n])), "")

    @cached_property
    def at_margin(self) -> str:
        """The selected lines as they look when they stand alone."""
        return "\n".join(line[len(self.indentation) :] if line.strip() else "" for line in self.lines)

    @cached_property
    def after(self) -> str:
        """What stands after the last selected line's end."""
        if self.selection.endswith("\n"):
            return self.suffix
        return self.suffix.removeprefix("\r").removeprefix("\n")

    def file_with(self, replacement: str) -> str:
        """The whole file, with a text in the selection's place."""
        return self.prefix + replacement + self.suffix

    def diff(self, replacement: str) -> str:
        """What changes in the file, as a unified diff; empty where nothing does."""
        return unified_diff(
            self.file_with(self.selection), self.file_with(replacement), self.filename or "file"
        )


def unified_diff(before: str, after: str, name: str) -> str:
    """A diff as `diff -u` and `git diff` write it, for `patch -p1` and `git apply`."""
    lines = difflib.unified_diff(_LINE.findall(before), _LINE.findall(after), f"a/{name}", f"b/{name}")
    ended = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(ended)


def _white_space(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
