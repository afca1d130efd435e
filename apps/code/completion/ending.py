"""Where a suggestion ends, asked after every token: with the line, with the block, or where the suffix begins."""

from __future__ import annotations

from apps.code.completion.fitting import Fit
from apps.code.completion.shape import Shape

MAX_LINES = 12
"""Lines that are waited for until the file parses; a rest of a line that takes more is none."""
_TELLING = 3  # characters: a shorter line, as a bracket, may well stand twice


class GapEnding:
    """A `core_model.requests.Ending` for one gap; `begun` is the half word that the generated text repeats."""

    def __init__(
        self, prefix: str, suffix: str, begun: str, shape: Shape, fit: Fit, indentation: int = 0
    ) -> None:
        """`indentation` is what further lines must have at least."""
        self._least = indentation
        self._begun = len(begun)
        self._shape = shape
        self._fit = fit
        self._line = prefix[prefix.rfind("\n") + 1 :]
        self._rest = fit.rest
        self._next = first_line(suffix[suffix.find("\n") + 1 :]) if "\n" in suffix else ""
        self._before = last_line(prefix[: len(prefix) - len(self._line)])
        self._head = _indentation(self._line if self._line.strip() else self._before)
        self._looked = 0  # lines that were found to go on

    def __call__(self, text: str) -> int | None:
        """How much of the text to keep once it is over, None while it goes on."""
        body = text[self._begun :]
        keep = self._block(body) if self._shape is Shape.BLOCK else self._rest_of_line(body)
        return None if keep is None else self._begun + keep

    def repeats(self, body: str) -> bool:
        """Whether all that a suggestion would add stands in the file already, right after or right before it."""
        whole = (self._line + body.partition("\n")[0]).strip()
        return len(whole) > _TELLING and whole in (self._next, self._before)

    def _rest_of_line(self, body: str) -> int | None:
        first = body.partition("\n")[0]
        if (without := self._before_rest(first)) is not None:
            return without
        if (code := self._before_comment(first)) is not None:
            return code
        lines = body.split("\n")
        while self._looked < len(lines) - 1:
            index, end = self._looked, len("\n".join(lines[: self._looked + 1]))
            if index and (self._is_next(lines[index]) or self._too_far_left(lines[index])):
                return len("\n".join(lines[:index]))
            if self._fit.fits(body[:end].rstrip()):
                return end
            if self._rest or not _opens(self._line + body[:end]) or index + 1 == MAX_LINES:
                return len(first)
            self._looked += 1
        return None

    def _before_rest(self, text: str) -> int | None:
        """How much of a text stands before what the line goes on with after the cursor, where the text repeats it."""
        text = text.rstrip()
        for size in range(min(len(self._rest), len(text)), 0, -1):
            if text.endswith(self._rest[:size]):
                without = text[:-size]
                if self._fit.fits(without) and (size == len(self._rest) or not self._fit.fits(text)):
                    return len(without)
        return None

    def _before_comment(self, text: str) -> int | None:
        """How much of a line is code, where a comment follows: what its author would say there no model knows."""
        comment = self._fit.comment_in(text)
        code = text[:comment].rstrip() if comment is not None else ""
        return len(code) if code and self._fit.fits(code) else None

    def _block(self, body: str) -> int | None:
        lines = body.split("\n")
        # What the cursor's own line still gets belongs to the head, if that is where the cursor stands.
        inner = 1 if self._line.strip() else 0
        for index in range(max(inner, self._looked), len(lines)):
            line, last = lines[index], index == len(lines) - 1
            end = len("\n".join(lines[:index]))
            if index == 0:
                line = self._line + line
            if not line.strip():
                continue
            if not last and index and self._is_next(line):
                return end
            if index and (_indentation(line) <= self._head or self._too_far_left(line)):
                closed = end + 1 + len(line) - len(line.lstrip()) + 1
                if line.lstrip().startswith("}") and self._fit.fits(body[:closed]):
                    return closed
                return end
            if not last:
                self._looked = index + 1
        return None

    def _too_far_left(self, line: str) -> bool:
        return line.strip() != "" and _indentation(line) < self._least

    def _is_next(self, line: str) -> bool:
        return len(line.strip()) > _TELLING and line.strip() == self._next


def _opens(text: str) -> bool:
    """Whether a line leaves something open that further lines must close."""
    brackets = sum(map(text.count, "([{")) - sum(map(text.count, ")]}"))
    return brackets > 0 or text.rstrip().endswith((":", "\\"))


def first_line(text: str) -> str:
    """The first line that is not blank, without its indentation."""
    return next((line.strip() for line in text.split("\n") if line.strip()), "")


def last_line(text: str) -> str:
    """The last line that is not blank, with its indentation."""
    return next((line.rstrip() for line in reversed(text.split("\n")) if line.strip()), "")


def _indentation(line: str) -> int:
    return len(line.expandtabs(8)) - len(line.expandtabs(8).lstrip())
