"""Amounts, dates and states of orders as other shops and countries write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from apps.support.errors import ImportFileError
from apps.support.shop.importing.figures import DecimalMark, Figures
from apps.support.shop.importing.moments import DateOrder, Moments
from apps.support.shop.importing.states import order_states
from apps.support.shop.models import OrderStatus


def minors(currency: str, *figures: str, decimal: DecimalMark | None = None) -> list[int]:
    """The figures of one column, in the currency's smallest unit."""
    reader = Figures(decimal)
    for line, figure in enumerate(figures, start=2):
        reader.learn(figure, currency, f"line {line}", "price")
    return [reader.minor(figure, currency) for figure in figures]


@pytest.mark.parametrize(
    ("currency", "figure", "minor"),
    [
        ("EUR", "129,90", 12990),
        ("EUR", "0,99", 99),
        ("EUR", "12,9", 1290),
        ("EUR", ",5", 50),
        ("EUR", "1.299,00", 129_900),
        ("EUR", "1 299,00", 129_900),
        ("EUR", "1\u202f299,00", 129_900),
        ("CHF", "1'299.00", 129_900),
        ("USD", "1,299.00", 129_900),
        ("USD", "1,234,567", 123_456_700),
        ("INR", "1,29,900.00", 12_990_000),
        ("USD", "8.1", 810),
        ("USD", "9", 900),
        ("JPY", "1,299", 1299),
        ("JPY", "1299", 1299),
        ("VND", "250000", 250_000),
        ("VND", "250.000", 250_000),
        ("KWD", "1.234", 1234),
        ("KWD", "1.000", 1000),
        ("KWD", "1.234,500", 1_234_500),
    ],
)
def test_an_amount_is_read_as_its_country_writes_it(currency: str, figure: str, minor: int) -> None:
    assert minors(currency, figure) == [minor]


@pytest.mark.parametrize(
    "figure",
    ["", "1e3", "1,2,3", "12.34.56", "١٢٫٥", "12 90", "-5", "NaN", "£5", "5 EURO", "1.2345,6.7", "1,,5"],
)
def test_what_is_no_amount_is_refused(figure: str) -> None:
    with pytest.raises(ValueError):
        Figures().minor(figure, "EUR")


@pytest.mark.parametrize("figure", ["1,299", "1.299"])
def test_a_figure_that_may_be_a_thousand_or_a_fraction_is_refused_until_the_file_tells(figure: str) -> None:
    with pytest.raises(ValueError, match="--decimal"):
        minors("USD", figure)


def test_the_other_figures_of_the_column_decide() -> None:
    assert minors("USD", "1,299", "8.10") == [129_900, 810]
    assert minors("EUR", "1.299", "8,10") == [129_900, 810]
    with pytest.raises(ValueError, match="2 decimals"):
        minors("EUR", "1.005", "8.10")


def test_the_decimal_mark_can_be_said() -> None:
    assert minors("USD", "1,299", decimal=DecimalMark.POINT) == [129_900]
    with pytest.raises(ValueError, match="decimals"):
        minors("USD", "1,299", decimal=DecimalMark.COMMA)
    with pytest.raises(ValueError, match="decimal point"):
        minors("EUR", "129,90", decimal=DecimalMark.POINT)


def test_figures_that_contradict_each_other_are_named_with_their_lines() -> None:
    with pytest.raises(ImportFileError, match=r"line 3.*129,90.*8\.10.*line 2"):
        minors("EUR", "8.10", "129,90")


def test_a_broken_cent_is_no_amount() -> None:
    with pytest.raises(ValueError, match="decimals"):
        minors("EUR", "8.125", "1.50")
    with pytest.raises(ValueError, match="decimals"):
        minors("JPY", "8.5")


def moment(text: str, *others: str, order: DateOrder | None = None) -> datetime:
    reader = Moments(order)
    for line, written in enumerate((text, *others), start=2):
        reader.learn(written, f"line {line}", "placed_at")
    return reader.moment(text)


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01 10:00:00 +0200",
        "2024-05-01T08:00:00Z",
        "2024-05-01T10:00:00.123+02:00",
        "2024-05-01 08:00",
        "2024/05/01 08:00:00 UTC",
        "01.05.2024 08:00",
        "1.5.2024, 08:00:00",
    ],
)
def test_a_moment_is_read_as_shops_write_it(text: str) -> None:
    assert moment(text) == datetime(2024, 5, 1, 8, 0, tzinfo=UTC)


def test_strokes_are_read_as_another_date_of_the_file_tells() -> None:
    assert moment("05/01/2024", "31/01/2024").month == 1
    assert moment("05/01/2024", "01/31/2024").month == 5
    assert moment("05/01/2024 01:30 PM", order=DateOrder.MONTH_FIRST) == datetime(
        2024, 5, 1, 13, 30, tzinfo=UTC
    )
    assert moment("05/05/2024").day == 5
    assert moment("31.01.2024", order=DateOrder.MONTH_FIRST).day == 31
    with pytest.raises(ValueError, match="month first"):
        moment("31/01/2024", order=DateOrder.MONTH_FIRST)
    with pytest.raises(ValueError, match=r"5 January or 1 May.*--day-first or --month-first"):
        moment("05/01/2024")
    with pytest.raises(ImportFileError, match="line 3"):
        moment("31/01/2024", "01/31/2024")


def test_a_moment_keeps_its_zone_for_the_day() -> None:
    assert moment("2024-05-01 00:30:00 +0200").utcoffset() == timedelta(hours=2)
    assert Moments().day("2024-05-01 00:30:00 +0200").day == 1


@pytest.mark.parametrize(
    "text", ["45413", "1714557600", "2024-02-30", "31.31.2024", "yesterday", "01.05.24", "2024-05-01 25:00"]
)
def test_what_is_no_date_is_refused_with_what_would_be_one(text: str) -> None:
    with pytest.raises(ValueError, match="2024-05-31"):
        moment(text)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Fulfilled", OrderStatus.SHIPPED),
        ("wc-processing", OrderStatus.PROCESSED),
        ("On-Hold", OrderStatus.PENDING),
        (" Completed ", OrderStatus.DELIVERED),
        ("CANCELED", OrderStatus.CANCELLED),
    ],
)
def test_the_states_of_known_shops_are_understood(word: str, status: OrderStatus) -> None:
    assert order_states().status(word) is status


def test_an_unknown_state_is_refused_with_the_known_ones_and_a_shop_can_add_its_own(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"fulfilled.*--states"):
        order_states().status("Versandt")
    own = tmp_path / "states.json"
    own.write_text('{"versandt": "shipped", "Completed": "shipped"}', encoding="utf-8")
    assert order_states(own).status("VERSANDT") is OrderStatus.SHIPPED
    assert order_states(own).status("completed") is OrderStatus.SHIPPED
    own.write_text('{"versandt": "gone"}', encoding="utf-8")
    with pytest.raises(ImportFileError, match="gone"):
        order_states(own)
