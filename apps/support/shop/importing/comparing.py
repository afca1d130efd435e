"""A file's records beside the database: what is new, what an update changes, what is as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from apps.support.errors import ConflictError, ImportFileError
from apps.support.shop.database import Database
from apps.support.shop.importing.figures import MOST_MINOR
from apps.support.shop.importing.options import ImportReport, Tally
from apps.support.shop.importing.records import (
    Batch,
    CustomerRecord,
    OrderRecord,
    Record,
    VariantRecord,
)
from apps.support.shop.importing.updating import update_customer, update_order, update_variant
from apps.support.shop.importing.writing import rows_of
from apps.support.shop.models import Customer, Order, OrderItem, PaymentMethod, Product, Variant

RECORDS_PER_BATCH = 250
T = TypeVar("T")


class Comparison:
    """Sorts records into batches to be written. Reads the database, and writes nothing.

    What the file brought so far counts as there: its orders may name its customers and variants.
    """

    def __init__(self, database: Database, *, update: bool) -> None:
        self._database = database
        self._update = update
        self._emails: set[str] = set()
        self._skus: set[str] = set()
        self._numbers: set[str] = set()
        self._customer_ids: set[str] = set()
        self._method_ids: set[str] = set()
        self._products: set[tuple[str, str]] = set()
        self.report = ImportReport()

    def batches(self, records: Iterable[Record]) -> Iterator[Batch]:
        """Batches that have something to write. Raises ImportFileError at the first record that does not fit."""
        sorters: dict[type[Record], Callable[[Session, list[Any], Batch], None]] = {
            VariantRecord: self._sort_variants,
            CustomerRecord: self._sort_customers,
            OrderRecord: self._sort_orders,
        }
        for kind, alike in groupby(records, key=type):
            while some := list(islice(alike, RECORDS_PER_BATCH)):
                batch = Batch()
                # A reading transaction that lasts would keep SQLite's log from being folded in.
                with self._database.read() as session, session.no_autoflush:
                    sorters[kind](session, some, batch)
                if batch != Batch():
                    yield batch

    def _sort_variants(self, session: Session, records: list[VariantRecord], batch: Batch) -> None:
        there = rows_of(session, Variant.sku, [record.sku for record in records], Variant.product)
        ids = _known(session, Product.external_id, [record.product_external_id for record in records])
        names = _known(session, Product.name, [record.product for record in records])
        for record in records:
            self._once(self._skus, record.sku, "a variant", record, "sku")
            variant = there.get(record.sku)
            if variant is not None:
                self._check_update("a variant", record.sku, record, "sku")
                try:
                    changed = update_variant(variant, record)
                except ConflictError as error:
                    raise ImportFileError(str(error), row=record.place) from error
                _count(self.report.variants, record, bool(changed), batch.changed_variants)
                continue
            _require(record, "sku", ("product", "price", "currency"))
            known = ids if record.product_external_id is not None else names
            if record.product_key[1] not in known and record.product_key not in self._products:
                self._products.add(record.product_key)
                self.report.products += 1
            elif record.product_external_id is not None and not self._update and record.product_key[1] in ids:
                problem = f"product {record.product_external_id} is there already"
                raise ImportFileError(problem, row=record.place, field="product_id")
            self.report.variants.new += 1
            batch.new_variants.append(record)

    def _sort_customers(self, session: Session, records: list[CustomerRecord], batch: Batch) -> None:
        emails = [record.email for record in records]
        there = rows_of(session, Customer.email, emails, Customer.payment_methods)
        taken = _known(session, Customer.external_id, [record.external_id for record in records])
        methods = [method.external_id for record in records for method in record.methods]
        taken_methods = _known(session, PaymentMethod.external_id, methods)
        for record in records:
            self._once(self._emails, record.email, "a customer", record, "email")
            customer = there.get(record.email)
            own = {method.external_id for method in customer.payment_methods} if customer else set()
            for method in record.methods:
                self._once(self._method_ids, method.external_id, "payment method", record, "payment_methods")
                if method.external_id in taken_methods - own:
                    problem = f"payment method {method.external_id} belongs to another customer"
                    raise ImportFileError(problem, row=record.place, field="payment_methods")
            if record.external_id is not None:
                self._once(self._customer_ids, record.external_id, "the customer's id", record, "user_id")
            if customer is not None:
                self._check_update("a customer", record.email, record, "email")
                changed = update_customer(customer, record)
                _count(self.report.customers, record, bool(changed), batch.changed_customers)
                continue
            _require(record, "email", ("name",))
            if record.address.postcode is None:
                raise ImportFileError(f"{record.email} is new and needs a postcode", row=record.place)
            if record.external_id in taken:
                problem = f"the id {record.external_id} belongs to another customer"
                raise ImportFileError(problem, row=record.place, field="user_id")
            self.report.customers.new += 1
            batch.new_customers.append(record)

    def _sort_orders(self, session: Session, records: list[OrderRecord], batch: Batch) -> None:
        numbers = [record.number for record in records]
        there: dict[str, Order] = {}
        if self._update:
            query = select(Order).where(Order.number.in_(numbers))
            parts = (
                selectinload(Order.shipments),
                selectinload(Order.items).joinedload(OrderItem.variant),
                selectinload(Order.customer),
            )
            there = {order.number: order for order in session.scalars(query.options(*parts))}
        taken = _known(session, Order.number, numbers)
        emails = _known(session, Customer.email, [record.email for record in records]) | self._emails
        skus = [item.sku for record in records for item in record.items]
        known_skus = _known(session, Variant.sku, skus) | self._skus
        for record in records:
            self._once(self._numbers, record.number, "order", record, "order_number")
            if record.number in taken:
                self._check_update("order", record.number, record, "order_number")
                self._update_order(there[record.number], record, batch)
                continue
            _require(record, "order_number", ("email", "status", "currency"))
            if record.email not in emails:
                raise ImportFileError(f"no customer {record.email}", row=record.place, field="email")
            if not record.items:
                raise ImportFileError(f"order {record.number} is new and needs items", row=record.place)
            if sum(item.unit_price * item.quantity for item in record.items) >= MOST_MINOR:
                raise ImportFileError("its total is no amount of money", row=record.place, field="unit_price")
            for item in record.items:
                if item.sku not in known_skus:
                    raise ImportFileError(
                        f"no variant {item.sku}", row=item.place or record.place, field="sku"
                    )
            self.report.orders.new += 1
            batch.new_orders.append(record)

    def _update_order(self, order: Order, record: OrderRecord, batch: Batch) -> None:
        if record.email is not None and record.email != order.customer.email:
            problem = f"order {order.number} belongs to another customer"
            raise ImportFileError(problem, row=record.place, field="email")
        told = sorted((item.sku, item.quantity, item.unit_price) for item in record.items)
        stored = sorted(
            (item.variant.sku if item.variant else "", item.quantity, item.unit_price) for item in order.items
        )
        self.report.other_items += bool(told) and told != stored
        try:
            changed = update_order(order, record)
        except ConflictError as error:
            raise ImportFileError(str(error), row=record.place) from error
        _count(self.report.orders, record, bool(changed), batch.changed_orders)

    def _once(self, seen: set[str], key: str, what: str, record: Record, field: str) -> None:
        if key in seen:
            raise ImportFileError(f"{what} {key} stands twice in the file", row=record.place, field=field)
        seen.add(key)

    def _check_update(self, what: str, key: str, record: Record, field: str) -> None:
        if not self._update:
            problem = f"{what} {key} is there already (--update changes what is there)"
            raise ImportFileError(problem, row=record.place, field=field)


def _known(session: Session, column: InstrumentedAttribute[Any], values: Iterable[str | None]) -> set[str]:
    wanted = {value for value in values if value is not None}
    return set(session.scalars(select(column).where(column.in_(wanted)))) if wanted else set()


def _require(record: Record, key: str, fields: tuple[str, ...]) -> None:
    for field in fields:
        if getattr(record, field) is None:
            raise ImportFileError(f"is needed: {key} is new", row=record.place, field=field)


def _count(tally: Tally, record: T, changed: bool, batch: list[T]) -> None:
    if changed:
        tally.changed += 1
        batch.append(record)
    else:
        tally.unchanged += 1
