"""`duet db import` with files as spreadsheets and shops write them; updates, dry runs, kills, deletions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from apps.support.conversations import records, tickets
from apps.support.errors import ConflictError, ImportFileError, NotFoundError
from apps.support.playbooks.options import can_have
from apps.support.shop.database import Database
from apps.support.shop.deleting import delete_row
from apps.support.shop.importing import ImportOptions, ImportReport, finish_interrupted, import_file
from apps.support.shop.importing.scratch import Scratch
from apps.support.shop.models import (
    Customer,
    ImportBatch,
    ImportRun,
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    Product,
    ShipmentStatus,
    Variant,
)
from evaluation.support.import_speed import write_shop

CUSTOMERS = "email,name,line1,city,postcode,country\nzoe@example.com,Zoë,1 High St,Bath,BA1 1AA,UK\n"
PRODUCTS = "sku,product,price,currency,stock\nM-1,Mug,8.10,EUR,3\nM-2,Mug,9.00,EUR,1\n"
ORDERS = (
    "order_number,email,status,sku,quantity,unit_price,currency,tracking_number,placed_at\n"
    "1001,zoe@example.com,pending,M-1,2,8.10,EUR,,2024-05-01\n"
    "1002,zoe@example.com,shipped,M-2,1,9.00,EUR,77,2024-05-02\n"
    "1001,zoe@example.com,pending,M-2,1,9.00,EUR,,2024-05-01\n"
)


def imported(
    database: Database, folder: Path, content: str | bytes, *, name: str = "table.csv", **options: Any
) -> ImportReport:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_file(database, file, ImportOptions(**options))


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/shop.db")
    database.upgrade()
    return database


@pytest.fixture
def shop(empty_database: Database, tmp_path: Path) -> Database:
    for table in (CUSTOMERS, PRODUCTS, ORDERS):
        imported(empty_database, tmp_path, table)
    return empty_database


def prices(database: Database) -> dict[str, int]:
    with database.read() as session:
        rows = session.execute(select(Variant.sku, Variant.price)).all()
        return {row.sku: row.price for row in rows}


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize(
    "content",
    [
        'sku,product,price,currency\nT-1,Zeltgröße,"129,90",EUR\n'.encode(),
        "sku;product;price;currency\nT-1;Zeltgröße;129,90;EUR\n".encode(),
        "sku\tproduct\tprice\tcurrency\nT-1\tZeltgröße\t129,90\tEUR\n".encode(),
        "sep=;\r\nsku;product;price;currency\r\nT-1;Zeltgröße;129,90;EUR\r\n".encode(),
        " SKU ; Product ;PRICE;Currency\nT-1;Zeltgröße;129,90;eur\n;;;\n\n".encode(),
        "sku;product;price;currency\nT-1;Zeltgröße;129,90;EUR\n".encode("utf-16"),
        "\ufeffsku;product;price;currency\nT-1;Zeltgröße;129,90;EUR\n".encode(),
        "sku;product;price;currency\nT-1;Zeltgröße;129,90;EUR\n".encode("utf-32"),
    ],
)
def test_a_table_is_read_as_spreadsheets_write_it(sqlite: Database, tmp_path: Path, content: bytes) -> None:
    imported(sqlite, tmp_path, content)
    assert prices(sqlite) == {"T-1": 12990}
    with sqlite.read() as session:
        assert session.scalar(select(Product.name)) == "Zeltgröße"


def test_another_encoding_is_refused_with_its_line_and_can_be_said(sqlite: Database, tmp_path: Path) -> None:
    content = "sku;product;price;currency\nT-0;Zelt;9,90;EUR\nT-1;Größe;129,90;EUR\n".encode("cp1252")
    with pytest.raises(ImportFileError, match=r"line 3: .*--encoding cp1252"):
        imported(sqlite, tmp_path, content)
    imported(sqlite, tmp_path, content, encoding="cp1252")
    assert prices(sqlite)["T-1"] == 12990


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a;b\n1;2\n", r"line 1: .*separated by ';'.*products: sku, product, price, currency"),
        ("sku,product,price,currency\nT-1,A,9.90\n", r"line 2: has 3 cells, the header 4"),
        ("sku,product,price,currency,SKU\nT-1,A,9.90,EUR,x\n", r"line 1: .*'sku' stands twice"),
        ('sku,product,price,currency\nT-1,"A\nB",9.90,EUR\nT-2,C,free,EUR\n', r"line 4, field 'price'"),
        ('sku,product,price,currency\nT-1,"A",9.90,EUR\nT-2,"C,9,EUR\n', r"line 3: not CSV"),
        ("sku,product,price,currency\nT-1,A,9.90,EURO\n", r"line 2, field 'currency': 'EURO'"),
        ("sku,product,price,currency\nT-1,A,-9.90,EUR\n", r"line 2, field 'price'"),
        ("sku,product,price,currency\nT-1,A,,EUR\n", r"line 2, field 'price': is missing"),
        ("sku,product,price,currency\nT-1,A,9.90,EUR\nT-1,A,9.90,EUR\n", r"line 3.*stands twice"),
        ("sku,product,price,currency\nT-1," + "x" * 300 + ",9.90,EUR\n", r"line 2, field 'product'"),
        ("sku,product,price,currency\nT-1,A\0B,9.90,EUR\n", "line 2: a cell holds a NUL"),
        ("sku,product,price,currency\nT-1,A,$9.90,EUR\n", "line 2, field 'price'.*write the figure alone"),
        (
            "sku,product,price,currency,stock\nT-1,A,9.90,EUR,3.5\n",
            "line 2, field 'stock': '3.5' is not a whole",
        ),
        (
            "sku,product,price,currency,stock\nT-1,A,9.90,EUR,in stock\n",
            "field 'stock': 'in stock' is not a whole",
        ),
        ("sku,product,price,currency,available\nT-1,A,9.90,EUR,ja\n", "field 'available': .*write yes or no"),
        (
            "email,name,postcode\nZoe <zoe@example.com>,Zoe,BA1 1AA\n",
            "line 2, field 'email': .*write it alone",
        ),
        ("email,name,postcode,language\nz@example.com,Zoe,BA1,German\n", "field 'language': .*as en or de"),
        ("PK\x03\x04workbook", "is an Excel workbook or another zip archive: save the table as 'CSV UTF-8'"),
        ("", "line 1: the file is empty"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(
    sqlite: Database, tmp_path: Path, content: str, says: str
) -> None:
    with pytest.raises(ImportFileError, match=says):
        imported(sqlite, tmp_path, content)
    assert prices(sqlite) == {}
    assert count(sqlite, ImportRun) == 0


@pytest.mark.parametrize(
    ("price", "stock", "currency", "minor", "count"),
    [
        ("€12,50", "1.000", "EUR", 1250, 1000),
        ("12.50 EUR", "1,000", "EUR", 1250, 1000),
        ("12,50 €", "3", "EUR", 1250, 3),
        ("$1,299.00", "3.0000", "USD", 129900, 3),
        ("US$1,299.00", "-2", "USD", 129900, -2),
        ("¥250", "1.0", "CNY", 25000, 1),
    ],
)
def test_figures_are_read_with_their_sign_and_counts_with_the_decimal_mark_of_the_file(
    sqlite: Database, tmp_path: Path, price: str, stock: str, currency: str, minor: int, count: int
) -> None:
    imported(sqlite, tmp_path, f'sku,product,price,currency,stock\nT-1,A,"{price}",{currency},"{stock}"\n')
    with sqlite.read() as session:
        row = session.execute(select(Variant.price, Variant.stock)).one()
    assert tuple(row) == (minor, count)


def test_a_count_that_may_be_a_thousand_is_asked_about(sqlite: Database, tmp_path: Path) -> None:
    content = "sku,product,price,currency,stock\nT-1,A,12,EUR,1.000\n"
    with pytest.raises(ImportFileError, match=r"may mean 1000.0 or 1\.000.*--decimal"):
        imported(sqlite, tmp_path, content)


def test_unseen_characters_around_a_cell_are_not_kept(sqlite: Database, tmp_path: Path) -> None:
    imported(sqlite, tmp_path, "\u200bemail,name,postcode,language\nzoe@example.com\u200b,Zoë,BA1,de-DE\n")
    with sqlite.read() as session:
        assert session.execute(select(Customer.email, Customer.language)).one() == ("zoe@example.com", "de")


@pytest.mark.parametrize("number", ["7", "#42", "# 1001", "ORD_2024_1", "xkbknabjk"])
def test_the_numbers_of_other_shops_are_taken(shop: Database, tmp_path: Path, number: str) -> None:
    imported(
        shop,
        tmp_path,
        ORDERS.splitlines()[0] + f"\n{number},zoe@example.com,new,M-1,1,8.10,EUR,,\n",
        update=True,
    )
    with shop.read() as session:
        assert session.scalar(select(Order.id).where(Order.number == number.lstrip("# ").upper()))


@pytest.mark.parametrize("number", ["1.12E+14", "1001.0", '"=""1001"""', "", "-", "a b"])
def test_a_number_that_a_spreadsheet_damaged_is_refused(shop: Database, tmp_path: Path, number: str) -> None:
    with pytest.raises(ImportFileError, match="line 2, field 'order_number'"):
        imported(
            shop, tmp_path, ORDERS.splitlines()[0] + f"\n{number},zoe@example.com,new,M-1,1,8.10,EUR,,\n"
        )


