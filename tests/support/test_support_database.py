"""The shop's database: migrations, seed, import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import func, inspect, select, text

from apps.support.errors import DatabaseNotReadyError, ImportFileError
from apps.support.playbooks.options import can_have
from apps.support.shop.database import Database, _alembic_config
from apps.support.shop.handbook import has_handbook, search
from apps.support.shop.importing import import_file
from apps.support.shop.models import (
    Base,
    Customer,
    Order,
    OrderStatus,
    PolicyArticle,
    Product,
    Return,
    Variant,
)
from apps.support.shop.seed import seed
from tests.data import data_file
from tests.support.conftest import ANNA, TODAY, WEI


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_the_migrations_make_the_tables_of_the_models(empty_database: Database) -> None:
    with empty_database.engine.connect() as connection:
        command.check(_alembic_config(connection))
    assert set(Base.metadata.tables) <= set(inspect(empty_database.engine).get_table_names())


def test_upgrading_twice_changes_nothing(empty_database: Database) -> None:
    empty_database.upgrade()
    empty_database.check_ready()


def test_downgrading_removes_every_table(empty_database: Database) -> None:
    with empty_database.engine.connect() as connection, connection.begin():
        command.downgrade(_alembic_config(connection), "base")
    assert inspect(empty_database.engine).get_table_names() == ["alembic_version"]


def test_a_database_without_tables_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(DatabaseNotReadyError, match="duet db upgrade"):
        Database(f"sqlite:///{tmp_path}/new.db").check_ready()


def test_a_database_of_a_newer_version_is_named_and_left_alone(empty_database: Database) -> None:
    with empty_database.engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999_future'"))
    for use in (empty_database.upgrade, empty_database.check_ready):
        with pytest.raises(DatabaseNotReadyError, match=r"9999_future.*newer Duet"):
            use()
    with empty_database.engine.connect() as connection:
        assert connection.scalar(text("select version_num from alembic_version")) == "9999_future"


def test_an_unreachable_database_is_named_without_its_password() -> None:
    database = Database("postgresql://shop:secret@127.0.0.1:9/shop?connect_timeout=1")
    with pytest.raises(DatabaseNotReadyError) as error:
        database.check_ready()
    assert "secret" not in str(error.value)
    assert "127.0.0.1:9" in str(error.value)


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(DatabaseNotReadyError, match="DUET_DATABASE_URL"):
        Database("shop.db")


@pytest.mark.parametrize(
    "url", ["mysql://shop:secret@db/shop", "mongodb://db/shop", "postgresql+asyncpg://db/shop"]
)
def test_a_database_that_is_not_served_is_named_without_its_password(url: str) -> None:
    with pytest.raises(
        DatabaseNotReadyError, match=f"{url.split(':')[0].replace('+', '.')} is not served"
    ) as told:
        Database(url)
    assert "secret" not in str(told.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseNotReadyError, match=r"/file: (File exists|Not a directory); set DUET_HOME"):
        Database(f"sqlite:///{tmp_path}/file/shop.db")


def test_the_seeded_shop_has_both_languages_and_orders_in_every_state(database: Database) -> None:
    with database.read() as session:
        languages = set(session.scalars(select(Customer.language)))
        states = set(session.scalars(select(Order.status)))
        for email in (ANNA, WEI):
            own = select(Order.status).join(Customer).where(Customer.email == email)
            assert set(session.scalars(own)) == set(OrderStatus)
        assert session.scalar(select(func.count()).select_from(Return))
    assert languages == {"en", "zh"}
    assert states == set(OrderStatus)


def test_seeding_again_changes_nothing(database: Database) -> None:
    before = count(database, Order)
    with database.write() as session:
        assert not seed(session, TODAY)
    assert count(database, Order) == before


def test_two_machines_are_seeded_alike(tmp_path: Path) -> None:
    def rows(name: str) -> list[Any]:
        database = Database(f"sqlite:///{tmp_path}/{name}.db")
        database.upgrade()
        with database.write() as session:
            seed(session, TODAY)
        with database.engine.connect() as connection:
            return list(connection.execute(text("select number, total, status, postcode from orders")))

    assert rows("one") == rows("two")


@pytest.mark.parametrize(
    ("question", "language", "citation"),
    [
        ("how long does shipping take?", "en", "Delivery › Delivery times"),
        ("is there a fee for cancelling", "en", "Cancellations › Cancellation fee"),
        ("which payment methods do you accept", "en", "Payment and invoices › Payment methods"),
        ("my kettle caught fire", "en", "Legal and safety › Product safety"),
        ("我想退货", "zh", "退货与换货 › 退货"),
        ("有哪些支付方式", "zh", "支付与发票 › 支付方式"),
        ("怎么注销账户", "zh", "账户 › 注销账户"),
    ],
)
def test_the_handbook_answers_with_the_right_section(
    database: Database, question: str, language: str, citation: str
) -> None:
    with database.read() as session:
        found = search(session, question, language)
    assert citation in [passage.citation for passage in found[:3]]


@pytest.mark.parametrize(
    "question", ["", "   ", "'; drop table policy_sections; --", 'OR NEAR(*) AND "', "🎉"]
)
def test_no_question_breaks_the_search(database: Database, question: str) -> None:
    with database.read() as session:
        search(session, question, "en")
    assert count(database, PolicyArticle)


def shop() -> dict[str, Any]:
    """A tiny shop in tau-retail's layout."""
    address = {
        "address1": "1 High St",
        "address2": "",
        "city": "Bath",
        "state": "",
        "zip": "BA1 1AA",
        "country": "UK",
    }
    return {
        "products": {
            "p1": {
                "product_id": "p1",
                "name": "Mug",
                "variants": {
                    "i1": {"item_id": "i1", "options": {"color": "red"}, "available": True, "price": 8.1}
                },
            }
        },
        "users": {
            "u1": {
                "user_id": "u1",
                "name": {"first_name": "Zoë", "last_name": "O'Neil"},
                "address": address,
                "email": "Zoe@Example.com",
                "payment_methods": {"g1": {"source": "gift_card", "id": "g1", "balance": 51}},
            }
        },
        "orders": {
            "#W1": {
                "order_id": "#W10000001",
                "user_id": "u1",
                "address": address,
                "items": [{"name": "Mug", "item_id": "i1", "price": 8.1, "options": {"color": "red"}}],
                "status": "delivered",
                "fulfillments": [{"tracking_id": ["77"], "item_ids": ["i1"]}],
                "payment_history": [
                    {"transaction_type": "payment", "amount": 8.1, "payment_method_id": "g1"}
                ],
            }
        },
    }


