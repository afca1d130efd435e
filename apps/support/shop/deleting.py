"""Rows that should never have come into the shop."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from apps.support.errors import ConflictError, NotFoundError
from apps.support.shop.models import (
    Base,
    Customer,
    Order,
    OrderItem,
    Payment,
    PaymentMethod,
    Product,
    Shipment,
    Variant,
)

Kind = Literal["order", "variant", "customer"]

_KEYS: dict[Kind, Any] = {"order": Order.number, "variant": Variant.sku, "customer": Customer.email}
# In the order in which they can be deleted: items name shipments.
_PARTS: dict[Kind, tuple[type[Base], ...]] = {
    "order": (OrderItem, Payment, Shipment),
    "variant": (),
    "customer": (PaymentMethod,),
}


def delete_row(session: Session, kind: Kind, key: str) -> dict[str, int]:
    """Delete an order, a variant or a customer with what is only a part of it; how many parts there were.

    A product goes with its last variant. Raises NotFoundError, and ConflictError where other rows need it.
    """
    key = {"order": key.strip().lstrip("#").upper(), "customer": key.strip().lower()}.get(kind, key.strip())
    column = _KEYS[kind]
    row = session.scalar(select(column.class_).where(column == key))
    if row is None:
        raise NotFoundError(f"there is no {kind} {key}")
    parts: list[Any] = [part.__table__ for part in _PARTS[kind]]
    needed_by = {}
    for owner, ids in ((row.__table__, [row.id]), *((part, _ids(session, part, row)) for part in parts)):
        for table in Base.metadata.sorted_tables:
            for foreign in table.foreign_keys:
                if table not in parts and foreign.column.table is owner:
                    count = session.scalar(
                        select(func.count()).select_from(table).where(foreign.parent.in_(ids))
                    )
                    if count:
                        needed_by[table.name.replace("_", " ")] = count
    if needed_by:
        others = ", ".join(f"{count} of {name}" for name, count in needed_by.items())
        raise ConflictError(f"{kind} {key} cannot be deleted: it is needed by {others}")
    product_id = row.product_id if isinstance(row, Variant) else None
    deleted = {part.name: len(_ids(session, part, row)) for part in parts}
    for part in parts:
        session.execute(delete(part).where(part.c.id.in_(_ids(session, part, row))))
    session.execute(delete(row.__table__).where(row.__table__.c.id == row.id))
    session.expunge(row)
    if (
        product_id is not None
        and session.scalar(select(Variant.id).where(Variant.product_id == product_id)) is None
    ):
        session.execute(delete(Product).where(Product.id == product_id))
    return deleted


def _ids(session: Session, part: Any, row: Any) -> list[int]:
    owner = next(foreign.parent for foreign in part.foreign_keys if foreign.column.table is row.__table__)
    return list(session.scalars(select(part.c.id).where(owner == row.id)))
