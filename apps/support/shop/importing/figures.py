"""Figures as shops write them: `1,299.00`, `1.299,00`, `1 299,00`, `1'299.00`, `250000`, `€12,50`, `1.000` pieces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from babel.numbers import get_currency_precision, get_currency_symbol, is_currency

from apps.support.shop.importing.conventions import Convention
from apps.support.shop.money import DecimalMark, figure_readings

MOST_MINOR = 10**14
_SIGNED = re.compile(
    r"(?P<before>[^\d\s.,'’+-]{1,4})?\s*(?P<figure>.*?)\s*(?P<after>[^\d\s.,'’+-]{1,4})?", re.DOTALL
)
_SIGNS_OF = ("en", "de", "zh", "fr", "es", "sv", "pl", "ja")
"""The languages whose signs of a currency are known: `$` and `US$`, `kr`, `zł`, `¥`."""


@lru_cache(maxsize=1000)
def known_currency(code: str) -> bool:
    """Whether it is a currency's code of ISO 4217."""
    return is_currency(code)


@lru_cache(maxsize=1000)
def _signs(currency: str) -> frozenset[str]:
    return frozenset({currency, *(get_currency_symbol(currency, language) for language in _SIGNS_OF)})


def _amount_readings(text: str, currency: str) -> dict[DecimalMark, Decimal]:
    """What an amount can mean; its own currency's sign or code may stand on one side of it."""
    match = _SIGNED.fullmatch(text.strip())
    if match and {match["before"], match["after"]} - {None} <= _signs(currency) and match["figure"]:
        text = match["figure"]
    return figure_readings(text)


class Figures:
    """Reads a file's figures, all with the same decimal mark."""

    def __init__(self, decimal: DecimalMark | None = None) -> None:
        self._convention: Convention[DecimalMark] = Convention(
            decimal, "say --decimal comma or --decimal point"
        )

    def learn(self, text: str, currency: str, row: str, field: str) -> None:
        """Take what a figure tells of the mark. Raises ImportFileError where two figures contradict each other."""
        readings = _amount_readings(text, currency)
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
        readings = _amount_readings(text, currency)
        if not readings:
            raise ValueError(f"{text!r} is not an amount of {currency}: write the figure alone, as 1299.00")
        value = self._chosen(readings, text)
        digits = get_currency_precision(currency)
        minor = value.scaleb(digits)
        if minor != minor.to_integral_value():
            raise ValueError(f"{text!r} is not an amount in {currency}, which has {digits} decimals")
        if minor >= MOST_MINOR:
            raise ValueError(f"{text!r} is not a price")
        return int(minor)

    def count(self, text: str) -> int:
        """A whole number: `3`, `-3`, `3.0000`, and `1.000` with a decimal comma. Raises ValueError."""
        text = text.strip()
        negative = text.startswith(("-", "−"))
        readings = figure_readings(text[1:] if negative else text)
        value = self._chosen(readings, text) if readings else None
        if value is None or value != value.to_integral_value():
            raise ValueError(f"{text!r} is not a whole number")
        return -int(value) if negative else int(value)

    def _chosen(self, readings: Mapping[DecimalMark, Decimal], text: str) -> Decimal:
        """The one that the file's mark makes of it. Raises ValueError."""
        if len(set(readings.values())) == 2:
            return readings[self._convention.choose(readings, text)]
        mark, value = next(iter(readings.items()))
        if len(readings) == 1 and self._convention.way not in (None, mark):
            raise ValueError(f"{text!r} is no figure with a decimal {self._convention.way}")
        return value
