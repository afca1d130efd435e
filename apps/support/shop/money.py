"""Amounts: integers in the smallest unit, and how people write them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥", "JPY": "¥"}
_NO_MINOR_UNIT = frozenset({"JPY", "KRW"})


def minor_digits(currency: str) -> int:
    """Digits after the decimal point (ISO 4217)."""
    return 0 if currency in _NO_MINOR_UNIT else 2


def format_amount(minor: int, currency: str) -> str:
    """`123456, "USD"` → `$1,234.56`; a currency without a symbol stands behind the figure."""
    digits = minor_digits(currency)
    figure = f"{Decimal(abs(minor)).scaleb(-digits):,.{digits}f}"
    sign = "-" if minor < 0 else ""
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{figure}" if symbol else f"{sign}{figure} {currency}"


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
