"""What the shop sells, to whom, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from apps.support.shop.models.columns import (
    Base,
    Currency,
    JsonObject,
    Language,
    LongText,
    Minor,
    ShortText,
    utc_now,
)


class OrderStatus(StrEnum):
    PENDING = "pending"
    PROCESSED = "processed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class PaymentKind(StrEnum):
    PAYMENT = "payment"
    REFUND = "refund"


class PaymentStatus(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"


class ShipmentStatus(StrEnum):
    PREPARING = "preparing"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    LOST = "lost"


class ReturnKind(StrEnum):
    RETURN = "return"
    EXCHANGE = "exchange"


class ReturnStatus(StrEnum):
    REQUESTED = "requested"
    RECEIVED = "received"
    COMPLETED = "completed"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Address:
    """A postal address; `country` is a name or ISO code as the shop writes it."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether a parcel would arrive: a street, a city and a postcode."""
        return bool(self.line1 and self.city and self.postcode)

    def one_line(self) -> str:
        parts = (self.line1, self.line2, self.city, f"{self.region} {self.postcode}".strip(), self.country)
        return ", ".join(part for part in parts if part)


def _address_columns() -> Any:
    return composite(
        mapped_column("line1", String(255)),
        mapped_column("line2", String(255)),
        mapped_column("city", String(255)),
        mapped_column("region", String(255)),
        mapped_column("postcode", String(32)),
        mapped_column("country", String(64)),
    )


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[ShortText | None] = mapped_column(unique=True)
    name: Mapped[ShortText]
    email: Mapped[ShortText] = mapped_column(unique=True)  # lower case
    phone: Mapped[ShortText | None]
    language: Mapped[Language]
    newsletter: Mapped[bool] = mapped_column(default=False)
    address: Mapped[Address] = _address_columns()
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    orders: Mapped[list[Order]] = relationship(back_populates="customer", order_by="Order.placed_at.desc()")
    payment_methods: Mapped[list[PaymentMethod]] = relationship(back_populates="customer")


class PaymentMethod(Base):
    __tablename__ = "payment_methods"

    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[ShortText | None] = mapped_column(unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    kind: Mapped[ShortText]  # credit_card, paypal, gift_card, alipay, wechat_pay …
    brand: Mapped[ShortText | None]
    last_four: Mapped[str | None] = mapped_column(String(4))
    balance: Mapped[Minor | None]  # gift cards only
    currency: Mapped[Currency]

    customer: Mapped[Customer] = relationship(back_populates="payment_methods")


class Product(Base):
    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[ShortText | None] = mapped_column(unique=True)
    name: Mapped[ShortText] = mapped_column(index=True)
    name_zh: Mapped[ShortText | None]
    category: Mapped[ShortText]
    description: Mapped[LongText]
    warranty_months: Mapped[int] = mapped_column(default=0)

    variants: Mapped[list[Variant]] = relationship(back_populates="product", order_by="Variant.id")


class Variant(Base):
    __tablename__ = "variants"
    __table_args__ = (CheckConstraint("price >= 0", name="price_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    sku: Mapped[ShortText] = mapped_column(unique=True)
    options: Mapped[JsonObject]  # {"color": "blue", "size": "M"}
    price: Mapped[Minor]
    currency: Mapped[Currency]
    available: Mapped[bool]  # on sale: to be had where the stock suffices, too
    stock: Mapped[int | None]  # None: the shop does not count it

    product: Mapped[Product] = relationship(back_populates="variants")


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[ShortText] = mapped_column(unique=True)  # upper case, without '#'
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    status: Mapped[OrderStatus] = mapped_column(index=True)
    currency: Mapped[Currency]
    total: Mapped[Minor]
    placed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[ShortText | None]
    note: Mapped[LongText | None]
    invoice_number: Mapped[ShortText | None] = mapped_column(unique=True)
    address: Mapped[Address] = _address_columns()
    version: Mapped[int] = mapped_column()  # raised by every write: two writers cannot both win

    customer: Mapped[Customer] = relationship(back_populates="orders")
    items: Mapped[list[OrderItem]] = relationship(back_populates="order", order_by="OrderItem.id")
    payments: Mapped[list[Payment]] = relationship(back_populates="order", order_by="Payment.id")
    shipments: Mapped[list[Shipment]] = relationship(back_populates="order", order_by="Shipment.id")
    returns: Mapped[list[Return]] = relationship(back_populates="order", order_by="Return.id")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (SQLAlchemy reads it from the class)


class OrderItem(Base):
    __tablename__ = "order_items"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    variant_id: Mapped[int | None] = mapped_column(ForeignKey("variants.id"))
    shipment_id: Mapped[int | None] = mapped_column(ForeignKey("shipments.id"))
    name: Mapped[ShortText]
    options: Mapped[JsonObject]
    quantity: Mapped[int]
    unit_price: Mapped[Minor]

    order: Mapped[Order] = relationship(back_populates="items")
    variant: Mapped[Variant | None] = relationship()
    shipment: Mapped[Shipment | None] = relationship()

    @property
    def total(self) -> int:
        """In minor units of the order's currency."""
        return self.unit_price * self.quantity


class Payment(Base):
    __tablename__ = "payments"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    method_id: Mapped[int | None] = mapped_column(ForeignKey("payment_methods.id"))
    kind: Mapped[PaymentKind]
    status: Mapped[PaymentStatus]
    amount: Mapped[Minor]
    currency: Mapped[Currency]
    created_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship(back_populates="payments")
    method: Mapped[PaymentMethod | None] = relationship()


class Shipment(Base):
    __tablename__ = "shipments"
    __table_args__ = (UniqueConstraint("order_id", "tracking_number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    carrier: Mapped[ShortText | None]
    tracking_number: Mapped[ShortText | None] = mapped_column(index=True)
    status: Mapped[ShipmentStatus]
    shipped_on: Mapped[date | None]
    expected_on: Mapped[date | None]
    delivered_on: Mapped[date | None]

    order: Mapped[Order] = relationship(back_populates="shipments")


class Return(Base):
    __tablename__ = "returns"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[ShortText] = mapped_column(unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    kind: Mapped[ReturnKind]
    status: Mapped[ReturnStatus]
    reason: Mapped[LongText | None]
    refund: Mapped[Minor]  # 0 for an exchange at the same price
    currency: Mapped[Currency]
    method_id: Mapped[int | None] = mapped_column(ForeignKey("payment_methods.id"))  # where the refund goes
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    order: Mapped[Order] = relationship(back_populates="returns")
    method: Mapped[PaymentMethod | None] = relationship()
    items: Mapped[list[ReturnItem]] = relationship(order_by="ReturnItem.id")


class ReturnItem(Base):
    __tablename__ = "return_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    return_id: Mapped[int] = mapped_column(ForeignKey("returns.id"), index=True)
    order_item_id: Mapped[int] = mapped_column(ForeignKey("order_items.id"))
    replacement_id: Mapped[int | None] = mapped_column(ForeignKey("variants.id"))
    quantity: Mapped[int]

    order_item: Mapped[OrderItem] = relationship()
    replacement: Mapped[Variant | None] = relationship()
