"""Amounts as shops write them: `1,299.00`, `1.299,00`, `1 299,00`, `1'299.00`, `250000`."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from babel.numbers import get_currency_precision, is_currency

from apps.support.shop.importing.conventions import Convention

MOST_MINOR = 10**14


class DecimalMark(StrEnum):
    COMMA = "comma"
    POINT = "point"


_GROUP = r"[ \u00a0\u202f'’]"
_MARKS = {DecimalMark.COMMA: (",", r"\."), DecimalMark.POINT: (r"\.", ",")}
# Groups of three, or India's: the last of three, those before of two.
_PATTERNS = {
    mark: re.compile(
        rf"(?P<whole>[0-9]+|[0-9]{{1,3}}(?:(?:{group}|{_GROUP})[0-9]{{2,3}})*(?:(?:{group}|{_GROUP})[0-9]{{3}}))?"
        rf"(?:{decimal}(?P<part>[0-9]+))?"
    )
    for mark, (decimal, group) in _MARKS.items()
}


@lru_cache(maxsize=1000)
def known_currency(code: str) -> bool:
    """Whether it is a currency's code of ISO 4217."""
    return is_currency(code)


class Figures:
    """Reads a file's amounts, all with the same decimal mark."""

    def __init__(self, decimal: DecimalMark | None = None) -> None:
        self._convention: Convention[DecimalMark] = Convention(
            decimal, "say --decimal comma or --decimal point"
        )

    def learn(self, text: str, currency: str, row: str, field: str) -> None:
        """Take what a figure tells of the mark. Raises ImportFileError where two figures contradict each other."""
        readings = _readings(text)
        if len(readings) == 1:
            self._convention.learn(next(iter(readings)), text, row, field)
        elif len(set(readings.values())) == 2:
            digits = get_currency_precision(currency)
            if digits == 0:  # no yen is broken: "1,299" is a thousand
                self._convention.learn(max(readings, key=readings.__getitem__), text, row, field)
            elif digits == 3:  # "1.234" has as many decimals as a dinar
                likely = min(readings, key=readings.__getitem__)
                self._convention.learn(likely, text, row, field, sure=False)

    def minor(self, text: str, currency: str) -> int:
        """The amount in the currency's smallest unit. Raises ValueError."""
        readings = _readings(text)
        if not readings:
            raise ValueError(f"{text!r} is not an amount")
        values = set(readings.values())
        if len(values) == 2:
            value = readings[self._convention.choose(readings, text)]
        else:
            mark, value = next(iter(readings.items()))
            if len(readings) == 1 and self._convention.way not in (None, mark):
                raise ValueError(f"{text!r} is not an amount with a decimal {self._convention.way}")
        digits = get_currency_precision(currency)
        minor = value.scaleb(digits)
        if minor != minor.to_integral_value():
            raise ValueError(f"{text!r} is not an amount in {currency}, which has {digits} decimals")
        if minor >= MOST_MINOR:
            raise ValueError(f"{text!r} is not a price")
        return int(minor)


@lru_cache(maxsize=10_000)  # a shop has few prices, and an export names each many times
def _readings(text: str) -> dict[DecimalMark, Decimal]:
    """What the figure is with a decimal comma and with a decimal point; empty where it is no figure."""
    found = {}
    for mark, pattern in _PATTERNS.items():
        match = pattern.fullmatch(text.strip())
        if match and (match["whole"] or match["part"]):
            whole = re.sub("[^0-9]", "", match["whole"] or "0")
            found[mark] = Decimal(f"{whole}.{match['part'] or '0'}")
    return found
