"""What a record changes in the row that is there."""

from __future__ import annotations

from apps.support.errors import ConflictError
from apps.support.shop.changes import Changed, change_order, change_variant, set_address, set_told
from apps.support.shop.importing.records import CustomerRecord, OrderRecord, VariantRecord
from apps.support.shop.models import Customer, Order, PaymentMethod, Variant


def update_variant(variant: Variant, record: VariantRecord) -> Changed:
    """Raises ConflictError where the file has it under another product, or another currency without a price."""
    product = variant.product
    if record.product_external_id is None and record.product not in (None, product.name):
        raise ConflictError(f"variant {variant.sku} belongs to the product {product.name!r} here")
    own = {"price", "currency", "stock", "available", "options"}
    changed = change_variant(variant, record.model_dump(include=own))
    told = record.model_dump(include={"category", "description", "warranty_months"})
    set_told(product, {"name_zh": record.product_zh, **told}, changed)
    return changed


def update_customer(customer: Customer, record: CustomerRecord) -> Changed:
    changed: Changed = {}
    set_told(customer, record.model_dump(include={"name", "phone", "language", "newsletter"}), changed)
    set_address(customer, record.address, changed)
    there = {method.external_id for method in customer.payment_methods}
    for method in record.methods:
        if method.external_id not in there:
            customer.payment_methods.append(PaymentMethod(**method.model_dump()))
            changed[f"payment_methods.{method.external_id}"] = (None, method.kind)
    return changed


def update_order(order: Order, record: OrderRecord) -> Changed:
    """Items and payments stay. Raises ConflictError where a parcel is not clear, or the currency another one."""
    if record.currency not in (None, order.currency):
        raise ConflictError(f"order {order.number} was paid in {order.currency}, not in {record.currency}")
    return change_order(
        order, record.status, record.shipments, placed_at=record.placed_at, address=record.address
    )
