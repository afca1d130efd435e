"""Playbooks that tell about orders and change nothing: where they are, what is in them, what was paid or refunded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy import func, select

from apps.support.playbooks.case import Case, Outcome, said, told
from apps.support.playbooks.handbook_answers import answer_from
from apps.support.playbooks.things import by_price, items_meant, orders_meant, unknown
from apps.support.reading.state import Question
from apps.support.replies.descriptions import describe_item, describe_order, item_facts, item_list, method_of
from apps.support.replies.facts import Money, make_fact
from apps.support.replies.sentences import Note, status_word
from apps.support.shop.models import (
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    PaymentKind,
    PaymentStatus,
    ReturnKind,
    ReturnStatus,
    Shipment,
)
from apps.support.words import listing

_ACCOUNT_DATA = answer_from("account", "account_data")
MOST_LISTED_CHARACTERS = 160
"""A longer list of items is said as written: a small model drops parts of it, and it has one good form."""
OPEN = frozenset({OrderStatus.PENDING, OrderStatus.PROCESSED, OrderStatus.SHIPPED})
ANY = frozenset(OrderStatus)
_WAITING = frozenset({OrderStatus.PENDING, OrderStatus.PROCESSED})
_REFUNDABLE = frozenset({OrderStatus.DELIVERED, OrderStatus.CANCELLED})
_PAYMENT_KEYS = {
    PaymentStatus.COMPLETED: "paid",
    PaymentStatus.FAILED: "payment_failed",
    PaymentStatus.PENDING: "payment_open",
}
_STATUSES: dict[str, frozenset[OrderStatus]] = {
    "status": OPEN,
    "tracking": frozenset({OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.PROCESSED}),
    "refund": _REFUNDABLE,
    "lost": frozenset({OrderStatus.DELIVERED, OrderStatus.SHIPPED}),
}


def order_question(tell: Callable[[Case, Order], list[Note]]) -> Callable[[Case], Outcome]:
    """A playbook that tells something about each order that is meant."""

    def playbook(case: Case) -> Outcome:
        meant = orders_meant(case, _STATUSES.get(case.wish.verb, ANY))
        if isinstance(meant, Outcome):
            return meant
        case.state.order_id = meant[0].id
        notes: list[Note] = []
        for order in meant:
            notes += _with_number(tell(case, order), order, case)
        listed = sum(len(note.text) for note in notes if note.key in ("items", "item_price"))
        exact = listed > MOST_LISTED_CHARACTERS or len(meant) > 1
        return Outcome(
            _each_once(notes), exact=exact, looked_up={"order": meant[0].number, "status": meant[0].status}
        )

    return playbook


def status(case: Case, order: Order) -> list[Note]:
    return [status_note(case, order), *_parcels(case, order)]


def lost(case: Case, order: Order) -> list[Note]:
    if order.status != OrderStatus.DELIVERED:
        return [*status(case, order), case.write("offer_person")]
    return [case.write("lost_delivered", must=("order",), order=f"#{order.number}")]


def tracking(case: Case, order: Order) -> list[Note]:
    parcels = [note for parcel in order.shipments for note in _tracking(case, parcel)]
    if parcels:
        return parcels
    key = "no_tracking_yet" if order.status in _WAITING else "no_tracking"
    return [status_note(case, order), case.write(key, order=f"#{order.number}")]


def contents(case: Case, order: Order) -> list[Note]:
    note = case.write("items", items=item_list(order.items, case.language))
    return [Note(note.key, note.text, (*note.facts, *item_facts(order.items, case.language)))]


def total(case: Case, order: Order) -> list[Note]:
    return [case.write("total", must=("total",), total=Money(order.total, order.currency))]


def ships_to(case: Case, order: Order) -> list[Note]:
    return [case.write("ships_to", must=("address",), address=order.address.one_line())]


def placed(case: Case, order: Order) -> list[Note]:
    if order.placed_at is None:
        return [case.write("placed_unknown", order=f"#{order.number}")]
    return [case.write("placed", must=("placed",), placed=order.placed_at.date())]


def payment(case: Case, order: Order) -> list[Note]:
    found = [_payment(case, entry) for entry in order.payments if entry.kind == PaymentKind.PAYMENT]
    return found or [status_note(case, order)]


def refund(case: Case, order: Order) -> list[Note]:
    notes = [_refund(case, entry) for entry in order.payments if entry.kind == PaymentKind.REFUND]
    for back in order.returns:
        if back.kind != ReturnKind.RETURN:
            continue
        items = item_list([entry.order_item for entry in back.items], case.language)
        accepted = back.status != ReturnStatus.REJECTED
        key, must = f"return_{back.status.value}", ("number", "amount") if accepted else ("number",)
        money = Money(back.refund, back.currency)
        notes.append(case.write(key, must=must, number=back.number, items=items, amount=money))
    if not notes:
        notes = [case.write("no_refund", must=("order",), order=f"#{order.number}")]
        notes.append(status_note(case, order))
    return notes


def invoice(case: Case, order: Order) -> list[Note]:
    number, money = f"#{order.number}", Money(order.total, order.currency)
    if order.invoice_number is None:
        return [case.write("invoice_later", must=("order", "total"), order=number, total=money)]
    must = ("order", "invoice", "total")
    invoice_number = order.invoice_number
    return [case.write("invoice", must=must, order=number, invoice=invoice_number, total=money)]


def item_price(case: Case) -> Outcome:
    """What items cost in their order: those that are named, the dearest, or each of them."""
    wish = case.wish
    if wish.items or wish.pick is None:
        if not (wish.items or wish.unknown):
            return order_question(lambda c, order: [_item_price(c, item) for item in order.items])(case)
        meant = items_meant(case, ANY, whole_order=True)
        if isinstance(meant, Outcome):
            return meant
        return told(*(_item_price(case, item) for item in meant))
    orders = orders_meant(case, ANY)
    if isinstance(orders, Outcome):
        return orders
    case.state.order_id = orders[0].id
    items = [item for order in orders for item in order.items]
    picked = by_price(case, items, wish.pick) if items else unknown(case)
    if isinstance(picked, Outcome):
        return picked
    (item,) = picked
    case.state.item_ids = [item.id]
    return said(
        case.write(
            "item_pick",
            must=("price",),
            pick=case.write(f"pick_{wish.pick}").text,
            order=f"#{item.order.number}",
            item=describe_item(item, case.language),
            price=Money(item.total, item.order.currency),
        )
    )


def list_orders(case: Case) -> Outcome:
    orders = case.context.latest(case.session)
    if not orders:
        return said(case.write("no_orders"))
    labels = tuple(describe_order(order, case.language) for order in orders)
    note = case.write("orders", must=("orders",), orders=listing(list(labels), case.language))
    question = case.state.question
    choices = tuple(order.id for order in orders)
    if question is not None and question.wish is not None and question.about == "order":
        question = question.model_copy(update={"choices": choices, "labels": labels})
    else:
        wish = case.wish.model_copy(update={"verb": "status"})
        question = Question(about="order", wish=wish, choices=choices, labels=labels)
    return Outcome([note], question=question, exact=True)


def spent(case: Case) -> Outcome:
    """The sums of the customer's orders, in each currency; without a customer, of those that are proven."""
    customer = case.context.customer
    own = Order.customer_id == customer.id if customer is not None else Order.number.in_(case.state.proven)
    sums = (
        select(Order.currency, func.count(), func.sum(Order.total))
        .where(own, Order.status != OrderStatus.CANCELLED)
        .group_by(Order.currency)
    )
    notes = [
        case.write("spent", must=("amount",), count=count, amount=Money(int(amount), currency))
        for currency, count, amount in case.session.execute(sums)
    ]
    return said(*(notes or [case.write("no_orders")]))


