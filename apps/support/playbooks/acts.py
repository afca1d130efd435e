"""An agreed step in the transaction that makes it, with its rows as they must still be."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.errors import ActionRefusedError
from apps.support.playbooks.order_rules import paid_with
from apps.support.reading.state import Step
from apps.support.replies.facts import Value
from apps.support.replies.sentences import Note, write
from apps.support.shop.models import Customer, Order, OrderItem, PaymentMethod, Variant
from apps.support.shop.policy import Policy
from apps.support.words import Language


@dataclass(frozen=True)
class Act:
    """Rows are locked against others' changes; ActionRefusedError where one is not as it was proposed."""

    session: Session
    step: Step
    language: Language
    policy: Policy

    def write(self, key: str, /, *, must: tuple[str, ...] = (), **values: Value) -> Note:
        return write(key, self.language, must=must, policy=self.policy, **values)

    def order(self) -> Order:
        # PostgreSQL locks the row; SQLite holds the only write lock since the transaction began.
        order = self.session.scalar(select(Order).where(Order.id == self.step.order_id).with_for_update())
        if order is None:
            raise ActionRefusedError("changed_meanwhile")
        return order

    def customer(self) -> Customer:
        customer = self.session.get(Customer, self.step.arguments["customer_id"], with_for_update=True)
        if customer is None:
            raise ActionRefusedError("changed_meanwhile")
        return customer

    def item(self, order: Order) -> OrderItem:
        for item in order.items:
            if item.id == self.step.arguments["item_id"]:
                return item
        raise ActionRefusedError("changed_meanwhile")

    def variant(self, order: Order) -> Variant:
        """The variant that was offered, as long as it is on sale in the order's currency."""
        variant = self.session.get(Variant, self.step.arguments["variant_id"], with_for_update=True)
        if variant is None or not variant.available or variant.currency != order.currency:
            raise ActionRefusedError("changed_meanwhile")
        return variant

    def method(self, order: Order) -> PaymentMethod | None:
        """The method that was named in the proposal, else the order's own."""
        number = self.step.arguments.get("method_id")
        if number is None:
            return paid_with(order)
        method = self.session.get(PaymentMethod, number, with_for_update=True)
        if method is None or method.customer_id != order.customer_id:
            raise ActionRefusedError("changed_meanwhile")
        return method