def write_shop(tmp_path: Path, content: dict[str, Any]) -> Path:
    file = tmp_path / "shop.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def test_a_json_export_is_imported_with_everything_in_it(empty_database: Database, tmp_path: Path) -> None:
    report = import_file(empty_database, write_shop(tmp_path, shop()))
    assert (report.products, report.customers.new, report.orders.new) == (1, 1, 1)
    with empty_database.read() as session:
        order = session.scalars(select(Order)).one()
        assert (order.number, order.total, order.currency) == ("W10000001", 810, "USD")
        assert order.customer.email == "zoe@example.com"
        assert order.items[0].shipment is order.shipments[0]
        assert order.payments[0].method.balance == 5100
        assert not has_handbook(session), "another shop's rules are not this one's"


@pytest.mark.parametrize(
    ("path", "value", "row", "field"),
    [
        (("orders", "#W1", "items", 0, "price"), "dear", "orders['#W1']", "items.0.price"),
        (("orders", "#W1", "items", 0, "price"), 8.123, "orders['#W1']", "items.0.price"),
        (("orders", "#W1", "items", 0, "item_id"), "i9", "orders['#W1']", "items.0.item_id"),
        (("orders", "#W1", "user_id"), "nobody", "orders['#W1']", "user_id"),
        (("orders", "#W1", "status"), "eaten", "orders['#W1']", "status"),
        (("users", "u1", "email"), "no address", "users['u1']", "email"),
        (("users", "u1", "name"), None, "users['u1']", "name"),
        (("products", "p1", "variants", "i1", "price"), -1, "products['p1']", "variants.i1.price"),
    ],
)
def test_a_wrong_export_writes_nothing_and_names_row_and_field(
    empty_database: Database, tmp_path: Path, path: tuple[Any, ...], value: object, row: str, field: str
) -> None:
    content = shop()
    place: Any = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ImportFileError) as error:
        import_file(empty_database, write_shop(tmp_path, content))
    assert (error.value.row, error.value.field) == (row, field)
    assert (
        count(empty_database, Customer) == count(empty_database, Product) == count(empty_database, Order) == 0
    )


