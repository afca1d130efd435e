"""What a customer knows: own orders, what is in them, how they were paid, and the shop's catalogue pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from apps.support.shop import models
from apps.support.shop.models import Address, OrderStatus
from evaluation.errors import DataError
from evaluation.support.tasks.task_file import Task


@dataclass(frozen=True)
class Item:
    """A variant of a product: one that the shop sells, or one that an order has."""

    sku: str
    product: str
    options: Mapping[str, str]
    price: int  # minor units
    available: bool = True


@dataclass(frozen=True)
class OwnOrder:
    number: str
    status: OrderStatus
    total: int
    address: Address
    items: tuple[Item, ...]  # one for each piece
    tracking: tuple[str, ...]
    paid_with: str | None  # a method's id


@dataclass(frozen=True)
class Method:
    id: str
    kind: str
    brand: str | None
    last_four: str | None
    balance: int | None


@dataclass(frozen=True)
class Customer:
    """Somebody with orders. `catalog` is the shop's, by SKU, what they ordered first."""

    id: int
    name: str
    email: str
    address: Address
    orders: tuple[OwnOrder, ...]
    methods: Mapping[str, Method]
    catalog: Mapping[str, Item]

    def order(self, number: str) -> OwnOrder:
        """Raises DataError: the task is about somebody else's order."""
        for order in self.orders:
            if order.number == number:
                return order
        raise DataError(f"{self.name} has no order {number}")

    def variants_of(self, product: str) -> list[Item]:
        return [item for item in self.catalog.values() if item.product == product]


def customer_of(session: Session, task: Task) -> Customer:
    """Whose task it is: the one whom the actions name, or whose order they touch. Raises DataError."""
    for action in task.criteria.actions:
        row = _named(session, action.arguments) or _owner(session, action.order_number)
        if row is not None:
            return _known(session, row)
    ids = models.Customer.external_id.in_(task.scenario_words)
    mentioned = session.scalars(select(models.Customer).where(ids)).first()
    if mentioned is not None:
        return _known(session, mentioned)
    raise DataError(f"task {task.id} names no customer of this shop")


def _named(session: Session, arguments: Mapping[str, object]) -> models.Customer | None:
    table = models.Customer
    if "user_id" in arguments:
        return session.scalar(select(table).where(table.external_id == str(arguments["user_id"])))
    if "email" in arguments:
        return session.scalar(select(table).where(table.email == str(arguments["email"]).lower()))
    if "first_name" in arguments and "zip" in arguments:
        name = f"{arguments['first_name']} {arguments.get('last_name', '')}".strip()
        namesakes = session.scalars(select(table).where(table.name.ilike(name))).all()
        return next((row for row in namesakes if row.address.postcode == arguments["zip"]), None)
    return None


def _owner(session: Session, number: str | None) -> models.Customer | None:
    if number is None:
        return None
    order = session.scalar(select(models.Order).where(models.Order.number == number))
    return order.customer if order else None


def _known(session: Session, row: models.Customer) -> Customer:
    variants = session.scalars(select(models.Variant).options(joinedload(models.Variant.product))).all()
    ordered = {item.variant.product_id for order in row.orders for item in order.items if item.variant}
    return Customer(
        id=row.id,
        name=row.name,
        email=row.email,
        address=row.address,
        orders=tuple(_order(order) for order in sorted(row.orders, key=lambda order: order.id)),
        methods={
            method.external_id or str(method.id): Method(
                method.external_id or str(method.id),
                method.kind,
                method.brand,
                method.last_four,
                method.balance,
            )
            for method in row.payment_methods
        },
        catalog={
            variant.sku: Item(
                variant.sku,
                variant.product.name,
                _options(variant.options),
                variant.price,
                variant.available,
            )
            for variant in sorted(variants, key=lambda variant: variant.product_id not in ordered)
        },
    )


def _order(order: models.Order) -> OwnOrder:
    items = []
    for item in order.items:
        if item.variant is not None:
            known = Item(item.variant.sku, item.name, _options(item.options), item.unit_price)
            items += [known] * item.quantity
    method = next((paid.method for paid in order.payments if paid.method is not None), None)
    return OwnOrder(
        number=order.number,
        status=order.status,
        total=order.total,
        address=order.address,
        items=tuple(items),
        tracking=tuple(parcel.tracking_number for parcel in order.shipments if parcel.tracking_number),
        paid_with=(method.external_id or str(method.id)) if method else None,
    )


def _options(options: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in options.items()}
