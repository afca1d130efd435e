"""The JSON layout of tau2-bench's retail shop: {"products": {id: …}, "users": {id: …}, "orders": {id: …}}."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.errors import ImportFileError
from apps.support.shop.models import (
    Address,
    Customer,
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    PaymentKind,
    PaymentMethod,
    PaymentStatus,
    Product,
    Shipment,
    ShipmentStatus,
    Variant,
)
from apps.support.shop.money import parse_minor

CURRENCY = "USD"
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False, lt=1e12)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Address(_Row):
    address1: Text
    address2: str = ""
    city: Text
    state: str = ""
    zip: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    country: Annotated[str, StringConstraints(min_length=1, max_length=64)]

    def stored(self) -> Address:
        return Address(self.address1, self.address2, self.city, self.state, self.zip, self.country)


class _Variant(_Row):
    item_id: Text
    options: dict[str, str]
    available: bool
    price: Price


class _Product(_Row):
    product_id: Text
    name: Text
    variants: dict[str, _Variant]


class _Name(_Row):
    first_name: Text
    last_name: Text


class _PaymentMethod(_Row):
    id: Text
    source: Text
    brand: str | None = None
    last_four: Annotated[str, StringConstraints(pattern=r"^\d{4}$")] | None = None
    balance: Price | None = None


class _User(_Row):
    user_id: Text
    name: _Name
    address: _Address
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=255)]
    payment_methods: dict[str, _PaymentMethod]


class _Item(_Row):
    name: Text
    item_id: Text
    price: Price
    options: dict[str, str]


class _Fulfillment(_Row):
    tracking_id: list[Text]
    item_ids: list[Text]


class _Transaction(_Row):
    transaction_type: Literal["payment", "refund"]
    amount: Price
    payment_method_id: Text


class _Order(_Row):
    order_id: Text
    user_id: Text
    address: _Address
    items: Annotated[list[_Item], Field(min_length=1)]
    status: Literal["pending", "processed", "delivered", "cancelled"]
    fulfillments: list[_Fulfillment] = []
    payment_history: list[_Transaction] = []


class _Shop(_Row):
    products: dict[str, _Product]
    users: dict[str, _User]
    orders: dict[str, _Order]


def read_retail_json(session: Session, content: str) -> None:
    """Add the file's rows to the session. Raises ImportFileError at the first thing that is wrong."""
    try:
        shop = _Shop.model_validate(json.loads(content))
    except json.JSONDecodeError as error:
        raise ImportFileError(f"not JSON: {error.msg}", row=f"line {error.lineno}") from error
    except RecursionError as error:
        raise ImportFileError("not a shop: nested too deeply") from error
    except ValidationError as error:
        _refuse(error.errors()[0])
    variants = _add_products(session, shop)
    customers, methods = _add_users(session, shop)
    known = set(session.scalars(select(Order.number)))
    for key, row in shop.orders.items():
        place = f"orders[{key!r}]"
        if row.user_id not in customers:
            raise ImportFileError(f"no user {row.user_id!r}", row=place, field="user_id")
        number = row.order_id.lstrip("#").upper()
        if number in known:
            raise ImportFileError(f"order {number} is there already", row=place, field="order_id")
        known.add(number)
        session.add(_order(row, number, place, customers[row.user_id], variants, methods))


def _refuse(problem: Any) -> NoReturn:
    path = [str(part) for part in problem["loc"]]
    row = f"{path[0]}[{path[1]!r}]" if len(path) > 1 else None
    field = ".".join(path[2:] if row else path)
    raise ImportFileError(problem["msg"], row=row, field=field or None)


def _minor(price: float, place: str, field: str) -> int:
    try:
        return parse_minor(price, CURRENCY)
    except ValueError as error:
        raise ImportFileError(str(error), row=place, field=field) from error


def _add_products(session: Session, shop: _Shop) -> dict[str, Variant]:
    known = set(session.scalars(select(Product.external_id)))
    variants: dict[str, Variant] = {}
    for key, row in shop.products.items():
        place = f"products[{key!r}]"
        if row.product_id in known:
            raise ImportFileError(f"product {row.product_id} is there already", row=place, field="product_id")
        known.add(row.product_id)
        product = Product(external_id=row.product_id, name=row.name, category="", description="")
        session.add(product)
        for item in row.variants.values():
            if item.item_id in variants:
                raise ImportFileError(f"item {item.item_id} stands twice", row=place, field="variants")
            variants[item.item_id] = Variant(
                product=product,
                sku=item.item_id,
                options=item.options,
                price=_minor(item.price, place, f"variants.{item.item_id}.price"),
                currency=CURRENCY,
                available=item.available,
            )
        session.add_all(product.variants)
    return variants


def _add_users(session: Session, shop: _Shop) -> tuple[dict[str, Customer], dict[str, PaymentMethod]]:
    known = set(session.scalars(select(Customer.email)))
    customers: dict[str, Customer] = {}
    methods: dict[str, PaymentMethod] = {}
    for key, row in shop.users.items():
        place = f"users[{key!r}]"
        email = row.email.lower()
        if email in known:
            raise ImportFileError(f"a customer {email} is there already", row=place, field="email")
        known.add(email)
        customer = Customer(
            external_id=row.user_id,
            name=f"{row.name.first_name} {row.name.last_name}",
            email=email,
            language="en",
            address=row.address.stored(),
        )
        session.add(customer)
        customers[row.user_id] = customer
        for method in row.payment_methods.values():
            balance = method.balance
            methods[method.id] = PaymentMethod(
                customer=customer,
                external_id=method.id,
                kind=method.source,
                brand=method.brand,
                last_four=method.last_four,
                balance=None
                if balance is None
                else _minor(balance, place, f"payment_methods.{method.id}.balance"),
                currency=CURRENCY,
            )
        session.add_all(customer.payment_methods)
    return customers, methods


def _order(
    row: _Order,
    number: str,
    place: str,
    customer: Customer,
    variants: dict[str, Variant],
    methods: dict[str, PaymentMethod],
) -> Order:
    order = Order(
        number=number,
        customer=customer,
        status=OrderStatus(row.status),
        currency=CURRENCY,
        total=0,
        address=row.address.stored(),
    )
    for position, item in enumerate(row.items):
        if item.item_id not in variants:
            raise ImportFileError(f"no item {item.item_id!r}", row=place, field=f"items.{position}.item_id")
        order.items.append(
            OrderItem(
                variant=variants[item.item_id],
                name=item.name,
                options=item.options,
                quantity=1,
                unit_price=_minor(item.price, place, f"items.{position}.price"),
            )
        )
    order.total = sum(item.unit_price for item in order.items)
    for position, paid in enumerate(row.payment_history):
        if paid.payment_method_id not in methods:
            field = f"payment_history.{position}.payment_method_id"
            raise ImportFileError(f"no payment method {paid.payment_method_id!r}", row=place, field=field)
        order.payments.append(
            Payment(
                method=methods[paid.payment_method_id],
                kind=PaymentKind(paid.transaction_type),
                status=PaymentStatus.COMPLETED,
                amount=_minor(paid.amount, place, f"payment_history.{position}.amount"),
                currency=CURRENCY,
            )
        )
    status = ShipmentStatus.DELIVERED if order.status == OrderStatus.DELIVERED else ShipmentStatus.PREPARING
    for parcel in row.fulfillments:
        for tracking in parcel.tracking_id:
            shipment = Shipment(tracking_number=tracking, status=status)
            order.shipments.append(shipment)
            for order_item in order.items:
                if order_item.variant is not None and order_item.variant.sku in parcel.item_ids:
                    order_item.shipment = shipment
    return order