def test_what_is_the_same_in_all_of_an_order_may_stand_in_its_first_row_alone(
    shop: Database, tmp_path: Path
) -> None:
    rows = "order-number;email;status;sku;quantity;unit-price;currency\n"
    rows += "2001;zoe@example.com;pending;M-1;1;8,10;EUR\n2001;;;M-2;2;9,00;\n"
    imported(shop, tmp_path, rows, name="orders.tsv")
    with shop.read() as session:
        assert session.scalar(select(Order.total).where(Order.number == "2001")) == 2610


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-05-01T10:00:00+02", "2024-05-01T08:00:00+00:00"),
        ("5/31/2024 1:05\u202fPM", "2024-05-31T13:05:00+00:00"),
        ("5/31/2024, 1:05 p.m.", "2024-05-31T13:05:00+00:00"),
        ("0000-00-00 00:00:00", None),
    ],
)
def test_dates_are_read_as_programs_write_them(
    shop: Database, tmp_path: Path, written: str, meant: str | None
) -> None:
    header = "order_number,email,status,sku,quantity,unit_price,currency,placed_at\n"
    imported(shop, tmp_path, header + f'2001,zoe@example.com,new,M-1,1,8.10,EUR,"{written}"\n')
    with shop.read() as session:
        placed = session.scalars(select(Order.placed_at).where(Order.number == "2001")).one()
    assert (placed.isoformat() if placed else None) == meant


