"""What can go wrong in the code assistant."""

from __future__ import annotations

from core_model.errors import RequestError


class LanguageNotServedError(RequestError):
    """The code assistant does not write this language."""

    def __init__(self, name: str, parameter: str = "language") -> None:
        super().__init__(f"the code assistant writes python, java and cpp, not {name!r}", parameter)
