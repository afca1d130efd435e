"""A believable small shop to try Duet on: the same customers and orders on every machine."""

from __future__ import annotations

import random
import tomllib
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from itertools import product as combinations

from faker import Faker
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from apps.support.shop.handbook import load_handbook
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
    Return,
    ReturnItem,
    ReturnKind,
    ReturnStatus,
    Shipment,
    ShipmentStatus,
    Variant,
)
from apps.support.shop.policy import Policy, load_policy

PRODUCTS = tomllib.loads((files("apps.support.shop") / "seed_catalog.toml").read_text("utf-8"))["products"]
SEED = 20_240_229
CUSTOMERS = 60
ORDERS = 180
DEMO_EMAILS = ("anna.keller@example.com", "wei.zhang@example.com")
CARRIERS = ("DHL", "UPS", "FedEx", "SF Express")


def seed(session: Session, today: date, number: int = SEED, policy: Policy | None = None) -> bool:
    """Fill an empty database; a database that has customers is left alone and False is returned.

    The dates lie around `today`, so that parcels are on their way when somebody tries the assistant. Another
    `number` makes another shop. The handbook says what `policy` does; without one, the demonstration shop's.
    """
    if session.scalar(select(func.count()).select_from(Customer)):
        return False
    load_handbook(session, policy or load_policy())
    _Seeder(session, today, number).run()
    return True


