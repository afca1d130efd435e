"""What a file says of the shop, whatever its layout; also what an import under way keeps in the database.

None stands for what the file does not say: an update leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel, Field

from apps.support.shop.changes import AddressChange, ShipmentChange
from apps.support.shop.models import OrderStatus, PaymentKind


class Record(BaseModel):
    place: str = Field(default="", exclude=True)  # where it stands in the file


class VariantRecord(Record):
    """A variant, with its product's own fields."""

    sku: str
    product: str | None = None
    product_external_id: str | None = None
    product_zh: str | None = None
    category: str | None = None
    description: str | None = None
    warranty_months: int | None = None
    price: int | None = None  # minor units
    currency: str | None = None
    stock: int | None = None
    available: bool | None = None
    options: dict[str, str] | None = None

    @property
    def key(self) -> str:
        return self.sku

    @property
    def product_key(self) -> tuple[str, str]:
        """What tells the product from others: the shop's id for it, or its name."""
        if self.product_external_id is not None:
            return ("id", self.product_external_id)
        return ("name", self.product or "")


class MethodRecord(BaseModel):
    external_id: str
    kind: str
    brand: str | None = None
    last_four: str | None = None
    balance: int | None = None
    currency: str


class CustomerRecord(Record):
    email: str
    external_id: str | None = None
    name: str | None = None
    phone: str | None = None
    language: str | None = None
    newsletter: bool | None = None
    address: AddressChange = AddressChange()
    methods: list[MethodRecord] = []

    @property
    def key(self) -> str:
        return self.email


class ItemRecord(BaseModel):
    """`name` and `options` are the variant's where the file does not say them."""

    sku: str
    quantity: int
    unit_price: int
    name: str | None = None
    options: dict[str, str] | None = None
    tracking_number: str | None = None
    place: str = Field(default="", exclude=True)


class PaymentRecord(BaseModel):
    kind: PaymentKind
    amount: int
    method: str | None = None  # the shop's id for the payment method


class OrderRecord(Record):
    """Without an address it goes to the customer's."""

    number: str
    email: str | None = None
    status: OrderStatus | None = None
    currency: str | None = None
    placed_at: datetime | None = None
    address: AddressChange = AddressChange()
    items: list[ItemRecord] = []
    payments: list[PaymentRecord] = []
    shipments: list[ShipmentChange] = []

    @property
    def key(self) -> str:
        return self.number


class Batch(BaseModel):
    """Records that are written in one transaction."""

    new_variants: list[VariantRecord] = []
    new_customers: list[CustomerRecord] = []
    new_orders: list[OrderRecord] = []
    changed_variants: list[VariantRecord] = []
    changed_customers: list[CustomerRecord] = []
    changed_orders: list[OrderRecord] = []

    def single(self) -> Iterator[tuple[str, Batch]]:
        """Each record as a batch of its own, with the key that names it."""
        for field in type(self).model_fields:
            for record in getattr(self, field):
                yield record.key, Batch(**{field: [record]})
