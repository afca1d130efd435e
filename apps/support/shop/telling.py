"""What a caller tells of an order or a variant, each with its audit entry."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.errors import NotFoundError, UnusableValueError
from apps.support.shop.changes import Changed, ShipmentChange, change_order, change_variant
from apps.support.shop.models import AuditEntry, Order, Variant
from apps.support.shop.money import decimal_amount, parse_minor


def tell_of_order(session: Session, number: str, told: dict[str, Any], *, teller: str) -> dict[str, Any]:
    """`told`: status, and the fields of a ShipmentChange; what changed, before and after.

    Raises NotFoundError, and ConflictError where it is not clear which parcel is meant.
    """
    wanted = number.lstrip("#").upper()
    order = session.scalar(select(Order).where(Order.number == wanted).with_for_update())
    if order is None:
        raise NotFoundError(f"no order {wanted}")
    parcel = {name: value for name, value in told.items() if name != "status" and value is not None}
    changed = change_order(order, told["status"], [ShipmentChange(**parcel)] if parcel else [])
    _audit(session, "order_told", teller, changed, order)
    return _before_and_after(changed)


def tell_of_variant(
    session: Session,
    sku: str,
    *,
    price: Decimal | None,
    stock: int | None,
    available: bool | None,
    teller: str,
) -> dict[str, Any]:
    """What changed, before and after, the price as it is told. Raises NotFoundError, UnusableValueError."""
    variant = session.scalar(select(Variant).where(Variant.sku == sku).with_for_update())
    if variant is None:
        raise NotFoundError(f"no variant {sku!r}")
    try:
        minor = None if price is None else parse_minor(str(price), variant.currency)
    except ValueError as error:
        raise UnusableValueError(f"price: {error}") from error
    changed = change_variant(variant, {"price": minor, "stock": stock, "available": available})
    _audit(session, "variant_told", teller, {"sku": (sku, sku), **changed} if changed else {})
    if "price" in changed:
        before, after = (str(decimal_amount(minor, variant.currency)) for minor in changed["price"])
        changed["price"] = (before, after)
    return _before_and_after(changed)


def _audit(session: Session, action: str, teller: str, changed: Changed, order: Order | None = None) -> None:
    if not changed:
        return
    told = _before_and_after(changed)
    session.add(
        AuditEntry(
            action=action,
            action_key=f"{action} {secrets.token_urlsafe(18)}",
            customer_id=order.customer_id if order else None,
            order_id=order.id if order else None,
            before=told["before"],
            after=told["after"] | {"told_by": teller},
        )
    )


def _before_and_after(changed: Changed) -> dict[str, Any]:
    return {
        "before": {field: before for field, (before, _) in changed.items()},
        "after": {field: after for field, (_, after) in changed.items()},
    }