class _Seeder:
    def __init__(self, session: Session, today: date, number: int) -> None:
        self.session = session
        self.today = today
        self.random = random.Random(number)
        self.english, self.chinese = Faker("en_US"), Faker("zh_CN")
        self.english.seed_instance(number)
        self.chinese.seed_instance(number)
        self.numbers = iter(self.random.sample(range(1_000_000, 9_999_999), ORDERS * 2))

    def run(self) -> None:
        products = self._products()
        customers = [self._customer(index) for index in range(CUSTOMERS)]
        self.session.add_all([*products, *customers])
        variants = [variant for product in products for variant in product.variants]
        statuses = list(OrderStatus)
        for index in range(ORDERS):
            # The two demo customers have an order in every state; the rest is spread over everybody.
            customer = customers[index % 2] if index < 2 * len(statuses) else self.random.choice(customers)
            status = statuses[index // 2] if index < 2 * len(statuses) else self._status()
            self._order(customer, status, variants)
        self.session.flush()

    def _products(self) -> list[Product]:
        products = []
        for row in PRODUCTS:
            product = Product(
                name=row["name"],
                name_zh=row["name_zh"],
                category=row["category"],
                description=row["description"],
                warranty_months=row.get("warranty_months", 0),
            )
            for number, values in enumerate(combinations(*row["options"].values()), start=1):
                stock = self.random.choice((0, 2, 5, 12, 40))
                product.variants.append(
                    Variant(
                        sku=f"{row['sku']}-{number:02}",
                        options=dict(zip(row["options"], values, strict=True)),
                        price=row["price"] + 500 * self.random.randrange(0, 3),
                        currency="USD",
                        available=stock > 0,
                        stock=stock,
                    )
                )
            products.append(product)
        return products

    def _customer(self, index: int) -> Customer:
        chinese = index % 3 == 1
        fake = self.chinese if chinese else self.english
        name = ("Anna Keller", "张伟")[index] if index < 2 else fake.name()
        email = DEMO_EMAILS[index] if index < 2 else f"{self.english.user_name()}{index}@example.com"
        address = Address(
            line1=fake.street_address(),
            line2="",
            city=fake.city(),
            region=fake.province() if chinese else fake.state_abbr(include_territories=False),
            postcode=fake.postcode(),
            country="中国" if chinese else "USA",
        )
        kinds = ("alipay", "wechat_pay", "credit_card") if chinese else ("credit_card", "paypal", "gift_card")
        customer = Customer(
            name=name,
            email=email,
            phone=fake.phone_number(),
            language="zh" if chinese else "en",
            newsletter=self.random.random() < 0.3,
            address=address,
            created_at=self._moment(self.today - timedelta(days=self.random.randrange(200, 900))),
        )
        for kind in self.random.sample(kinds, k=self.random.choice((1, 2))):
            card = kind == "credit_card"
            customer.payment_methods.append(
                PaymentMethod(
                    kind=kind,
                    brand=self.random.choice(("visa", "mastercard")) if card else None,
                    last_four=f"{self.random.randrange(10_000):04}" if card else None,
                    balance=self.random.randrange(0, 200) * 100 if kind == "gift_card" else None,
                    currency="USD",
                )
            )
        return customer

    def _status(self) -> OrderStatus:
        return self.random.choices(list(OrderStatus), weights=(30, 12, 18, 32, 8))[0]

    def _order(self, customer: Customer, status: OrderStatus, variants: list[Variant]) -> None:
        age = {
            OrderStatus.PENDING: self.random.randrange(0, 2),
            OrderStatus.PROCESSED: self.random.randrange(1, 3),
            OrderStatus.SHIPPED: self.random.randrange(2, 6),
            OrderStatus.DELIVERED: self.random.randrange(8, 60),
            OrderStatus.CANCELLED: self.random.randrange(3, 60),
        }[status]
        placed_on = self.today - timedelta(days=age)
        number = next(self.numbers)
        order = Order(
            number=f"W{number}",
            customer=customer,
            status=status,
            currency="USD",
            total=0,
            placed_at=self._moment(placed_on),
            address=customer.address,
            invoice_number=f"INV-{number}"
            if status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED)
            else None,
        )
        for variant in self.random.sample(variants, k=self.random.choice((1, 1, 2, 3))):
            order.items.append(
                OrderItem(
                    variant=variant,
                    name=variant.product.name,
                    options=variant.options,
                    quantity=self.random.choice((1, 1, 1, 2)),
                    unit_price=variant.price,
                )
            )
        order.total = sum(item.total for item in order.items)
        method = self.random.choice(customer.payment_methods)
        self._pay(order, method, PaymentKind.PAYMENT, PaymentStatus.COMPLETED, order.total, placed_on)
        if status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
            self._ship(order, placed_on)
        if status == OrderStatus.CANCELLED:
            cancelled_on = placed_on + timedelta(days=1)
            order.cancelled_at, order.cancel_reason = self._moment(cancelled_on), "no longer needed"
            self._pay(order, method, PaymentKind.REFUND, PaymentStatus.COMPLETED, order.total, cancelled_on)
        if status == OrderStatus.DELIVERED and self.random.random() < 0.2:
            self._return(order, method)
        self.session.add(order)

    def _pay(
        self,
        order: Order,
        method: PaymentMethod,
        kind: PaymentKind,
        status: PaymentStatus,
        amount: int,
        on: date,
    ) -> None:
        order.payments.append(
            Payment(
                method=method,
                kind=kind,
                status=status,
                amount=amount,
                currency=order.currency,
                created_at=self._moment(on),
            )
        )

    def _ship(self, order: Order, placed_on: date) -> None:
        delivered = order.status == OrderStatus.DELIVERED
        shipped_on = placed_on + timedelta(days=1)
        expected_on = shipped_on + timedelta(days=self.random.randrange(4, 7))
        shipment = Shipment(
            carrier=self.random.choice(CARRIERS),
            tracking_number="".join(str(self.random.randrange(10)) for _ in range(12)),
            status=ShipmentStatus.DELIVERED if delivered else ShipmentStatus.IN_TRANSIT,
            shipped_on=shipped_on,
            expected_on=expected_on,
            delivered_on=expected_on if delivered else None,
        )
        order.shipments.append(shipment)
        for item in order.items:
            item.shipment = shipment

    def _return(self, order: Order, method: PaymentMethod) -> None:
        item = order.items[0]
        status = self.random.choice((ReturnStatus.REQUESTED, ReturnStatus.RECEIVED, ReturnStatus.COMPLETED))
        amount = item.total
        asked_on = min(
            order.shipments[0].expected_on or self.today, self.today - timedelta(days=1)
        ) + timedelta(days=1)
        order.returns.append(
            Return(
                number=f"R{next(self.numbers)}",
                kind=ReturnKind.RETURN,
                status=status,
                reason="does not fit",
                refund=amount,
                currency=order.currency,
                created_at=self._moment(asked_on),
                items=[ReturnItem(order_item=item, quantity=item.quantity)],
            )
        )
        if status == ReturnStatus.COMPLETED:
            self._pay(order, method, PaymentKind.REFUND, PaymentStatus.COMPLETED, amount, asked_on)

    def _moment(self, day: date) -> datetime:
        at = time(hour=self.random.randrange(7, 22), minute=self.random.randrange(60))
        return datetime.combine(day, at, tzinfo=UTC)
