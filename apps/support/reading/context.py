"""What the reader is shown of a customer, and what its handles mean.

The orders of the view are the customer's latest ones and those that the conversation is about: never all of
them, however many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, selectinload

from apps.support.reading.commands import Command
from apps.support.reading.state import ConversationState, Question, Wish
from apps.support.reading.view import ITEM_HANDLES, METHOD_HANDLES, ORDER_HANDLES, ItemView, OrderView, View
from apps.support.shop.models import (
    Customer,
    Order,
    OrderItem,
    OrderStatus,
    PaymentMethod,
    Product,
    Variant,
)
from apps.support.shop.names import clip, item_name, product_name
from apps.support.words import Language

_METHOD_WORDS = {"credit_card": "card", "paypal": "PayPal", "gift_card": "gift card", "alipay": "Alipay"}


@dataclass
class Context:
    """One customer's orders and payment methods, as far as they are known to the conversation."""

    customer: Customer | None  # whose orders all are open; None: at most some orders are proven
    account: Customer | None = None  # whose account data may be changed
    orders: dict[str, Order] = field(
        default_factory=dict
    )  # handle → order, of those that are shown newest first
    items: dict[str, OrderItem] = field(default_factory=dict)
    methods: dict[str, PaymentMethod] = field(default_factory=dict)
    all_orders: Select[Order] | None = None  # newest first, where there may be more than are shown

    @property
    def known(self) -> bool:
        """Whether there is anything that may be shown."""
        return self.customer is not None or bool(self.orders)

    @property
    def numbers(self) -> dict[str, str]:
        """order number → handle"""
        return {order.number: handle for handle, order in self.orders.items()}

    def order(self, order_id: int | None) -> Order | None:
        return next((order for order in self.orders.values() if order.id == order_id), None)

    def item(self, item_id: int) -> OrderItem | None:
        items = (item for order in self.orders.values() for item in order.items)
        return next((item for item in items if item.id == item_id), None)

    def method(self, method_id: int | None) -> PaymentMethod | None:
        return next((method for method in self.methods.values() if method.id == method_id), None)

    def latest(
        self, session: Session, statuses: Collection[OrderStatus] = frozenset(OrderStatus)
    ) -> list[Order]:
        """The newest of all orders in one of the states, also of those that are not shown: as many as have handles."""
        if self.all_orders is None:
            return [order for order in self.orders.values() if order.status in statuses]
        wanted = self.all_orders.where(Order.status.in_(statuses)).limit(len(ORDER_HANDLES))
        return list(session.scalars(wanted))

    def view(self, session: Session, state: ConversationState, language: Language) -> View:
        """The state of the conversation as the reader sees it."""
        shown = list(self.items.values())
        twins = Counter(item_name(item, language) for item in self.items.values())
        cities = {order.address.city for order in self.orders.values()}
        home = self.account.address.city if self.account else ""
        cities |= {home} - {""}
        orders = tuple(
            OrderView(
                handle,
                order.status.value,
                clip(order.address.city) if len(cities) > 1 else "",
                tuple(self._item_view(item, language, twins) for item in order.items if item in shown),
            )
            for handle, order in self.orders.items()
        )
        product = session.get(Product, state.product_id) if state.product_id else None
        return View(
            known=self.known,
            orders=orders,
            methods=tuple(map(method_label, self.methods.values())),
            home=clip(home) if len(cities) > 1 else "",
            last=self._written(state.last),
            open=self._written(state.pending.wishes) if state.pending else "",
            asked=self._asked(state.question) if state.question else "",
            product=product_name(product, language) if product else "",
        )

    def wish(self, command: Command, text: str) -> Wish:
        """The command with ids in place of handles. A handle that stands for nothing makes it unknown."""
        orders = [self.orders[handle].id for handle in command.orders if handle in self.orders]
        items = [self.items[handle].id for handle in command.items if handle in self.items]
        to_order = self.orders.get(command.to or "")
        like = self.items.get(command.like or "")
        lost = len(orders) < len(command.orders) or len(items) < len(command.items)
        return Wish(
            verb=command.verb,
            orders=tuple(orders),
            items=tuple(items),
            excluded=tuple(self.items[h].id for h in command.excluded if h in self.items),
            alternatives=command.alternatives,
            pick=command.pick,  # type: ignore[arg-type]
            like=like.id if like else None,
            to="order" if to_order else command.to if command.to in ("given", "home") else None,
            to_order=to_order.id if to_order else None,
            methods=tuple(self.methods[handle].id for handle in command.methods if handle in self.methods),
            words=command.words,
            topic=command.topic,
            unknown=command.unknown or lost,
            text=text,
        )

    def command(self, wish: Wish) -> Command:
        """The wish with handles, as far as they are shown."""
        orders = {order.id: handle for handle, order in self.orders.items()}
        items = {item.id: handle for handle, item in self.items.items()}
        methods = {method.id: handle for handle, method in self.methods.items()}
        return Command(
            wish.verb,
            orders=tuple(orders[i] for i in wish.orders if i in orders),
            items=tuple(items[i] for i in wish.items if i in items),
            excluded=tuple(items[i] for i in wish.excluded if i in items),
            alternatives=wish.alternatives,
            to=orders.get(wish.to_order or 0, "given") if wish.to == "order" else wish.to,
            methods=tuple(methods[i] for i in wish.methods if i in methods),
            topic=wish.topic,
        )

    def _item_view(self, item: OrderItem, language: Language, twins: Counter[str]) -> ItemView:
        name = item_name(item, language)
        options = ", ".join(str(value) for value in item.options.values()) if twins[name] > 1 else ""
        return ItemView(
            next(handle for handle, own in self.items.items() if own is item), name, clip(options)
        )

    def _written(self, wishes: Sequence[Wish]) -> str:
        return "; ".join(str(self.command(wish)) for wish in wishes)

    def _asked(self, question: Question) -> str:
        if question.about == "identity" or question.wish is None:
            return "identify"
        if question.about == "method":
            return f"with {' or '.join(self.methods)}"
        command = self.command(question.wish)
        if question.about == "option":
            return f"{command} ?option"
        if question.about == "address":
            return f"{command} to ?"
        known = self.orders if question.about == "order" else self.items
        handles = {thing.id: handle for handle, thing in known.items()}  # type: ignore[attr-defined]
        offered = " or ".join(handles[i] for i in question.choices if i in handles)
        return f"{command.verb} {offered}".strip()


