"""What can go wrong in the support assistant, each with what to do about it."""

from __future__ import annotations

from pydantic import ValidationError


class SupportError(Exception):
    """Anything that the support assistant raises on purpose."""


class DatabaseNotReadyError(SupportError):
    """The database cannot be reached or its tables are not those of this version."""


class ImportFileError(SupportError):
    """A file to import is wrong; nothing of it was written. Names the row and the field."""

    def __init__(self, problem: str, *, row: str | None = None, field: str | None = None) -> None:
        place = ", ".join(part for part in (row, f"field {field!r}" if field else None) if part)
        super().__init__(f"nothing was imported: {place + ': ' if place else ''}{problem}")
        self.row = row
        self.field = field


class PolicyError(SupportError):
    """The file of the shop's rules cannot be used."""


class WordsError(SupportError):
    """A language's file of words cannot be used, or lacks a sentence."""


class HandbookError(SupportError):
    """A handbook to load is wrong; the stored one was left as it is. Names each file and line."""


class NotFoundError(SupportError):
    """A conversation, message or ticket that does not exist."""


class ConflictError(SupportError):
    """The request contradicts what is stored: a reused idempotency key, a turn already running."""


class UnusableValueError(SupportError):
    """A value that the shop cannot keep, as a price with more decimals than its currency has."""


class ActionRefusedError(SupportError):
    """The shop's policy forbids an action. `reason` is a fact key that the reply explains.

    `place` is that of the proposal's step, where several were to be carried out.
    """

    def __init__(self, reason: str, place: int = 0) -> None:
        super().__init__(f"the policy forbids this: {reason}")
        self.reason = reason
        self.place = place


class NotConfiguredError(NotFoundError):
    """A desk whose settings are not there."""


class SignatureError(SupportError):
    """A webhook that the desk has not signed, or not just now."""


class PayloadError(SupportError):
    """A webhook that is signed and yet not what the desk sends."""


class DeliveryError(SupportError):
    """A desk did not take what was sent to it.

    `final`: it never will. `reached`: it may have been taken all the same. `retry_after_s`: when it wants to be
    asked again, where it said so.
    """

    def __init__(
        self, problem: str, *, final: bool = False, reached: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(problem)
        self.final = final
        self.reached = reached
        self.retry_after_s = retry_after_s


def problems_of(error: ValidationError) -> str:
    """What is wrong with a file's keys, each by its name."""
    known = {"extra_forbidden": "no such key", "missing": "the key is missing"}
    return "; ".join(
        f"{'.'.join(map(str, problem['loc']))}: {known.get(problem['type'], problem['msg'])}"
        for problem in error.errors()
    )