def test_a_long_cell_with_line_breaks_is_kept(sqlite: Database, tmp_path: Path) -> None:
    text = "a long story\n" * 15_000
    imported(sqlite, tmp_path, f'sku,product,price,currency,description\nT-1,A,9.90,EUR,"{text}"\n')
    with sqlite.read() as session:
        assert session.scalar(select(Product.description)) == text.strip()


def test_a_shop_that_sold_too_much_can_be_imported(sqlite: Database, tmp_path: Path) -> None:
    imported(sqlite, tmp_path, PRODUCTS.replace(",3\n", ",-3\n"))
    with sqlite.read() as session:
        variant = session.scalars(select(Variant).where(Variant.sku == "M-1")).one()
        assert (variant.stock, can_have(variant)) == (-3, False)


def test_rows_of_an_order_may_stand_apart(shop: Database) -> None:
    with shop.read() as session:
        orders = {order.number: order for order in session.scalars(select(Order))}
        assert [item.variant.sku for item in orders["1001"].items] == ["M-1", "M-2"]
        assert (orders["1001"].total, orders["1001"].payments[0].amount) == (2520, 2520)
        assert orders["1001"].address.city == "Bath"
        assert orders["1002"].shipments[0].status is ShipmentStatus.IN_TRANSIT
        assert orders["1002"].items[0].shipment is orders["1002"].shipments[0]


