"""What whoever imports a file may say about it, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from apps.support.shop.importing.figures import DecimalMark
from apps.support.shop.importing.moments import DateOrder

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is (0: not known)."""


@dataclass(frozen=True)
class ImportOptions:
    """None: as the file shows. `states`: a JSON file with the shop's own words for the state of an order."""

    update: bool = False
    dry_run: bool = False
    decimal: DecimalMark | None = None
    dates: DateOrder | None = None
    encoding: str | None = None
    states: Path | None = None


@dataclass
class Tally:
    new: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass
class ImportReport:
    """What the import did or, with `dry_run`, would do."""

    products: int = 0  # new ones
    variants: Tally = field(default_factory=Tally)
    customers: Tally = field(default_factory=Tally)
    orders: Tally = field(default_factory=Tally)
    ignored_columns: list[str] = field(default_factory=list)
    other_items: int = 0  # orders whose items are others than in the file: an import does not change them
    refused: list[str] = field(
        default_factory=list
    )  # records that the shop, changed meanwhile, has no place for