def load_context(session: Session, state: ConversationState, named: Sequence[str] = ()) -> Context:
    """What the conversation knows of its customer: all of theirs once they are proven, else the proven orders.

    Of many orders the latest are shown, and those that are `named` or talked about, however old.
    """
    customer = session.get(Customer, state.trusted_customer_id) if state.trusted_customer_id else None
    if customer is None and not state.proven:
        return Context(None)
    newest_first = (
        select(Order)
        .options(
            selectinload(Order.items).selectinload(OrderItem.variant).selectinload(Variant.product),
            selectinload(Order.payments),
            selectinload(Order.returns),
        )
        .order_by(Order.placed_at.desc().nulls_last(), Order.id.desc())
    )
    if customer is not None:
        own = newest_first.where(Order.customer_id == customer.id)
    else:
        own = newest_first.where(Order.number.in_(state.proven))
    found = list(session.scalars(own.limit(len(ORDER_HANDLES))))
    is_cut = len(found) == len(ORDER_HANDLES)
    if is_cut:
        of_items = select(OrderItem.order_id).where(OrderItem.id.in_(_items_in_question(state)))
        asked = own.where(
            Order.id.not_in([order.id for order in found]),
            or_(Order.number.in_(named), Order.id.in_(_in_question(state)), Order.id.in_(of_items)),
        )
        more = session.scalars(asked.limit(len(ORDER_HANDLES)))
        found = sorted([*more, *found][: len(ORDER_HANDLES)], key=_age)
    context = Context(customer, customer, all_orders=own if is_cut else None)
    letters = iter(ITEM_HANDLES)
    for handle, order in zip(ORDER_HANDLES, found, strict=False):
        context.orders[handle] = order
        for item, letter in zip(order.items, letters, strict=False):
            context.items[letter] = item
    owner = customer or (found[0].customer if found else None)
    if customer is None and owner is not None and owner.email == state.email:
        context.account = owner  # the order was proven by its owner's own e-mail
    if owner is not None:
        methods = owner.payment_methods if customer else _methods_of(found)
        methods = sorted(methods, key=lambda method: method.id)
        context.methods = dict(zip(METHOD_HANDLES, methods, strict=False))
    return context


def _age(order: Order) -> tuple[bool, float, int]:
    """The newest first, those without a date behind; as the database sorts them."""
    placed = order.placed_at
    return (placed is None, -placed.timestamp() if placed else 0.0, -order.id)


def method_label(method: PaymentMethod) -> str:
    """As the reader sees it: "visa 4242", "PayPal"."""
    if method.kind == "credit_card":
        return f"{clip(method.brand or 'card').lower()} {method.last_four or ''}".strip()
    return _METHOD_WORDS.get(method.kind, method.kind.replace("_", " "))


def _wishes_in_question(state: ConversationState) -> list[Wish]:
    asked = [state.question.wish] if state.question and state.question.wish else []
    return [*state.last, *state.waiting, *(state.pending.wishes if state.pending else ()), *asked]


def _items_in_question(state: ConversationState) -> set[int]:
    items = {item_id for wish in _wishes_in_question(state) for item_id in wish.items}
    offered = state.question.choices if state.question and state.question.about == "item" else ()
    return items | {*offered, *state.item_ids}


def _in_question(state: ConversationState) -> set[int]:
    orders = {order_id for wish in _wishes_in_question(state) for order_id in wish.orders}
    orders |= {step.order_id for step in state.pending.steps if step.order_id} if state.pending else set()
    return orders | ({state.order_id} if state.order_id else set())


def _methods_of(orders: Sequence[Order]) -> list[PaymentMethod]:
    """The methods that the orders were paid with: of more nobody has proven to be the owner."""
    methods = (payment.method for order in orders for payment in order.payments if payment.method)
    return list({method.id: method for method in methods}.values())