def test_an_update_changes_what_is_told_and_counts(shop: Database, tmp_path: Path) -> None:
    changes = (
        ORDERS.replace("1001,zoe@example.com,pending", "1001,zoe@example.com,Fulfilled")
        .replace("EUR,,", "EUR,88,")
        .replace("1002,", "1003,")
    )
    with pytest.raises(ImportFileError, match=r"line 2.*1001 is there already.*--update"):
        imported(shop, tmp_path, changes)
    report = imported(shop, tmp_path, changes, update=True)
    assert (report.orders.new, report.orders.changed, report.orders.unchanged) == (1, 1, 0)
    with shop.read() as session:
        order = session.scalars(select(Order).where(Order.number == "1001")).one()
        assert (order.status, order.shipments[0].tracking_number) == (OrderStatus.SHIPPED, "88")
        assert order.shipments[0].status is ShipmentStatus.IN_TRANSIT
        assert len(order.items) == 2
    again = imported(shop, tmp_path, changes, update=True)
    assert (again.orders.new, again.orders.changed, again.orders.unchanged) == (0, 0, 2)


def test_an_update_needs_only_the_key_and_what_changes(shop: Database, tmp_path: Path) -> None:
    report = imported(shop, tmp_path, "sku;stock\nM-1;0\nM-2;1\n", update=True)
    assert (report.variants.changed, report.variants.unchanged) == (1, 1)
    with shop.read() as session:
        variant = session.scalars(select(Variant).where(Variant.sku == "M-1")).one()
        assert (variant.stock, can_have(variant), variant.price) == (0, False, 810)
    imported(shop, tmp_path, "sku;stock;price;currency\nM-1;4;7,95;EUR\n", update=True)
    assert prices(shop)["M-1"] == 795
    imported(shop, tmp_path, "order_number,status,delivered_on\n1002,delivered,04.05.2024\n", update=True)
    imported(shop, tmp_path, "email,phone\nzoe@example.com,030 1234\n", update=True)
    with shop.read() as session:
        order = session.scalars(select(Order).where(Order.number == "1002")).one()
        parcel = order.shipments[0]
        assert (parcel.status, parcel.delivered_on) == (ShipmentStatus.DELIVERED, date(2024, 5, 4))
        assert (order.customer.phone, order.customer.name) == ("030 1234", "Zoë")
    with pytest.raises(ImportFileError, match=r"line 2, field 'product': .*new"):
        imported(shop, tmp_path, "sku,stock\nM-9,1\n", update=True)


def test_a_dry_run_says_what_would_happen_and_writes_nothing(shop: Database, tmp_path: Path) -> None:
    changed = PRODUCTS.replace("8.10", "7.95") + "M-3,Cup,4.00,EUR,2\n"
    report = imported(shop, tmp_path, changed, update=True, dry_run=True)
    assert (report.products, report.variants.new) == (1, 1)
    assert (report.variants.changed, report.variants.unchanged) == (1, 1)
    assert prices(shop) == {"M-1": 810, "M-2": 900}
    with pytest.raises(ImportFileError, match="line 2"):
        imported(shop, tmp_path, changed.replace("7.95", "cheap"), update=True, dry_run=True)


def test_orders_whose_items_differ_are_counted_and_keep_theirs(shop: Database, tmp_path: Path) -> None:
    report = imported(shop, tmp_path, ORDERS.replace("M-1,2,8.10", "M-1,5,8.10"), update=True)
    assert (report.other_items, report.orders.unchanged) == (1, 2)
    with shop.read() as session:
        assert session.scalar(select(Order.total).where(Order.number == "1001")) == 2520


