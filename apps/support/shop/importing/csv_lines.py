"""The rows of the three CSV layouts, checked cell by cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
)

from apps.support.errors import ImportFileError
from apps.support.shop.changes import AddressChange
from apps.support.shop.importing.figures import Figures, known_currency
from apps.support.shop.importing.moments import Moments
from apps.support.shop.importing.states import OrderStates
from apps.support.shop.models import OrderStatus

MOST_COUNT = 2**31 - 1
_NUMBER = re.compile(r"#?\s*([A-Za-z0-9][A-Za-z0-9_-]{0,31})", re.ASCII)
_EMAIL = re.compile(r"[^@\s<>:;,]+@[^@\s<>:;,]+")
_LANGUAGE = re.compile(r"([a-z]{2})(?:[-_][a-z0-9]{2,8})*", re.ASCII)
_TRUTH = dict.fromkeys(("true", "yes", "y", "on", "1", "t"), True) | dict.fromkeys(
    ("false", "no", "n", "off", "0", "f"), False
)


@dataclass(frozen=True)
class Reading:
    """How the file's figures, dates and states are to be read."""

    figures: Figures
    moments: Moments
    states: OrderStates


def _price(text: str, info: ValidationInfo) -> int:
    currency = info.data.get("currency")
    if currency is None:
        raise ValueError("needs a currency in its row")
    return _reading(info).figures.minor(text, currency)


def _currency(code: str) -> str:
    if not known_currency(code):
        raise ValueError(f"{code!r} is no currency's code (ISO 4217), as USD or EUR")
    return code


def _number(text: str) -> str:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no order number: up to 32 letters, digits, '-' and '_'")
    return match[1]


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError(f"{text!r} is no e-mail address: write it alone, as anna@example.com")
    return text


def _language(text: str) -> str:
    """`de`, and of `de-DE` the language."""
    match = _LANGUAGE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no language's code (ISO 639), as en or de")
    return match[1]


def _truth(text: str) -> bool:
    found = _TRUTH.get(text.strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is neither true nor false: write yes or no")
    return found


def _reading(info: ValidationInfo) -> Reading:
    reading: Reading = info.context  # type: ignore[assignment]
    return reading


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
LongText = Annotated[str, StringConstraints(strip_whitespace=True)]
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=255), AfterValidator(_email)
]
CurrencyCode = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, max_length=8), AfterValidator(_currency)
]
Amount = Annotated[int, BeforeValidator(_price)]
Moment = Annotated[
    datetime, BeforeValidator(lambda text, info: _reading(info).moments.moment(text).astimezone(UTC))
]
Day = Annotated[date, BeforeValidator(lambda text, info: _reading(info).moments.day(text))]
State = Annotated[OrderStatus, BeforeValidator(lambda text, info: _reading(info).states.status(text))]
Count = Annotated[
    int, BeforeValidator(lambda text, info: _reading(info).figures.count(text)), Field(le=MOST_COUNT)
]
Truth = Annotated[bool, BeforeValidator(_truth)]
Postcode = Annotated[str, StringConstraints(strip_whitespace=True, max_length=32)]
Country = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)]


class Line(BaseModel):
    """One row. Only its key is needed to change what is there; what is new needs `NEEDED`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    KEY: ClassVar[str]
    NEEDED: ClassVar[tuple[str, ...]]
    FIGURE: ClassVar[str | None] = None
    DATES: ClassVar[tuple[str, ...]] = ()

    def require(self, row: str) -> None:
        """Raise ImportFileError where a cell is empty that something new needs."""
        for field in self.NEEDED:
            if getattr(self, field) is None:
                raise ImportFileError("is missing, and needed", row=row, field=field)


class _AddressLine(Line):
    line1: Text | None = None
    line2: Text | None = None
    city: Text | None = None
    region: Text | None = None
    postcode: Postcode | None = None
    country: Country | None = None

    @property
    def address(self) -> AddressChange:
        return AddressChange(**{name: getattr(self, name) for name in AddressChange.model_fields})


class CustomerLine(_AddressLine):
    KEY = "email"
    NEEDED = ("email", "name", "postcode")

    email: Email
    name: Text | None = None
    phone: Text | None = None
    language: (
        Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True), AfterValidator(_language)]
        | None
    ) = None
    newsletter: Truth | None = None


class ProductLine(Line):
    KEY = "sku"
    NEEDED = ("sku", "product", "price", "currency")
    FIGURE = "price"

    sku: Text
    product: Text | None = None
    currency: CurrencyCode | None = None
    price: Amount | None = None
    product_zh: Text | None = None
    category: Text | None = None
    description: LongText | None = None
    stock: Count | None = Field(default=None, ge=-MOST_COUNT)  # below 0: more was sold than there was
    available: Truth | None = None
    warranty_months: Annotated[Count, Field(ge=0)] | None = None


class OrderLine(_AddressLine):
    KEY = "order_number"
    NEEDED = ("order_number", "email", "status", "sku", "quantity", "unit_price", "currency")
    FIGURE = "unit_price"
    DATES = ("placed_at", "shipped_on", "expected_on", "delivered_on")

    order_number: Annotated[
        str, StringConstraints(strip_whitespace=True, to_upper=True), AfterValidator(_number)
    ]
    email: Email | None = None
    status: State | None = None
    sku: Text | None = None
    quantity: Annotated[Count, Field(gt=0)] | None = None
    currency: CurrencyCode | None = None
    unit_price: Amount | None = None
    placed_at: Moment | None = None
    carrier: Text | None = None
    tracking_number: Text | None = None
    shipped_on: Day | None = None
    expected_on: Day | None = None
    delivered_on: Day | None = None


LAYOUTS: tuple[type[Line], ...] = (OrderLine, ProductLine, CustomerLine)
L = TypeVar("L", bound=Line)


def layout_of(columns: tuple[str, ...], separator: str, row: str, *, update: bool) -> type[Line]:
    """Whose rows these are, by the header. An update needs the key only. Raises ImportFileError."""
    for layout in LAYOUTS:
        if set(layout.NEEDED) <= set(columns):
            return layout
    if update:
        for layout in LAYOUTS:
            if layout.KEY in columns:
                return layout
    wanted = "; ".join(
        f"{layout.__name__.removesuffix('Line').lower()}s: {', '.join(layout.NEEDED)}" for layout in LAYOUTS
    )
    found = f"the header, {len(columns)} cells separated by {separator}, fits no table"
    raise ImportFileError(f"{found}. Columns needed — {wanted}", row=row)


def parse_line(layout: type[L], row: Mapping[str, str], place: str, reading: Reading) -> L:
    """Raises ImportFileError naming the field."""
    try:
        return layout.model_validate(row, context=reading)
    except ValidationError as error:
        raise ImportFileError(*_problem(error.errors()[0]), row=place, field=_field(error)) from error


def _field(error: ValidationError) -> str:
    return ".".join(map(str, error.errors()[0]["loc"]))


def _problem(problem: Any) -> tuple[str]:
    if problem["type"] == "missing":
        return ("is missing, and needed",)
    own = problem.get("ctx", {}).get("error")
    return (str(own) if isinstance(own, ValueError) else problem["msg"],)
