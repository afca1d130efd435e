"""What a test finds in the shop's database, and the kinds of its fixtures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from apps.support.conversations.turn import TurnResult
from apps.support.shop.database import Database
from apps.support.shop.models import Order, OrderStatus

TODAY = date.today()
_LOADED = [
    selectinload(Order.items),
    selectinload(Order.payments),
    selectinload(Order.shipments),
    selectinload(Order.customer),
]
Begin = Callable[..., str]
OrderOf = Callable[[Database, str, OrderStatus], str]
Talk = Callable[..., list[TurnResult]]


def order(database: Database, number: str) -> Order:
    with database.read() as session:
        return session.scalars(select(Order).where(Order.number == number).options(*_LOADED)).one()


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
