"""What the reader is shown of a customer, and what the database is asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import event, insert, select

from apps.support.reading.context import load_context
from apps.support.reading.state import ConversationState
from apps.support.reading.view import ITEM_HANDLES, ORDER_HANDLES
from apps.support.shop.catalog_search import find_products
from apps.support.shop.database import Database
from apps.support.shop.models import Customer, Order, OrderItem, OrderStatus, Product, Variant
from tests.support.conftest import OpenChat
from tests.support.small_shop import BOSTON, HOME, ZOE, Chat


def add_orders(database: Database, count: int, items: int = 1) -> None:
    """Newer ones than all others, 2000 the oldest of them."""
    with database.write() as session:
        zoe = session.scalars(select(Customer).where(Customer.email == ZOE)).one()
        mug = session.scalars(select(Variant).where(Variant.sku == "Mug-0")).one()
        for number in range(count):
            goods = [
                OrderItem(variant=mug, name="Mug", options=mug.options, quantity=1, unit_price=800)
                for _ in range(items)
            ]
            session.add(
                Order(
                    number=f"{2000 + number}",
                    customer=zoe,
                    status=OrderStatus.PENDING,
                    currency="USD",
                    total=800 * items,
                    placed_at=datetime.now(UTC) + timedelta(days=number),
                    address=HOME,
                    items=goods,
                )
            )


def test_the_view_names_what_there_is(chat: OpenChat) -> None:
    conversation = chat()
    conversation("return e", "about")
    shown = conversation.pipeline.reader.seen[-1]  # type: ignore[attr-defined]
    assert shown.split("\n") == [
        "P pending Austin: a Mechanical Keyboard; b Smart Thermostat",
        "Q pending Austin: c Mug (red)",
        "R shipped Dover: d Desk Lamp (black)",
        "S delivered Boston: e Pet Bed; f Mug (blue); g Desk Lamp (black)",
        "pay: 1 visa 4242; 2 PayPal; 3 gift card",
        "home: Dover",
        "last: return e",
        "open: return e",
        "> about",
        "=",
    ]


def test_a_stranger_is_shown_as_one(chat: OpenChat) -> None:
    conversation = chat(None)
    conversation("where is 1002? = status")
    assert conversation.pipeline.reader.seen[-1].startswith("guest\n> where is #?")  # type: ignore[attr-defined]


def test_at_most_eight_orders_are_shown_and_older_ones_when_they_are_named(any_chat: OpenChat) -> None:
    chat = any_chat()
    add_orders(chat.database, 30)
    chat("orders")
    shown = chat.pipeline.reader.seen[-1]  # type: ignore[attr-defined]
    assert sum(line[1:2] == " " and line[0] in ORDER_HANDLES for line in shown.split("\n")) == 8
    old = chat("status 1005")
    assert "#1005" in old.reply
    assert "#1005" in chat("tracking").reply or "551005" in chat("tracking").reply
    assert chat("cancel 2003").actions == [{"name": "cancel", "status": "proposed"}]
    assert chat("yes").actions == [{"name": "cancel", "status": "done"}]
    assert "I don't find" in chat("cancel 1003").reply


def test_more_items_than_there_are_letters_do_no_harm(chat: OpenChat) -> None:
    conversation = chat()
    add_orders(conversation.database, 8, items=5)
    assert not conversation("status P").handed_over
    shown = conversation.pipeline.reader.seen[-1]  # type: ignore[attr-defined]
    assert sum(f"{letter} Mug" in shown for letter in ITEM_HANDLES) == len(ITEM_HANDLES)


def test_the_sum_of_a_customers_orders_is_of_all_of_them(chat: OpenChat) -> None:
    conversation = chat()
    add_orders(conversation.database, 30)
    total = 29000 + 800 + 4000 + 10900 + 30 * 800
    assert f"Your 34 orders come to ${total / 100:.2f}" in conversation("spent").reply


def test_a_handle_stays_with_its_order_when_another_comes(chat: OpenChat) -> None:
    conversation = chat()
    conversation("cancel Q")
    add_orders(conversation.database, 1)
    assert "#1007" in conversation("about").reply
    conversation("yes")
    with conversation.database.read() as session:
        cancelled = select(Order.number).where(Order.status == OrderStatus.CANCELLED)
        assert list(session.scalars(cancelled)) == ["1007"]


def test_an_order_with_a_long_history_is_one_query_more_at_most(chat: OpenChat) -> None:
    conversation = chat()
    with counted(conversation.database) as few, conversation.database.read() as session:
        load_context(session, ConversationState(trusted_customer_id=1))
    add_orders(conversation.database, 40)
    with counted(conversation.database) as many, conversation.database.read() as session:
        load_context(session, ConversationState(trusted_customer_id=1))
    assert len(many) <= len(few) + 1


def test_ten_thousand_products_are_searched_with_a_few_queries(empty_database: Database) -> None:
    with empty_database.write() as session:
        rows = [
            {"name": f"{'Wool' if n % 2 else 'Silk'} Coat {n}", "name_zh": None, "category": "c"}
            for n in range(1, 10_001)
        ]
        rows += [{"name": "Electric Kettle", "name_zh": "电热水壶", "category": "c"}]
        session.execute(insert(Product), [row | {"description": ""} for row in rows])
    for words in ("the electric kettles", "kettle", "水壶", "electrickettle"):
        with counted(empty_database) as queries, empty_database.read() as session:
            found = find_products(session, words)
        assert len(queries) <= 3
        if words != "electrickettle":
            assert [product.name for product in found] == ["Electric Kettle"]
    with empty_database.write() as session:
        session.add(Product(name="Coat Hanger", category="c", description="", warranty_months=0))
    with empty_database.read() as session:
        assert [product.name for product in find_products(session, "coat hangers")] == ["Coat Hanger"]
    with counted(empty_database) as queries, empty_database.read() as session:
        find_products(session, "coat")
    assert len(queries) <= 4


def set_statuses(database: Database, **numbers: OrderStatus) -> None:
    """`rest`: of all orders that are not named."""
    rest = numbers.pop("rest")
    with database.write() as session:
        for order in session.scalars(select(Order)):
            order.status = numbers.get(f"n{order.number}", rest)


def test_the_only_order_it_can_be_is_the_only_one_of_all(any_chat: OpenChat) -> None:
    chat = any_chat()
    add_orders(chat.database, 30)
    pending, delivered = OrderStatus.PENDING, OrderStatus.DELIVERED
    set_statuses(chat.database, n2029=pending, n1002=pending, rest=delivered)
    asked = chat("cancel")
    assert asked.actions == []
    assert [choice.label[:5] for choice in asked.choices] == ["#2029", "#1002"]
    set_statuses(chat.database, n1002=pending, rest=delivered)
    other = Chat(chat.pipeline)
    only = other("cancel")
    assert "#1002" in only.reply
    assert other("yes").actions == [{"name": "cancel", "status": "done"}]


def test_the_latest_orders_are_the_latest_also_when_an_old_one_is_named(chat: OpenChat) -> None:
    conversation = chat()
    add_orders(conversation.database, 30)
    conversation("status 1005")
    listed = conversation("orders")
    assert [choice.label[:5] for choice in listed.choices] == [f"#{2029 - n}" for n in range(8)]
    shown = conversation.pipeline.reader.seen[-1].split("\n")  # type: ignore[attr-defined]
    assert shown[0].startswith("P pending")
    assert shown[7].startswith("W shipped")


def test_an_item_without_a_letter_is_known_all_the_same(chat: OpenChat) -> None:
    conversation = chat()
    add_orders(conversation.database, 2, items=10)
    with conversation.database.read() as session:
        order = session.scalars(select(Order).where(Order.number == "1001")).one()
        context = load_context(session, conversation.state)
        assert not {item.id for item in order.items} & {item.id for item in context.items.values()}
        assert [context.item(item.id) for item in order.items] == order.items


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def test_the_cities_are_shown_only_where_they_tell_orders_apart(chat: OpenChat) -> None:
    conversation = chat()
    with conversation.database.write() as session:
        for order in session.scalars(select(Order)):
            order.address = BOSTON
        session.scalars(select(Customer).where(Customer.email == ZOE)).one().address = BOSTON
    conversation("orders")
    assert "Boston" not in conversation.pipeline.reader.seen[-1]  # type: ignore[attr-defined]


def test_a_short_word_is_found_at_the_beginning_of_words_alone(empty_database: Database) -> None:
    with empty_database.write() as session:
        names = ("Office Chair", "Airfryer", "Hairdryer", "TV Stand")
        session.add_all(Product(name=n, category="c", description="", warranty_months=0) for n in names)
    with empty_database.read() as session:
        assert [product.name for product in find_products(session, "air purifier")] in ([], ["Airfryer"])
        assert [product.name for product in find_products(session, "tv")] == ["TV Stand"]
        assert [product.name for product in find_products(session, "chair")] == ["Office Chair"]
