"""CSV exports, told apart by their header: customers, products (row per variant), orders (row per item)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, NoReturn, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
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
    PaymentStatus,
    Product,
    Shipment,
    ShipmentStatus,
    Variant,
)
from apps.support.shop.money import parse_minor

OPTION_PREFIX = "option:"
_SHIPMENT_STATUS = {
    OrderStatus.DELIVERED: ShipmentStatus.DELIVERED,
    OrderStatus.SHIPPED: ShipmentStatus.IN_TRANSIT,
}

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[^@\s]+@[^@\s]+$", max_length=255)
]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Maybe = Annotated[str | None, BeforeValidator(lambda value: value or None), Field(max_length=255)]
MaybeDate = Annotated[date | None, BeforeValidator(lambda value: value or None)]
MaybeMoment = Annotated[datetime | None, BeforeValidator(lambda value: value or None)]
MaybeCount = Annotated[int | None, BeforeValidator(lambda value: value or None), Field(ge=0)]


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Address(_Line):
    line1: Maybe = None
    line2: str = ""
    city: str = ""
    region: str = ""
    postcode: Annotated[str, Field(max_length=32)] = ""
    country: Annotated[str, Field(max_length=64)] = ""

    def stored(self) -> Address:
        return Address(self.line1 or "", self.line2, self.city, self.region, self.postcode, self.country)


class CustomerLine(_Address):
    email: Email
    name: Text
    postcode: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=32)]
    phone: Maybe = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = "en"
    newsletter: bool = False


class ProductLine(_Line):
    sku: Text
    product: Text
    price: Text
    currency: CurrencyCode
    product_zh: Maybe = None
    category: str = ""
    description: str = ""
    stock: MaybeCount = None
    available: bool = True
    warranty_months: Annotated[int, Field(ge=0)] = 0


class OrderLine(_Address):
    order_number: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^#?[A-Za-z0-9-]{3,32}$")]
    email: Email
    status: OrderStatus
    sku: Text
    quantity: Annotated[int, Field(gt=0)]
    unit_price: Text
    currency: CurrencyCode
    placed_at: MaybeMoment = None
    carrier: Maybe = None
    tracking_number: Maybe = None
    shipped_on: MaybeDate = None
    expected_on: MaybeDate = None
    delivered_on: MaybeDate = None

    @property
    def number(self) -> str:
        return self.order_number.lstrip("#").upper()


_L = TypeVar("_L", bound=_Line)


def read_csv(session: Session, content: str) -> list[str]:
    """Add the file's rows to the session; returns the columns that were not read.

    Raises ImportFileError, naming line and field, at the first thing that is wrong.
    """
    reader = csv.DictReader(io.StringIO(content, newline=""), strict=True)
    try:
        columns = [name.strip() for name in reader.fieldnames or []]
        reader.fieldnames = columns
        rows = [(f"line {reader.line_num}", row) for row in reader]
    except csv.Error as error:
        raise ImportFileError(f"not CSV: {error}", row=f"line {reader.line_num}") from error
    for line, add in _KINDS.items():
        needed = {name for name, field in line.model_fields.items() if field.is_required()}
        if needed <= set(columns):
            add(session, rows)
            known = set(line.model_fields)
            return [name for name in columns if name not in known and not name.startswith(OPTION_PREFIX)]
    wanted = "; ".join(
        f"{line.__name__.removesuffix('Line').lower()}s: "
        + ", ".join(name for name, field in line.model_fields.items() if field.is_required())
        for line in _KINDS
    )
    raise ImportFileError(f"the header fits no table. Columns needed — {wanted}", row="line 1")


def _parse(line: type[_L], row: dict[str, str], place: str) -> _L:
    if None in row or None in row.values():
        raise ImportFileError("has more or fewer cells than the header", row=place)
    try:
        return line.model_validate({name: value for name, value in row.items() if value != ""})
    except ValidationError as error:
        problem = error.errors()[0]
        raise ImportFileError(problem["msg"], row=place, field=".".join(map(str, problem["loc"]))) from error


def _minor(figure: str, currency: str, place: str, field: str) -> int:
    try:
        amount = parse_minor(figure, currency)
    except ValueError as error:
        raise ImportFileError(str(error), row=place, field=field) from error
    if not 0 <= amount < 10**14:
        raise ImportFileError(f"{figure!r} is not a price", row=place, field=field)
    return amount


def _twice(what: str, place: str, field: str) -> NoReturn:
    raise ImportFileError(f"{what} is there already", row=place, field=field)


def _add_customers(session: Session, rows: list[tuple[str, dict[str, str]]]) -> None:
    known = set(session.scalars(select(Customer.email)))
    for place, row in rows:
        line = _parse(CustomerLine, row, place)
        if line.email in known:
            _twice(f"a customer {line.email}", place, "email")
        known.add(line.email)
        session.add(
            Customer(
                name=line.name,
                email=line.email,
                phone=line.phone,
                language=line.language,
                newsletter=line.newsletter,
                address=line.stored(),
            )
        )


def _add_products(session: Session, rows: list[tuple[str, dict[str, str]]]) -> None:
    known = set(session.scalars(select(Variant.sku)))
    products = {product.name: product for product in session.scalars(select(Product))}
    for place, row in rows:
        line = _parse(ProductLine, row, place)
        if line.sku in known:
            _twice(f"a variant {line.sku}", place, "sku")
        known.add(line.sku)
        if line.product not in products:
            products[line.product] = Product(
                name=line.product,
                name_zh=line.product_zh,
                category=line.category,
                description=line.description,
                warranty_months=line.warranty_months,
            )
            session.add(products[line.product])
        options = {
            name.removeprefix(OPTION_PREFIX): value
            for name, value in row.items()
            if name.startswith(OPTION_PREFIX) and value
        }
        products[line.product].variants.append(
            Variant(
                sku=line.sku,
                options=options,
                price=_minor(line.price, line.currency, place, "price"),
                currency=line.currency,
                available=line.available and line.stock != 0,
                stock=line.stock,
            )
        )


def _add_orders(session: Session, rows: list[tuple[str, dict[str, str]]]) -> None:
    known = set(session.scalars(select(Order.number)))
    customers = {customer.email: customer for customer in session.scalars(select(Customer))}
    variants = {variant.sku: variant for variant in session.scalars(select(Variant))}
    orders: dict[str, tuple[Order, OrderLine]] = {}
    for place, row in rows:
        line = _parse(OrderLine, row, place)
        if line.number in known:
            _twice(f"order {line.number}", place, "order_number")
        if line.email not in customers:
            raise ImportFileError(f"no customer {line.email}", row=place, field="email")
        if line.sku not in variants:
            raise ImportFileError(f"no variant {line.sku}", row=place, field="sku")
        if line.number not in orders:
            orders[line.number] = (_order(session, line, customers[line.email]), line)
        order, first = orders[line.number]
        for field in ("email", "status", "currency"):
            if getattr(line, field) != getattr(first, field):
                raise ImportFileError(
                    f"differs from the first row of order {line.number}", row=place, field=field
                )
        price = _minor(line.unit_price, line.currency, place, "unit_price")
        variant = variants[line.sku]
        order.items.append(
            OrderItem(
                variant=variant,
                shipment=_shipment(order, line),
                name=variant.product.name,
                options=variant.options,
                quantity=line.quantity,
                unit_price=price,
            )
        )
        order.total += price * line.quantity
    for order, _ in orders.values():
        paid = Payment(
            kind=PaymentKind.PAYMENT,
            status=PaymentStatus.COMPLETED,
            amount=order.total,
            currency=order.currency,
            created_at=order.placed_at,
        )
        order.payments.append(paid)


def _order(session: Session, line: OrderLine, customer: Customer) -> Order:
    placed_at = line.placed_at
    if placed_at is not None and placed_at.tzinfo is None:
        placed_at = placed_at.replace(tzinfo=UTC)
    order = Order(
        number=line.number,
        customer=customer,
        status=line.status,
        currency=line.currency,
        total=0,
        placed_at=placed_at,
        address=line.stored() if line.line1 else customer.address,
    )
    session.add(order)
    return order


def _shipment(order: Order, line: OrderLine) -> Shipment | None:
    """The order's shipment with this line's tracking number, made at its first mention."""
    if line.tracking_number is None:
        return None
    for shipment in order.shipments:
        if shipment.tracking_number == line.tracking_number:
            return shipment
    shipment = Shipment(
        carrier=line.carrier,
        tracking_number=line.tracking_number,
        status=_SHIPMENT_STATUS.get(line.status, ShipmentStatus.PREPARING),
        shipped_on=line.shipped_on,
        expected_on=line.expected_on,
        delivered_on=line.delivered_on,
    )
    order.shipments.append(shipment)
    return shipment


_KINDS: dict[type[_Line], Callable[[Session, list[tuple[str, dict[str, str]]]], None]] = {
    OrderLine: _add_orders,
    ProductLine: _add_products,
    CustomerLine: _add_customers,
}
