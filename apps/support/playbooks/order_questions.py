"""Playbooks that tell about an order and change nothing: where it is, what is in it, what was paid or refunded."""

from __future__ import annotations

import re

from apps.support.conversations.identity import find_order, latest_orders
from apps.support.playbooks.case import Case, Outcome
from apps.support.playbooks.handbook_answers import answer_from
from apps.support.playbooks.proof import ANY, OPEN, with_order
from apps.support.reading.aspects import Aspect
from apps.support.replies.descriptions import describe_item, describe_order, item_facts, item_list, method_of
from apps.support.replies.facts import Money, make_fact
from apps.support.replies.sentences import Note, listing, status_word, write
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

MOST_LISTED_CHARACTERS = 160
"""A longer list of items is said as written: a small model drops parts of it, and it has one good form."""

HOW_LONG = re.compile(r"\bhow (?:long|many days|soon|fast)\b|多久|几天|多长时间", re.IGNORECASE)
refund_time = answer_from("refunds", "refund_time")
_DELIVERY_TIMES = answer_from("delivery", "delivery_times")
_KIND_OF_DELIVERY = re.compile(r"\b(?:express|standard)\b|加急|标准(?:配送|快递)", re.IGNORECASE)
_ON_THE_ROAD = frozenset({OrderStatus.PROCESSED, OrderStatus.SHIPPED, OrderStatus.DELIVERED})
_PAYMENT_KEYS = {
    PaymentStatus.COMPLETED: "paid",
    PaymentStatus.FAILED: "payment_failed",
    PaymentStatus.PENDING: "payment_open",
}
_EVERYTHING: tuple[Aspect, ...] = ("status", "items", "total", "placed", "address")


@with_order(OPEN)
def track_order(case: Case, order: Order) -> Outcome:
    return Outcome([status_note(case, order), *_parcels(case, order)])


def delivery_period(case: Case) -> Outcome:
    """When an order arrives, if one is in question and not delivered yet; else how long delivery takes."""
    if case.state.order_number is not None and not _KIND_OF_DELIVERY.search(case.text):
        access = find_order(case.session, case.state, OPEN, new_proof=case.new_proof)
        if access.order is None or access.order.status in _ON_THE_ROAD:
            return track_order(case)
    return _DELIVERY_TIMES(case)


@with_order(ANY)
def order_details(case: Case, order: Order) -> Outcome:
    """What the message asks to be told about the order; everything where it asks for nothing in particular."""
    priced = "price" in case.entities.wishes and any(_is_named(case, item) for item in order.items)
    asks: tuple[Aspect, ...] = tuple(aspect for aspect in case.entities.asks if aspect != "orders")
    asks = asks or (("total",) if priced else _EVERYTHING)
    notes: list[Note] = []
    for aspect in asks:
        notes.extend(_told(case, order, aspect))
    if not any(fact.name == "order" for note in notes for fact in note.facts) and asks == _EVERYTHING:
        notes.insert(0, status_note(case, order))
    listed = sum(len(note.text) for note in notes if note.key == "items")
    return Outcome(_with_number(_each_once(notes), order, case), exact=listed > MOST_LISTED_CHARACTERS)


def list_orders(case: Case) -> Outcome:
    """The latest orders of a customer whom a trusted caller named; everybody else must name and prove one."""
    customer_id = case.state.trusted_customer_id
    if case.state.awaiting == "order" and case.new_proof:
        return order_details(case)  # one of the list was chosen
    if customer_id is None:
        return track_order(case)
    orders = latest_orders(case.session, customer_id)
    if not orders:
        return Outcome([write("no_orders", case.language)], exact=True)
    case.state.choices = [order.number for order in orders]
    listed = listing([describe_order(order, case.language) for order in orders], case.language)
    note = write("orders", case.language, must=("orders",), orders=listed)
    return Outcome([note], awaiting="order", exact=True)


@with_order({OrderStatus.DELIVERED, OrderStatus.CANCELLED})
def track_refund(case: Case, order: Order) -> Outcome:
    started = order.returns or any(payment.kind == PaymentKind.REFUND for payment in order.payments)
    if not started and HOW_LONG.search(case.text):
        return refund_time(case)
    return Outcome(refunds(case, order))


@with_order(ANY)
def get_invoice(case: Case, order: Order) -> Outcome:
    number, total = f"#{order.number}", Money(order.total, order.currency)
    if order.invoice_number is None:
        note = write("invoice_later", case.language, must=("order", "total"), order=number, total=total)
        return Outcome([note])
    invoice = order.invoice_number
    must = ("order", "invoice", "total")
    return Outcome([write("invoice", case.language, must=must, order=number, invoice=invoice, total=total)])


@with_order(ANY)
def payment_of_order(case: Case, order: Order) -> Outcome:
    return Outcome([status_note(case, order), *_payments(case, order)])


def status_note(case: Case, order: Order) -> Note:
    key, word = f"order_{order.status.value}", status_word(order.status, case.language)
    return write(key, case.language, must=("order", "status"), order=f"#{order.number}", status=word)


