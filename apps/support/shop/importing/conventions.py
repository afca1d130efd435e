"""Which of two ways of writing a file keeps to, told from all that it writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from apps.support.errors import ImportFileError

Way = TypeVar("Way", bound=str)


class Convention(Generic[Way]):
    """The file's way, once a value can only be read in one; or the one that was asked for.

    `advice` ends the errors: what to do where the file does not tell.
    """

    def __init__(self, given: Way | None, advice: str) -> None:
        self._given = given
        self._advice = advice
        self._sure: tuple[Way, str, str] | None = None
        self._likely: Way | None = None

    @property
    def way(self) -> Way | None:
        return self._given or (self._sure[0] if self._sure else self._likely)

    def learn(self, way: Way, text: str, row: str, field: str, *, sure: bool = True) -> None:
        """Count a value that can only (`sure`), or most likely, be written that way.

        Raises ImportFileError where another value of the file can only be written the other way.
        """
        if self._given is not None:
            return
        if not sure:
            self._likely = self._likely or way
        elif self._sure is None:
            self._sure = (way, text, row)
        elif self._sure[0] != way:
            other, there, line = self._sure
            problem = f"{text!r} is written with the {way}, {there!r} in {line} with the {other}"
            raise ImportFileError(f"{problem}: write both alike", row=row, field=field)

    def choose(self, readings: Mapping[Way, object], text: str) -> Way:
        """The way to read a value that can be read in several. Raises ValueError where it is not known."""
        if self.way is not None:
            return self.way
        meant = " or ".join(str(reading) for reading in readings.values())
        raise ValueError(f"{text!r} may mean {meant}, and nothing in the file tells: {self._advice}")