def given_back(case: Case) -> Outcome:
    """What goes back to the customer in this conversation, and with what is proposed."""
    sums = Counter(case.state.given_back)
    if case.state.pending is not None:
        sums.update(case.state.pending.gives_back)
    notes = [
        case.write("sum_back", must=("amount",), amount=Money(amount, currency))
        for currency, amount in sums.items()
    ]
    return said(*(notes or [case.write("sum_nothing")]))


def profile(case: Case) -> Outcome:
    account = case.context.account
    if account is None:
        return _ACCOUNT_DATA(case)
    address = case.write("profile_address", must=("address",), address=account.address.one_line())
    return told(address, case.write("profile_email", must=("email",), email=account.email))


def status_note(case: Case, order: Order) -> Note:
    key, word = f"order_{order.status.value}", status_word(order.status, case.language)
    return case.write(key, must=("order", "status"), order=f"#{order.number}", status=word)


def _item_price(case: Case, item: OrderItem) -> Note:
    return case.write(
        "item_price",
        must=("price",),
        item=describe_item(item, case.language),
        price=Money(item.total, item.order.currency),
    )


def _parcels(case: Case, order: Order) -> list[Note]:
    if order.status not in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        return []
    return [note for parcel in order.shipments for note in _parcel(case, parcel)]


def _parcel(case: Case, parcel: Shipment) -> list[Note]:
    notes = _tracking(case, parcel)
    if parcel.delivered_on:
        notes.append(case.write("delivered_on", must=("delivered",), delivered=parcel.delivered_on))
    elif parcel.expected_on:
        key = "late" if parcel.expected_on < case.today else "expected"
        notes.append(case.write(key, must=("expected",), expected=parcel.expected_on))
    return notes


def _tracking(case: Case, parcel: Shipment) -> list[Note]:
    if not parcel.tracking_number:
        return []
    number, must = parcel.tracking_number, ("tracking",)
    if not parcel.carrier:
        return [case.write("tracking", must=must, tracking=number)]
    return [case.write("tracking_carrier", must=must, carrier=parcel.carrier, tracking=number)]


def _payment(case: Case, entry: Payment) -> Note:
    return case.write(
        _PAYMENT_KEYS[entry.status],
        must=("amount",),
        method=method_of(entry.method, case.language),
        amount=Money(entry.amount, entry.currency),
    )


def _refund(case: Case, entry: Payment) -> Note:
    key = "refunded" if entry.status == PaymentStatus.COMPLETED else "refund_pending"
    amount, method = Money(entry.amount, entry.currency), method_of(entry.method, case.language)
    return case.write(key, must=("amount",), amount=amount, method=method)


def _with_number(notes: list[Note], order: Order, case: Case) -> list[Note]:
    """The notes, with the order's number among what a reply may say: "the total of order #W1234567 is …"."""
    if not notes or any(fact.name == "order" for note in notes for fact in note.facts):
        return notes
    number = make_fact("order", f"#{order.number}", case.language, must=False)
    return [Note(notes[0].key, notes[0].text, (*notes[0].facts, number)), *notes[1:]]


def _each_once(notes: Sequence[Note]) -> list[Note]:
    return list({note.text: note for note in notes}.values())
