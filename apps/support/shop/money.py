"""Amounts: integers in the smallest unit, and how people write them."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache

from babel.numbers import format_currency, get_currency_precision

DEFAULT_LOCALE = "en"


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


def minor_digits(currency: str) -> int:
    """Digits after the decimal point: 2 for most, 0 for JPY, 3 for KWD."""
    return get_currency_precision(currency)


def decimal_amount(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-minor_digits(currency))


def format_amount(minor: int, currency: str, locale: str = DEFAULT_LOCALE) -> str:
    """`123456, "USD"` → `$1,234.56`, in German `1.234,56 $`. With plain spaces: a reply writes no others."""
    return format_currency(decimal_amount(minor, currency), currency, locale=locale).replace(
        "\N{NO-BREAK SPACE}", " "
    )


def parse_minor(figure: str | int | float, currency: str) -> int:
    """A figure with a decimal point to minor units, exactly. Raises ValueError for anything else, or a broken cent."""
    try:
        # A float from JSON is read by its shortest decimal writing: 50.88 is 5088 cents, not 5087.999.
        value = Decimal(str(figure).strip()).scaleb(minor_digits(currency))
    except InvalidOperation:
        raise ValueError(f"{figure!r} is not an amount") from None
    if not value.is_finite() or value != value.to_integral_value():
        raise ValueError(f"{figure!r} is not an amount in {currency}")
    return int(value)


@lru_cache(maxsize=10_000)  # a shop has few prices, and an export names each many times
def figure_readings(text: str) -> dict[DecimalMark, Decimal]:
    """What the figure is with a decimal comma and with a decimal point; empty where it is no figure."""
    found = {}
    for mark, pattern in _PATTERNS.items():
        match = pattern.fullmatch(text.strip())
        if match and (match["whole"] or match["part"]):
            whole = re.sub("[^0-9]", "", match["whole"] or "0")
            found[mark] = Decimal(f"{whole}.{match['part'] or '0'}")
    return found


def minor_readings(text: str, currency: str) -> set[int]:
    """The amounts that somebody can mean by a figure: "1,299" is a thousand, or one and a bit."""
    scaled = {value.scaleb(minor_digits(currency)) for value in figure_readings(text).values()}
    return {int(value) for value in scaled if value == value.to_integral_value()}