def test_a_second_import_at_the_same_time_is_refused(sqlite: Database, tmp_path: Path) -> None:
    from apps.support.shop.locks import Work, at_once

    with at_once(sqlite, Work.IMPORT), pytest.raises(ConflictError, match="under way"):
        imported(sqlite, tmp_path, PRODUCTS)


@pytest.mark.slow
def test_a_killed_import_is_whole_or_nothing_and_conversations_go_on(
    empty_database: Database, tmp_path: Path
) -> None:
    orders = 1500
    customers, products, file = write_shop(tmp_path, orders)
    import_file(empty_database, customers)
    import_file(empty_database, products)
    url = empty_database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", "from ui.cli import app; app()", "db", "import", str(file)]
    process = subprocess.Popen(command, env={**os.environ, "DUET_DATABASE_URL": url})
    while count(empty_database, Order) == 0 and process.poll() is None:
        with empty_database.write() as session:
            records.open_conversation(session, channel="test", language=None, trusted_email=None)
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if count(empty_database, Order) < orders:
        assert count(empty_database, ImportBatch) > 0
    give_up_at = time.monotonic() + 60
    while count(empty_database, ImportBatch) and time.monotonic() < give_up_at:
        finish_interrupted(empty_database)  # PostgreSQL frees a killed client's lock a moment later
    assert count(empty_database, Order) == orders == count(empty_database, Payment)
    assert count(empty_database, ImportBatch) == 0
    with empty_database.read() as session:
        items = session.scalar(select(func.count(func.distinct(OrderItem.order_id))))
        assert items == orders


def test_an_import_that_was_not_staged_whole_is_dropped(shop: Database) -> None:
    with shop.write() as session:
        run = ImportRun(file="orders.csv", counts={})
        session.add(run)
        session.flush()
        session.add(ImportBatch(run_id=run.id, content="{}"))
    finish_interrupted(shop)
    assert count(shop, ImportBatch) == 0
    assert count(shop, Order) == 2


def test_a_wrong_row_can_be_deleted_unless_others_need_it(shop: Database) -> None:
    with pytest.raises(ConflictError, match="needed by 2 of order items"), shop.write() as session:
        delete_row(session, "variant", "M-2")
    with pytest.raises(ConflictError, match="orders"), shop.write() as session:
        delete_row(session, "customer", "Zoe@example.com")
    with shop.write() as session:
        assert delete_row(session, "order", "#1001") == {"order_items": 2, "payments": 1, "shipments": 0}
    with shop.write() as session:
        delete_row(session, "order", "1002")
    with shop.write() as session:
        delete_row(session, "variant", "M-1")
    assert (count(shop, Order), count(shop, Product)) == (0, 1)
    with shop.write() as session:
        delete_row(session, "variant", "M-2")
        delete_row(session, "customer", "zoe@example.com")
    assert (count(shop, Product), count(shop, Customer)) == (0, 0)
    with pytest.raises(NotFoundError), shop.write() as session:
        delete_row(session, "order", "1001")


def test_an_order_that_a_ticket_speaks_of_is_not_deleted(shop: Database) -> None:
    with shop.write() as session:
        conversation = records.open_conversation(
            session, channel="test", language=None, trusted_email="zoe@example.com"
        )
        state = records.load_state(conversation)
        state.order_id = session.scalars(select(Order.id).where(Order.number == "1001")).one()
        tickets.open_ticket(session, conversation, state, reason="requested", intent=None)
    with pytest.raises(ConflictError, match="1 of tickets"), shop.write() as session:
        delete_row(session, "order", "1001")


def test_rows_that_an_error_left_unread_do_no_harm() -> None:
    scratch = Scratch()
    for number in range(3):
        scratch.keep("1001", number, {"sku": "M"})
    rows = scratch.kept()
    assert next(rows) == ("1001", 0, {"sku": "M"})
    scratch.close()
    rows.close()
