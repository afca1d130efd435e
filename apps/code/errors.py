"""What can go wrong in the code assistant."""

from __future__ import annotations

from core_model.errors import RequestError


class LanguageNotServedError(RequestError):
    """The code assistant does not write this language."""

    def __init__(self, name: str, parameter: str = "language") -> None:
        super().__init__(f"the code assistant writes python, java and cpp, not {name!r}", parameter)


class NoCodeAskedError(RequestError):
    """A task that asks for no code."""

    def __init__(self) -> None:
        super().__init__("the task asks for no code: say what a program should do", "task")
