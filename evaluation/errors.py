"""What can go wrong in an evaluation, each with what to do about it."""

from __future__ import annotations


class EvaluationError(Exception):
    """A figure could not be measured."""


class DataError(EvaluationError):
    """A file is not what the evaluation reads."""


class OtherRunError(EvaluationError):
    """The case file belongs to a run with other settings."""
