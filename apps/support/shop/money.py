"""Amounts: integers in the smallest unit, and how people write them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from babel.numbers import format_currency, get_currency_precision

DEFAULT_LOCALE = "en"


def minor_digits(currency: str) -> int:
    """Digits after the decimal point: 2 for most, 0 for JPY, 3 for KWD."""
    return get_currency_precision(currency)


def decimal_amount(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-minor_digits(currency))


def format_amount(minor: int, currency: str, locale: str = DEFAULT_LOCALE) -> str:
    """`123456, "USD"` → `$1,234.56`, in German `1.234,56 $`. With plain spaces: a reply writes no others."""
    return format_currency(decimal_amount(minor, currency), currency, locale=locale).replace("\N{NO-BREAK SPACE}", " ")


def parse_minor(figure: str | int | float, currency: str) -> int:
    """A decimal figure to minor units, exactly. Raises ValueError for anything else, or for a broken cent."""
    try:
        # A float from JSON is read by its shortest decimal writing: 50.88 is 5088 cents, not 5087.999.
        value = Decimal(str(figure).strip().replace(",", "")).scaleb(minor_digits(currency))
    except InvalidOperation:
        raise ValueError(f"{figure!r} is not an amount") from None
    if not value.is_finite() or value != value.to_integral_value():
        raise ValueError(f"{figure!r} is not an amount in {currency}")
    return int(value)