def test_importing_the_same_file_twice_is_refused(empty_database: Database, tmp_path: Path) -> None:
    file = write_shop(tmp_path, shop())
    import_file(empty_database, file)
    with pytest.raises(ImportFileError, match="already"):
        import_file(empty_database, file)
    assert count(empty_database, Order) == 1


PRODUCTS = "sku,product,price,currency,stock,option:size\nM-1,Mug,8.10,EUR,3,small\nM-2,Mug,9,EUR,0,large\n"
CUSTOMERS = (
    "email,name,line1,city,postcode,country,shoe size\nzoe@example.com,Zoë,1 High St,Bath,BA1 1AA,UK,39\n"
)
ORDERS = (
    "order_number,email,status,sku,quantity,unit_price,currency,tracking_number\n"
    "#A-1001,zoe@example.com,shipped,M-1,2,8.10,EUR,77\n"
    '#A-1001,zoe@example.com,shipped,M-2,1,"1,009.00",EUR,77\n'
)


def import_text(database: Database, tmp_path: Path, content: str) -> list[str]:
    file = tmp_path / "table.csv"
    file.write_text(content, encoding="utf-8")
    return import_file(database, file).ignored_columns


def test_csv_tables_are_told_apart_by_their_header(empty_database: Database, tmp_path: Path) -> None:
    assert import_text(empty_database, tmp_path, PRODUCTS) == []
    assert import_text(empty_database, tmp_path, CUSTOMERS) == ["shoe size"]
    assert import_text(empty_database, tmp_path, ORDERS) == []
    with empty_database.read() as session:
        order = session.scalars(select(Order)).one()
        assert (order.number, order.total, order.currency) == ("A-1001", 1620 + 100_900, "EUR")
        assert [item.quantity for item in order.items] == [2, 1]
        assert len(order.shipments) == 1
        sold_out = session.scalars(select(Variant).where(Variant.sku == "M-2")).one()
        assert (sold_out.stock, can_have(sold_out), sold_out.options) == (0, False, {"size": "large"})


@pytest.mark.parametrize(
    ("old", "new", "row", "field"),
    [
        (",2,8.10,", ",0,8.10,", "line 2", "quantity"),
        ('"1,009.00"', "1.005", "line 3", "unit_price"),
        ("M-2,1", "M-9,1", "line 3", "sku"),
        ("#A-1001,zoe@example.com,shipped,M-2", "#A-1001,zoe@example.com,delivered,M-2", "line 3", "status"),
        ("quantity", "how many", "line 1", None),
        (",EUR,77\n#", ",EUR\n#", "line 2", None),
    ],
)
def test_a_wrong_csv_writes_nothing_and_names_line_and_field(
    empty_database: Database, tmp_path: Path, old: str, new: str, row: str, field: str | None
) -> None:
    import_text(empty_database, tmp_path, PRODUCTS)
    import_text(empty_database, tmp_path, CUSTOMERS)
    with pytest.raises(ImportFileError) as error:
        import_text(empty_database, tmp_path, ORDERS.replace(old, new, 1))
    assert (error.value.row, error.value.field) == (row, field)
    assert count(empty_database, Order) == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"products": 1}', b"[" * 100_000])
def test_a_file_that_is_no_export_is_refused(
    empty_database: Database, tmp_path: Path, content: bytes
) -> None:
    for suffix in (".json", ".csv"):
        file = tmp_path / f"broken{suffix}"
        file.write_bytes(content)
        with pytest.raises(ImportFileError):
            import_file(empty_database, file)


def test_the_tau_retail_shop_is_imported_whole(empty_database: Database) -> None:
    report = import_file(empty_database, data_file("tau-retail/db.json"))
    assert (report.products, report.customers.new, report.orders.new) == (50, 500, 1000)
    assert count(empty_database, Variant) == 591
