"""A shop with short order numbers, in which everything has the figure that a test expects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product as combinations

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from apps.support.conversations import records
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.turn import TurnResult
from apps.support.reading.state import ConversationState
from apps.support.shop.database import Database
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
    Shipment,
    ShipmentStatus,
    Variant,
)
from tests.support.stored import TODAY

ZOE, MAX = "zoe@example.com", "max@example.com"
HOME = Address("5 Elm Road", "", "Dover", "DE", "19901", "USA")
AUSTIN = Address("12 Oak Street", "Apt 3", "Austin", "TX", "78701", "USA")
BOSTON = Address("9 Bay Street", "", "Boston", "MA", "02108", "USA")
SWITCHES, LIGHTS = ("clicky", "linear", "tactile"), ("RGB", "white", "none")


def fill(session: Session) -> None:
    """Zoe's orders, newest first: P 1002 pending (a keyboard, b thermostat), Q 1007 pending (c mug),
    R 1005 shipped (d lamp), S 1001 delivered (e pet bed, f mug, g lamp). Max has order 1003.

    Zoe pays with 1 a card, 2 PayPal, 3 a gift card with $50.
    """
    keyboard = _product("Mechanical Keyboard")
    for number, (switch, light) in enumerate(combinations(SWITCHES, LIGHTS)):
        _variant(keyboard, {"switch type": switch, "backlight": light}, 9000 + 500 * number)
    thermostat = _product("Smart Thermostat")
    _variant(thermostat, {"compatibility": "Apple HomeKit"}, 20000)
    _variant(thermostat, {"compatibility": "Google Home"}, 19000)
    mug = _product("Mug")
    for color, price in (("red", 800), ("blue", 900), ("green", 1200)):
        _variant(mug, {"color": color}, price)
    lamp = _product("Desk Lamp")
    _variant(lamp, {"color": "black"}, 4000)
    bed = _product("Pet Bed")
    _variant(bed, {"size": "large"}, 6000)
    session.add_all([keyboard, thermostat, mug, lamp, bed])
    zoe = _customer("Zoe Lind", ZOE, HOME)
    zoe.payment_methods = [
        PaymentMethod(kind="credit_card", brand="visa", last_four="4242", currency="USD"),
        PaymentMethod(kind="paypal", currency="USD"),
        PaymentMethod(kind="gift_card", balance=5000, currency="USD"),
    ]
    other = _customer("Max Berg", MAX, BOSTON)
    other.payment_methods = [PaymentMethod(kind="paypal", currency="USD")]
    session.add_all([zoe, other])
    session.flush()
    place = OrderStatus
    _order(session, zoe, "1002", place.PENDING, AUSTIN, [keyboard.variants[0], thermostat.variants[0]], 0)
    _order(session, zoe, "1007", place.PENDING, AUSTIN, [mug.variants[0]], 1)
    _order(session, zoe, "1005", place.SHIPPED, HOME, [lamp.variants[0]], 4)
    _order(
        session, zoe, "1001", place.DELIVERED, BOSTON, [bed.variants[0], mug.variants[1], lamp.variants[0]], 9
    )
    _order(session, other, "1003", place.PENDING, BOSTON, [mug.variants[0]], 2)


class Chat:
    """One conversation, message by message."""

    def __init__(self, pipeline: SupportPipeline, customer: str | None = ZOE, language: str = "en") -> None:
        self.pipeline = pipeline
        self.database = pipeline.database
        with self.database.write() as session:
            opened = records.open_conversation(
                session, channel="test", language=language, trusted_email=customer
            )
            self.id = opened.id

    def __call__(self, *messages: str) -> TurnResult:
        """Say them all; the last answer."""
        return [self.pipeline.answer(self.id, message) for message in messages][-1]

    @property
    def state(self) -> ConversationState:
        with self.database.read() as session:
            return records.load_state(records.get_conversation(session, self.id))


_LOADED = [
    selectinload(Order.customer).selectinload(Customer.payment_methods),
    selectinload(Order.payments).selectinload(Payment.method),
    selectinload(Order.items).selectinload(OrderItem.variant),
    selectinload(Order.returns).selectinload(Return.items).selectinload(ReturnItem.replacement),
]


def order_of(database: Database, number: str) -> Order:
    """With what a test looks at loaded."""
    with database.read() as session:
        return session.scalars(select(Order).where(Order.number == number).options(*_LOADED)).one()


def statuses(database: Database) -> dict[str, str]:
    with database.read() as session:
        return {order.number: order.status.value for order in session.scalars(select(Order))}


def method_of(database: Database, kind: str) -> PaymentMethod:
    """Zoe's payment method of a kind."""
    with database.read() as session:
        query = select(PaymentMethod).join(Customer).where(Customer.email == ZOE, PaymentMethod.kind == kind)
        return session.scalars(query).one()


def _product(name: str) -> Product:
    return Product(name=name, name_zh=None, category="things", description="", warranty_months=None)


def _variant(product: Product, options: dict[str, str], price: int) -> None:
    sku = f"{product.name}-{len(product.variants)}"
    product.variants.append(
        Variant(sku=sku, options=options, price=price, currency="USD", available=True, stock=9)
    )


def _customer(name: str, email: str, address: Address) -> Customer:
    return Customer(name=name, email=email, language="en", newsletter=False, address=address)


def _order(
    session: Session,
    customer: Customer,
    number: str,
    status: OrderStatus,
    address: Address,
    variants: list[Variant],
    days_ago: int,
) -> None:
    placed = datetime.combine(TODAY, datetime.min.time(), UTC) - timedelta(days=days_ago)
    items = [
        OrderItem(
            variant=variant,
            name=variant.product.name,
            options=variant.options,
            quantity=1,
            unit_price=variant.price,
        )
        for variant in variants
    ]
    total = sum(item.unit_price for item in items)
    paid = Payment(
        method=customer.payment_methods[0],
        kind=PaymentKind.PAYMENT,
        status=PaymentStatus.COMPLETED,
        amount=total,
        currency="USD",
        created_at=placed,
    )
    order = Order(
        number=number,
        status=status,
        currency="USD",
        total=total,
        placed_at=placed,
        address=address,
        items=items,
        payments=[paid],
        customer=customer,
    )
    if status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        delivered = status == OrderStatus.DELIVERED
        parcel = Shipment(
            carrier="DHL",
            tracking_number=f"55{number}",
            status=ShipmentStatus.DELIVERED if delivered else ShipmentStatus.IN_TRANSIT,
            expected_on=TODAY + timedelta(days=2),
            delivered_on=TODAY - timedelta(days=3) if delivered else None,
        )
        order.shipments = [parcel]
    session.add(order)
    session.flush()
