"""Rows as both lessons need them: each once, and the newest kept apart."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

Row = TypeVar("Row")


def distinct(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> list[Row]:
    """Of rows of one key the last, oldest first: what is said often is no more evidence than what is said once."""
    found: dict[Hashable, Row] = {}
    for row in rows:
        found.pop(key(row), None)
        found[key(row)] = row
    return list(found.values())


def kept_apart(rows: Sequence[Row], share: float) -> tuple[list[Row], list[Row]]:
    """(rows to train on, the newest rows). Distinct rows: what is kept apart must not be trained on."""
    count = round(len(rows) * share)
    return list(rows[: len(rows) - count]), list(rows[len(rows) - count :])
