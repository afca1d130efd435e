"""What a test finds in the shop's database, and the kinds of its fixtures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sqlalchemy import func, select

from apps.support.conversations.turn import TurnResult
from apps.support.shop.database import Database
from apps.support.shop.models import Order, OrderStatus

TODAY = date.today()
Begin = Callable[..., str]
OrderOf = Callable[[Database, str, OrderStatus], str]
Talk = Callable[..., list[TurnResult]]


def order(database: Database, number: str) -> Order:
    with database.read() as session:
        found = session.scalars(select(Order).where(Order.number == number)).one()
        assert found.items
        assert found.payments
        assert found.shipments is not None
        assert found.customer
        return found


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
