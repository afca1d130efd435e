"""The JSON layout of tau2-bench's retail shop: {"products": {id: …}, "users": {id: …}, "orders": {id: …}}."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from apps.support.errors import ImportFileError
from apps.support.shop.changes import AddressChange, ShipmentChange
from apps.support.shop.importing.records import (
    CustomerRecord,
    ItemRecord,
    MethodRecord,
    OrderRecord,
    PaymentRecord,
    Record,
    VariantRecord,
)
from apps.support.shop.models import OrderStatus, PaymentKind, ShipmentStatus
from apps.support.shop.money import parse_minor

CURRENCY = "USD"
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Maybe = Annotated[str, Field(max_length=255)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False, lt=1e12)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Address(_Row):
    line1: Text = Field(alias="address1")
    line2: Maybe = Field(default="", alias="address2")
    city: Text
    region: Maybe = Field(default="", alias="state")
    postcode: Annotated[str, StringConstraints(min_length=1, max_length=32)] = Field(alias="zip")
    country: Annotated[str, StringConstraints(min_length=1, max_length=64)]

    def told(self) -> AddressChange:
        return AddressChange(**self.model_dump())


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
    external_id: Text = Field(alias="id")
    kind: Text = Field(alias="source")
    brand: Maybe | None = None
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


class RetailShop:
    """The file's content as records. Raises ImportFileError at the first thing that is wrong."""

    def __init__(self, content: str) -> None:
        try:
            self._shop = _Shop.model_validate(json.loads(content))
        except json.JSONDecodeError as error:
            raise ImportFileError(f"not JSON: {error.msg}", row=f"line {error.lineno}") from error
        except RecursionError as error:
            raise ImportFileError("not a shop: nested too deeply") from error
        except ValidationError as error:
            _refuse(error.errors()[0])
        variants = sum(len(product.variants) for product in self._shop.products.values())
        self.rows = variants + len(self._shop.users) + len(self._shop.orders)

    def records(self, on_row: Callable[[int], None]) -> Iterator[Record]:
        readers = (_variants(self._shop), _customers(self._shop), _orders(self._shop))
        for done, record in enumerate(chain(*readers), start=1):
            yield record
            on_row(done)


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


def _variants(shop: _Shop) -> Iterator[Record]:
    for key, row in shop.products.items():
        place = f"products[{key!r}]"
        for item in row.variants.values():
            yield VariantRecord(
                place=place,
                product=row.name,
                product_external_id=row.product_id,
                sku=item.item_id,
                options=item.options,
                price=_minor(item.price, place, f"variants.{item.item_id}.price"),
                currency=CURRENCY,
                available=item.available,
            )


def _customers(shop: _Shop) -> Iterator[Record]:
    for key, row in shop.users.items():
        place = f"users[{key!r}]"
        methods = []
        for method in row.payment_methods.values():
            field = f"payment_methods.{method.external_id}.balance"
            balance = None if method.balance is None else _minor(method.balance, place, field)
            own = method.model_dump(exclude={"balance"})
            methods.append(MethodRecord(balance=balance, currency=CURRENCY, **own))
        yield CustomerRecord(
            place=place,
            external_id=row.user_id,
            name=f"{row.name.first_name} {row.name.last_name}",
            email=row.email.lower(),
            language="en",
            address=row.address.told(),
            methods=methods,
        )


def _orders(shop: _Shop) -> Iterator[Record]:
    emails = {user.user_id: user.email.lower() for user in shop.users.values()}
    skus = {item.item_id for product in shop.products.values() for item in product.variants.values()}
    methods = {method.external_id for user in shop.users.values() for method in user.payment_methods.values()}
    for key, row in shop.orders.items():
        place = f"orders[{key!r}]"
        if row.user_id not in emails:
            raise ImportFileError(f"no user {row.user_id!r}", row=place, field="user_id")
        for position, item in enumerate(row.items):
            if item.item_id not in skus:
                raise ImportFileError(
                    f"no item {item.item_id!r}", row=place, field=f"items.{position}.item_id"
                )
        for position, paid in enumerate(row.payment_history):
            if paid.payment_method_id not in methods:
                field = f"payment_history.{position}.payment_method_id"
                raise ImportFileError(f"no payment method {paid.payment_method_id!r}", row=place, field=field)
        yield _order(row, place, emails[row.user_id])


def _order(row: _Order, place: str, email: str) -> OrderRecord:
    numbers = [number for parcel in row.fulfillments for number in parcel.tracking_id]
    parcel_of = {
        item: number
        for parcel in row.fulfillments
        for number in parcel.tracking_id
        for item in parcel.item_ids
    }
    status = OrderStatus(row.status)
    parcel_status = ShipmentStatus.DELIVERED if status is OrderStatus.DELIVERED else ShipmentStatus.PREPARING
    return OrderRecord(
        place=place,
        number=row.order_id.lstrip("#").upper(),
        email=email,
        status=status,
        currency=CURRENCY,
        address=row.address.told(),
        items=[
            ItemRecord(
                sku=item.item_id,
                name=item.name,
                options=item.options,
                quantity=1,
                unit_price=_minor(item.price, place, f"items.{position}.price"),
                tracking_number=parcel_of.get(item.item_id),
            )
            for position, item in enumerate(row.items)
        ],
        payments=[
            PaymentRecord(
                method=paid.payment_method_id,
                kind=PaymentKind(paid.transaction_type),
                amount=_minor(paid.amount, place, f"payment_history.{position}.amount"),
            )
            for position, paid in enumerate(row.payment_history)
        ],
        shipments=[
            ShipmentChange(tracking_number=number, status=parcel_status) for number in dict.fromkeys(numbers)
        ],
    )
