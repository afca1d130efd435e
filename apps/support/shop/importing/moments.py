"""Dates and moments as shops write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache

from apps.support.shop.importing.conventions import Convention


class DateOrder(StrEnum):
    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"


_TIME = (
    r"(?:(?:[ T]|, ?)\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?P<half>[AaPp](?:[Mm]|\.[Mm]\.))?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?"
)
_YEAR_FIRST = re.compile(
    rf"(?P<y>\d{{4}})(?P<s>[-/.])(?P<a>\d{{1,2}})(?P=s)(?P<b>\d{{1,2}}){_TIME}", re.ASCII
)
_YEAR_LAST = re.compile(rf"(?P<a>\d{{1,2}})(?P<s>[-/.])(?P<b>\d{{1,2}})(?P=s)(?P<y>\d{{4}}){_TIME}", re.ASCII)


class Moments:
    """Reads a file's dates, all in the same order of day and month.

    The year may come first. Day.month.year with points has the day first wherever it is used; with strokes
    or hyphens the file's other dates tell, or the order that was asked for.
    """

    def __init__(self, order: DateOrder | None = None) -> None:
        self._convention: Convention[DateOrder] = Convention(order, "say --day-first or --month-first")

    def learn(self, text: str, row: str, field: str) -> None:
        """Take what a date tells of the order. Raises ImportFileError where two contradict each other."""
        readings = _readings(text)
        if len(readings) == 1 and not _dotted(text):
            order = next(iter(readings))
            if order is not None:
                self._convention.learn(order, text, row, field)

    def moment(self, text: str) -> datetime:
        """In the time zone that is written, UTC where none is. Raises ValueError."""
        readings = _readings(text)
        if not readings:
            raise ValueError(
                f"{text!r} is no date: write it like 2024-05-31, 2024-05-31 10:00:00 +0200 or 31.05.2024 10:00"
            )
        if len(readings) == 1:
            order, only = next(iter(readings.items()))
            way = self._convention.way
            if not _dotted(text) and order is not None and way not in (None, order):
                raise ValueError(f"{text!r} is no date with the {way}")
            return only
        if len(set(readings.values())) == 1:
            return next(iter(readings.values()))
        shown = {order: f"{value.day} {value:%B}" for order, value in readings.items() if order is not None}
        return readings[self._convention.choose(shown, text)]

    def day(self, text: str) -> date:
        """Raises ValueError."""
        return self.moment(text).date()


def _dotted(text: str) -> bool:
    """Whether day, month and year are written with points: no country has the month first then."""
    return "." in text.split()[0]


@lru_cache(maxsize=10_000)  # many orders of one day are shipped on another
def _readings(text: str) -> dict[DateOrder | None, datetime]:
    """What the text can mean; under None where the order of day and month is not in question."""
    text = " ".join(text.split())  # JavaScript writes a narrow no-break space before PM
    found: dict[DateOrder | None, datetime] = {}
    if match := _YEAR_FIRST.fullmatch(text):
        orders: list[tuple[DateOrder | None, str, str]] = [(None, match["a"], match["b"])]
    elif match := _YEAR_LAST.fullmatch(text):
        orders = [(DateOrder.DAY_FIRST, match["b"], match["a"])]
        if match["s"] != ".":
            orders.append((DateOrder.MONTH_FIRST, match["a"], match["b"]))
    else:
        return {}
    for order, month, day in orders:
        try:
            found[order] = _moment(match, int(match["y"]), int(month), int(day))
        except (ValueError, OverflowError):
            continue  # no such day or hour
    return found


def _moment(match: re.Match[str], year: int, month: int, day: int) -> datetime:
    hour = int(match["hour"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("no such hour")
        hour = hour % 12 + (12 if match["half"][0].upper() == "P" else 0)
    zone = _zone(match["zone"])
    moment = datetime(
        year, month, day, hour, int(match["minute"] or 0), int(match["second"] or 0), tzinfo=zone
    )
    moment.astimezone(UTC)  # what no database could keep is refused here
    return moment


def _zone(text: str | None) -> timezone:
    if text is None or text[0] not in "+-":
        return UTC
    digits = text.replace(":", "")
    offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5] or 0))
    return timezone(-offset if text[0] == "-" else offset)
