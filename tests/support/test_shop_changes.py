"""What the shop tells of its variants and orders, by import or HTTP: nothing comes of it that was not told."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from apps.support.errors import ConflictError, DatabaseNotReadyError, ImportFileError
from apps.support.shop.changes import change_order, change_variant
from apps.support.shop.database import Database
from apps.support.shop.importing import ImportOptions, import_file
from apps.support.shop.models import AuditEntry, Order, OrderStatus, ShipmentStatus, Variant
from apps.support.shop.money import minor_readings, parse_minor
from apps.support.shop.telling import tell_of_variant
from tests.support.conftest import OpenChat
from tests.support.small_shop import Chat


@pytest.fixture
def shop(chat: OpenChat) -> Chat:
    return chat()


def updated(shop: Chat, folder: Path, content: str) -> None:
    (folder / "table.csv").write_text(content)
    import_file(shop.database, folder / "table.csv", ImportOptions(update=True))


def variant_of(shop: Chat, sku: str) -> Variant:
    with shop.database.read() as session:
        return session.scalars(select(Variant).where(Variant.sku == sku)).one()


def test_a_currency_without_a_price_is_refused(shop: Chat, tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="line 2: variant Mug-0 costs USD, not EUR"):
        updated(shop, tmp_path, "sku,currency\nMug-0,EUR\n")
    with pytest.raises(ConflictError, match="say its price"):
        change_variant(variant_of(shop, "Mug-0"), {"currency": "EUR"})
    updated(shop, tmp_path, "sku,currency\nMug-0,USD\n")
    updated(shop, tmp_path, "sku,currency,price\nMug-0,EUR,7.50\n")
    assert (variant_of(shop, "Mug-0").currency, variant_of(shop, "Mug-0").price) == ("EUR", 750)


def test_an_order_keeps_its_currency(shop: Chat, tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="order 1007 was paid in USD, not in EUR"):
        updated(shop, tmp_path, "order_number,currency\n1007,EUR\n")


def test_a_withdrawn_variant_stays_off_sale_whatever_its_stock(shop: Chat, tmp_path: Path) -> None:
    updated(shop, tmp_path, "sku,available\nMug-2,no\n")
    for stock in (0, 40):
        updated(shop, tmp_path, f"sku,stock\nMug-2,{stock}\n")
        assert (variant_of(shop, "Mug-2").available, variant_of(shop, "Mug-2").stock) == (False, stock)
    assert "green" not in shop("swap c").reply
    updated(shop, tmp_path, "sku,available\nMug-2,yes\n")
    assert "green" in shop("no; swap c").reply


def test_what_is_sold_out_comes_back_with_its_stock(shop: Chat, tmp_path: Path) -> None:
    updated(shop, tmp_path, "sku,stock\nMug-2,0\n")
    assert "green" not in shop("swap c").reply
    updated(shop, tmp_path, "sku,stock\nMug-2,2\n")
    assert "green" in shop("no; swap c").reply


def test_a_cancelled_order_puts_nothing_withdrawn_on_sale(shop: Chat, tmp_path: Path) -> None:
    updated(shop, tmp_path, "sku,available\nMug-0,no\n")
    shop("cancel Q", "yes")
    assert (variant_of(shop, "Mug-0").available, variant_of(shop, "Mug-0").stock) == (False, 10)


def test_an_order_that_is_taken_back_keeps_neither_reason_nor_day(shop: Chat) -> None:
    shop("cancel Q", "yes")
    with shop.database.write() as session:
        orders = {order.number: order for order in session.scalars(select(Order))}
        assert orders["1007"].cancel_reason
        change_order(orders["1007"], OrderStatus.PENDING)
        changed = change_order(orders["1001"], OrderStatus.SHIPPED)
        parcel = orders["1001"].shipments[0]
        assert (orders["1007"].cancelled_at, orders["1007"].cancel_reason) == (None, None)
        assert (parcel.status, parcel.delivered_on) == (ShipmentStatus.IN_TRANSIT, None)
        assert changed["551001.delivered_on"][1] is None


def test_a_delivered_order_that_is_cancelled_keeps_its_day(shop: Chat) -> None:
    with shop.database.write() as session:
        order = session.scalars(select(Order).where(Order.number == "1001")).one()
        before = order.shipments[0].delivered_on
        change_order(order, OrderStatus.CANCELLED)
        assert isinstance(before, date)
        assert order.shipments[0].delivered_on == before


def test_two_rows_that_are_alike_are_refused(shop: Chat, tmp_path: Path) -> None:
    header = "order_number,email,status,sku,quantity,unit_price,currency\n"
    row = "3001,zoe@example.com,pending,Mug-0,1,8.00,USD\n"
    with pytest.raises(ImportFileError, match=r"line 4: is the same as line 2: .*quantity"):
        updated(shop, tmp_path, header + row + row.replace("Mug-0", "Mug-1") + row)
    updated(shop, tmp_path, header + row + row.replace("8.00", "7.00"))
    with shop.database.read() as session:
        assert session.scalars(select(Order).where(Order.number == "3001")).one().total == 1500


def test_a_database_that_fails_is_named_and_nothing_written(empty_database: Database, tmp_path: Path) -> None:
    with empty_database.engine.begin() as connection:
        connection.exec_driver_sql("drop table return_items")
        connection.exec_driver_sql("drop table order_items")
        connection.exec_driver_sql("drop table variants")
    (tmp_path / "table.csv").write_text("sku,product,price,currency\nM-1,Mug,8.10,EUR\n")
    with pytest.raises(DatabaseNotReadyError, match=r"nothing was imported: .*variants"):
        import_file(empty_database, tmp_path / "table.csv")


def test_a_told_price_is_answered_as_it_is_told(shop: Chat) -> None:
    with shop.database.write() as session:
        answer = tell_of_variant(
            session, "Mug-0", price=Decimal("129.90"), stock=None, available=None, teller="shop"
        )
    assert (answer["before"]["price"], answer["after"]["price"]) == ("8.00", "129.90")
    with shop.database.read() as session:
        assert session.scalars(select(AuditEntry)).one().after["price"] == 12990


@pytest.mark.parametrize("figure", ["129,90", "1,299.00", "", "12.345", "nan", "free"])
def test_only_a_decimal_point_is_read_where_no_file_tells(figure: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        parse_minor(figure, "EUR")


@pytest.mark.parametrize(
    ("figure", "minor"),
    [
        ("129,90", {12990}),
        ("1.299,00", {129900}),
        ("1,299", {129900}),
        ("8", {800}),
        ("12.345", {1234500}),
        ("x", set()),
    ],
)
def test_a_customers_figure_is_read_with_either_mark(figure: str, minor: set[int]) -> None:
    assert minor_readings(figure, "EUR") == minor
