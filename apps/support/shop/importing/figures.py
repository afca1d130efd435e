"""Amounts as shops write them: `1,299.00`, `1.299,00`, `1 299,00`, `1'299.00`, `250000`."""

from __future__ import annotations

from functools import lru_cache

from babel.numbers import get_currency_precision, is_currency

from apps.support.shop.importing.conventions import Convention
from apps.support.shop.money import DecimalMark, figure_readings

MOST_MINOR = 10**14


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
        readings = figure_readings(text)
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
        readings = figure_readings(text)
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
