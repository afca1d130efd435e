"""One batch of records into the shop's tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from apps.support.errors import ConflictError
from apps.support.shop.changes import status_of_shipment
from apps.support.shop.importing.records import (
    Batch,
    CustomerRecord,
    OrderRecord,
    VariantRecord,
)
from apps.support.shop.importing.updating import update_customer, update_order, update_variant
from apps.support.shop.models import (
    Customer,
    Order,
    OrderItem,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Product,
    Shipment,
    Variant,
)


def write_batch(session: Session, batch: Batch) -> None:
    """Write all of the batch in the caller's transaction. It was compared with the database before.

    Raises ConflictError or IntegrityError where the shop was changed since.
    """
    _insert_variants(session, batch.new_variants)
    session.add_all(_new_customer(record) for record in batch.new_customers)
    if batch.new_orders:
        _insert_orders(session, batch.new_orders)
    skus = {record.sku: record for record in batch.changed_variants}
    for sku, variant in rows_of(session, Variant.sku, skus, Variant.product, lock=True).items():
        update_variant(variant, skus[sku])
    emails = {record.email: record for record in batch.changed_customers}
    for email, customer in rows_of(
        session, Customer.email, emails, Customer.payment_methods, lock=True
    ).items():
        update_customer(customer, emails[email])
    numbers = {record.number: record for record in batch.changed_orders}
    for number, order in rows_of(session, Order.number, numbers, Order.shipments, lock=True).items():
        update_order(order, numbers[number])


def rows_of(
    session: Session,
    key: InstrumentedAttribute[str],
    keys: Iterable[str],
    part: InstrumentedAttribute[Any],
    *,
    lock: bool = False,
) -> dict[str, Any]:
    """The rows of these keys, each with one of its parts; with `lock` closed to others' changes."""
    model, wanted = key.class_, list(keys)
    if not wanted:
        return {}
    query = select(model).where(key.in_(wanted)).options(selectinload(part))
    found = session.scalars(query.with_for_update(of=model) if lock else query)
    return {getattr(row, key.key): row for row in found}


def _insert_variants(session: Session, records: Sequence[VariantRecord]) -> None:
    products: dict[tuple[str, str], Product] = {}
    ids = [record.product_external_id for record in records if record.product_external_id is not None]
    names = [record.product for record in records if record.product_external_id is None]
    for product in session.scalars(
        select(Product).where(Product.name.in_(names)).order_by(Product.id.desc())
    ):
        products[("name", product.name)] = product
    for product in session.scalars(select(Product).where(Product.external_id.in_(ids))):
        products[("id", str(product.external_id))] = product
    for record in records:
        product = products.get(record.product_key) or Product(
            external_id=record.product_external_id,
            name=record.product,
            name_zh=record.product_zh,
            category=record.category or "",
            description=record.description or "",
            warranty_months=record.warranty_months or 0,
        )
        products[record.product_key] = product
        session.add(product)
        variant = Variant(
            product=product,
            sku=record.sku,
            options=record.options or {},
            price=record.price,
            currency=record.currency,
            available=record.available is not False,
            stock=record.stock,
        )
        session.add(variant)


def _new_customer(record: CustomerRecord) -> Customer:
    return Customer(
        external_id=record.external_id,
        name=record.name,
        email=record.email,
        phone=record.phone,
        language=record.language or "en",
        newsletter=record.newsletter or False,
        address=record.address.over(None),
        payment_methods=[PaymentMethod(**method.model_dump()) for method in record.methods],
    )


def _insert_orders(session: Session, records: Sequence[OrderRecord]) -> None:
    """Row by row through the tables: a hundred thousand orders as objects would take minutes."""
    customers = _rows(
        session, Customer.email, (record.email for record in records), Customer.id, Customer.address
    )
    skus = (item.sku for record in records for item in record.items)
    variants = _rows(
        session, Variant.sku, skus, Variant.id, Variant.options, Product.name, join=Variant.product
    )
    paid_with = (payment.method for record in records for payment in record.payments)
    methods = _rows(session, PaymentMethod.external_id, paid_with, PaymentMethod.id)

    orders = []
    for record in records:
        customer_id, address = _found(customers, record.email)
        if record.address.line1:
            address = record.address.over(None)
        total = sum(item.unit_price * item.quantity for item in record.items)
        orders.append(
            {
                "number": record.number,
                "customer_id": customer_id,
                "status": record.status,
                "currency": record.currency,
                "total": total,
                "placed_at": record.placed_at,
                "version": 1,
                **vars(address),
            }
        )
    order_ids = _insert(session, Order, orders)

    parcels = [
        {
            **parcel.model_dump(),
            "order_id": order_id,
            "status": parcel.status or status_of_shipment(record.status),
        }
        for order_id, record in zip(order_ids, records, strict=True)
        for parcel in record.shipments
        if record.status is not None
    ]
    parcel_ids = _insert(session, Shipment, parcels)
    shipments = {
        (parcel["order_id"], parcel["tracking_number"]): parcel_id
        for parcel, parcel_id in zip(parcels, parcel_ids, strict=True)
    }
    items, payments = [], []
    for order_id, record in zip(order_ids, records, strict=True):
        for item in record.items:
            variant_id, options, name = _found(variants, item.sku)
            items.append(
                {
                    "order_id": order_id,
                    "variant_id": variant_id,
                    "shipment_id": shipments.get((order_id, item.tracking_number)),
                    "name": name if item.name is None else item.name,
                    "options": options if item.options is None else item.options,
                    "quantity": item.quantity,
                    "unit_price": item.unit_price,
                }
            )
        for payment in record.payments:
            payments.append(
                {
                    "order_id": order_id,
                    "method_id": _found(methods, payment.method)[0] if payment.method else None,
                    "kind": payment.kind,
                    "status": PaymentStatus.COMPLETED,
                    "amount": payment.amount,
                    "currency": record.currency,
                    "created_at": record.placed_at,
                }
            )
    _insert(session, OrderItem, items)
    _insert(session, Payment, payments)


def _insert(session: Session, model: type[Any], rows: list[dict[str, Any]]) -> list[int]:
    """The new rows' ids, in their order."""
    if not rows:
        return []
    table: Table = model.__table__
    statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(session.scalars(statement, rows))


def _rows(
    session: Session,
    key: InstrumentedAttribute[Any],
    values: Iterable[str | None],
    *columns: InstrumentedAttribute[Any],
    join: InstrumentedAttribute[Any] | None = None,
) -> dict[str | None, tuple[Any, ...]]:
    wanted = {value for value in values if value is not None}
    if not wanted:
        return {}
    query = select(key, *columns).where(key.in_(wanted))
    found = session.execute(query if join is None else query.join(join))
    return {name: tuple(rest) for name, *rest in found}


def _found(rows: dict[str | None, tuple[Any, ...]], key: str | None) -> tuple[Any, ...]:
    if key not in rows:
        raise ConflictError(f"{key} is not there any more")
    return rows[key]
