"""What a record changes in the row that is there."""

from __future__ import annotations

from apps.support.errors import ConflictError
from apps.support.shop.changes import (
    Changed,
    OrderChange,
    VariantChange,
    change_customer,
    change_order,
    change_variant,
)
from apps.support.shop.importing.records import CustomerRecord, MethodRecord, OrderRecord, VariantRecord
from apps.support.shop.models import Customer, Order, PaymentMethod, Variant


def update_variant(variant: Variant, record: VariantRecord) -> Changed:
    """Raises ConflictError where the file has it under another product, or another currency without a price."""
    product = variant.product
    if record.product_external_id is None and record.product not in (None, product.name):
        raise ConflictError(f"variant {variant.sku} belongs to the product {product.name!r} here")
    changed = change_variant(
        variant,
        VariantChange(
            price=record.price,
            currency=record.currency,
            stock=record.stock,
            available=record.available,
            options=record.options,
        ),
    )
    told = {
        "name_zh": record.product_zh,
        "category": record.category,
        "description": record.description,
        "warranty_months": record.warranty_months,
    }
    for field, value in told.items():
        before = getattr(product, field)
        if value is not None and value != before:
            changed[field] = (before, value)
            setattr(product, field, value)
    return changed


def update_customer(customer: Customer, record: CustomerRecord) -> Changed:
    changed = change_customer(
        customer,
        record.address,
        name=record.name,
        phone=record.phone,
        language=record.language,
        newsletter=record.newsletter,
    )
    there = {method.external_id for method in customer.payment_methods}
    for method in record.methods:
        if method.external_id not in there:
            customer.payment_methods.append(payment_method(method))
            changed[f"payment_methods.{method.external_id}"] = (None, method.kind)
    return changed


def update_order(order: Order, record: OrderRecord) -> Changed:
    """Items and payments stay. Raises ConflictError where a parcel is not clear, or the currency another one."""
    if record.currency not in (None, order.currency):
        raise ConflictError(f"order {order.number} was paid in {order.currency}, not in {record.currency}")
    change = OrderChange(
        status=record.status, placed_at=record.placed_at, address=record.address, shipments=record.shipments
    )
    return change_order(order, change)


def payment_method(record: MethodRecord) -> PaymentMethod:
    return PaymentMethod(**record.model_dump())
