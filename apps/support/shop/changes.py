"""What the shop's own systems tell of orders and variants: their state, parcels, price and stock.

An update of `duet db import` and the HTTP routes go through here. What is told has happened in the shop already:
nothing is refunded, sent or put back into stock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from apps.support.errors import ConflictError
from apps.support.shop.models import (
    Address,
    Customer,
    Order,
    OrderStatus,
    Shipment,
    ShipmentStatus,
    Variant,
)
from apps.support.shop.models.columns import utc_now

Changed = dict[str, tuple[Any, Any]]
"""The fields that became another value: before and after, as JSON."""


class AddressChange(BaseModel):
    """The lines that are told; None leaves one as it is."""

    model_config = ConfigDict(frozen=True)  # so that records share the empty one

    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    postcode: str | None = None
    country: str | None = None

    def over(self, old: Address | None) -> Address:
        """The old address with the lines that are told. A new street brings its own second line."""
        told = self.model_dump(exclude_none=True)
        if old is None or (self.line1 is not None and self.line1 != old.line1):
            empty = dict.fromkeys(type(self).model_fields, "")
            if old is not None:
                empty = {**vars(old), "line2": ""}
            return Address(**{**empty, **told})
        return Address(**{**vars(old), **told})


NO_ADDRESS = AddressChange()


class ShipmentChange(BaseModel):
    """One parcel. Without a tracking number it is the order's only one."""

    tracking_number: str | None = None
    carrier: str | None = None
    status: ShipmentStatus | None = None
    shipped_on: date | None = None
    expected_on: date | None = None
    delivered_on: date | None = None


def change_order(
    order: Order,
    told: OrderStatus | None,
    shipments: Sequence[ShipmentChange] = (),
    *,
    placed_at: datetime | None = None,
    address: AddressChange = NO_ADDRESS,
) -> Changed:
    """Set what is told; parcels follow the order's state. Raises ConflictError where a parcel is not clear."""
    changed: Changed = {}
    if told is not None and told != order.status:
        taken_back = order.status is OrderStatus.DELIVERED and told is not OrderStatus.CANCELLED
        changed["status"] = (order.status, told)
        order.status = told
        if told is OrderStatus.CANCELLED:
            order.cancelled_at = utc_now()
        else:
            order.cancelled_at = order.cancel_reason = None
        for shipment in order.shipments:
            if taken_back and shipment.delivered_on is not None:
                changed[f"{_name(shipment)}delivered_on"] = (_json(shipment.delivered_on), None)
                shipment.delivered_on = None
            now = None if taken_back else shipment.status
            set_told(shipment, {"status": status_of_shipment(told, now)}, changed, _name(shipment))
    set_told(order, {"placed_at": placed_at}, changed)
    set_address(order, address, changed)
    for parcel in shipments:
        shipment = _shipment(order, parcel, changed)
        for field, value in parcel.model_dump().items():
            set_told(shipment, {field: value}, changed, _name(shipment))
    return changed


def change_variant(variant: Variant, told: Mapping[str, Any]) -> Changed:
    """Set what is told. Whether it is on sale is told by itself, and does not follow from the stock.

    Raises ConflictError where another currency is told without the price in it.
    """
    currency = told.get("currency")
    if told.get("price") is None and currency not in (None, variant.currency):
        raise ConflictError(
            f"variant {variant.sku} costs {variant.currency}, not {currency}: say its price in that, too"
        )
    changed: Changed = {}
    set_told(variant, told, changed)
    return changed


def status_of_shipment(order: OrderStatus, now: ShipmentStatus | None = None) -> ShipmentStatus:
    """Where a parcel is whose order is in this state; `now`: where it was said to be."""
    if order is OrderStatus.DELIVERED:
        return ShipmentStatus.DELIVERED
    if order is OrderStatus.SHIPPED and now in (None, ShipmentStatus.PREPARING):
        return ShipmentStatus.IN_TRANSIT
    return now or ShipmentStatus.PREPARING


def _shipment(order: Order, parcel: ShipmentChange, changed: Changed) -> Shipment:
    there = {shipment.tracking_number: shipment for shipment in order.shipments}
    if parcel.tracking_number in there:
        return there[parcel.tracking_number]
    if parcel.tracking_number is not None and None in there:
        return there[None]  # the parcel that had no number yet
    if parcel.tracking_number is None and order.shipments:
        if len(order.shipments) > 1:
            raise ConflictError(f"order {order.number} has several parcels: say the tracking number")
        return order.shipments[0]
    shipment = Shipment(tracking_number=parcel.tracking_number, status=status_of_shipment(order.status))
    order.shipments.append(shipment)
    changed[f"{_name(shipment)}parcel"] = (None, parcel.tracking_number or "new")
    return shipment


def _name(shipment: Shipment) -> str:
    return f"{shipment.tracking_number}." if shipment.tracking_number else "parcel."


def set_address(owner: Order | Customer, told: AddressChange, changed: Changed) -> None:
    address = told.over(owner.address)
    if address != owner.address:
        changed["address"] = (owner.address.one_line(), address.one_line())
        owner.address = address


def set_told(row: object, told: Mapping[str, Any], changed: Changed, prefix: str = "") -> None:
    """Set the fields that are told and not None, and note which of them changed."""
    for field, value in told.items():
        before = getattr(row, field)
        if value is not None and value != before:
            changed[prefix + field] = (_json(before), _json(value))
            setattr(row, field, value)


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