def _told(case: Case, order: Order, aspect: Aspect) -> list[Note]:
    language = case.language
    if aspect == "status":
        return [status_note(case, order), *(_parcels(case, order) if case.entities.asks else [])]
    if aspect == "tracking":
        parcels = [note for parcel in order.shipments for note in _tracking(case, parcel)]
        if parcels and order.status in _ON_THE_ROAD:
            return parcels
        waiting = order.status in (OrderStatus.PENDING, OrderStatus.PROCESSED)
        key = "no_tracking_yet" if waiting else "no_tracking"
        return [status_note(case, order), write(key, language, order=f"#{order.number}")]
    if aspect == "items":
        return [_items(case, order)]
    if aspect == "total":
        named = [item for item in order.items if _is_named(case, item)]
        if named:
            return [_item_price(case, order, item) for item in named]
        return [write("total", language, must=("total",), total=Money(order.total, order.currency))]
    if aspect == "address":
        return [write("ships_to", language, must=("address",), address=order.address.one_line())]
    if aspect == "payment":
        return _payments(case, order) or [status_note(case, order)]
    if aspect == "refund":
        return refunds(case, order)
    if order.placed_at is not None:
        return [write("placed", language, must=("placed",), placed=order.placed_at.date())]
    asked = case.entities.asks == ("placed",)
    return [write("placed_unknown", language, order=f"#{order.number}")] if asked else []


def _items(case: Case, order: Order) -> Note:
    note = write("items", case.language, items=item_list(order.items, case.language))
    return Note(note.key, note.text, (*note.facts, *item_facts(order.items, case.language)))


def _item_price(case: Case, order: Order, item: OrderItem) -> Note:
    return write(
        "item_price",
        case.language,
        must=("price",),
        item=describe_item(item, case.language),
        price=Money(item.unit_price * item.quantity, order.currency),
    )


def _is_named(case: Case, item: OrderItem) -> bool:
    return item.variant is not None and item.variant.product_id in case.entities.product_ids


def _parcels(case: Case, order: Order) -> list[Note]:
    if order.status not in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        return []
    return [note for parcel in order.shipments for note in _parcel(case, parcel)]


def _parcel(case: Case, parcel: Shipment) -> list[Note]:
    language, notes = case.language, _tracking(case, parcel)
    if parcel.delivered_on:
        notes.append(write("delivered_on", language, must=("delivered",), delivered=parcel.delivered_on))
    elif parcel.expected_on:
        key = "late" if parcel.expected_on < case.today else "expected"
        notes.append(write(key, language, must=("expected",), expected=parcel.expected_on))
    return notes


def _tracking(case: Case, parcel: Shipment) -> list[Note]:
    if not parcel.tracking_number:
        return []
    number, must = parcel.tracking_number, ("tracking",)
    if not parcel.carrier:
        return [write("tracking", case.language, must=must, tracking=number)]
    return [write("tracking_carrier", case.language, must=must, carrier=parcel.carrier, tracking=number)]


def _payments(case: Case, order: Order) -> list[Note]:
    return [
        write(
            _PAYMENT_KEYS[payment.status],
            case.language,
            must=("amount",),
            method=method_of(payment.method, case.language),
            amount=Money(payment.amount, payment.currency),
        )
        for payment in order.payments
        if payment.kind == PaymentKind.PAYMENT
    ]


def refunds(case: Case, order: Order) -> list[Note]:
    notes = [_refund(case, payment) for payment in order.payments if payment.kind == PaymentKind.REFUND]
    for back in order.returns:
        if back.kind != ReturnKind.RETURN:
            continue
        items = item_list([entry.order_item for entry in back.items], case.language)
        refund = Money(back.refund, back.currency)
        accepted = back.status != ReturnStatus.REJECTED
        key, must = f"return_{back.status.value}", ("number", "amount") if accepted else ("number",)
        notes.append(write(key, case.language, must=must, number=back.number, items=items, amount=refund))
    if not notes:
        notes.append(write("no_refund", case.language, must=("order",), order=f"#{order.number}"))
        notes.append(status_note(case, order))
    return notes


def _refund(case: Case, payment: Payment) -> Note:
    key = "refunded" if payment.status == PaymentStatus.COMPLETED else "refund_pending"
    amount = Money(payment.amount, payment.currency)
    method = method_of(payment.method, case.language)
    return write(key, case.language, must=("amount",), policy=case.policy, amount=amount, method=method)


def _with_number(notes: list[Note], order: Order, case: Case) -> list[Note]:
    """The notes, with the order's number among what a reply may say: "the total of order #W1234567 is …"."""
    if any(fact.name == "order" for note in notes for fact in note.facts):
        return notes
    number = make_fact("order", f"#{order.number}", case.language, must=False)
    return [Note(notes[0].key, notes[0].text, (*notes[0].facts, number)), *notes[1:]]


def _each_once(notes: list[Note]) -> list[Note]:
    return list({note.text: note for note in notes}.values())
