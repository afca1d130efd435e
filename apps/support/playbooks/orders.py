"""Playbooks about one order: where it is, cancelling, changing, its invoice, payment and refund."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from dataclasses import asdict
from typing import Any

from apps.support.descriptions import describe_item, describe_variant, item_list, method_of, product_name
from apps.support.entities import mentions_option
from apps.support.errors import ActionRefusedError
from apps.support.facts import Money
from apps.support.identity import MOST_FAILED_PROOFS, find_order
from apps.support.models import (
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    PaymentKind,
    PaymentStatus,
    ReturnKind,
    Variant,
)
from apps.support.order_rules import (
    amount_to_refund,
    check_cancel,
    check_change_address,
    check_change_item,
    check_not_sent_back,
    check_send_back,
    paid_with,
    refusal,
)
from apps.support.playbooks.case import Case, Outcome
from apps.support.playbooks.handbook_answers import answer_from
from apps.support.sentences import Note, listing, status_word, write
from apps.support.state import ActionName, PendingAction

ANY = frozenset(OrderStatus)
_DELIVERY_TIMES = answer_from("delivery", {"en": "delivery times", "zh": "配送时间"})
OPEN = frozenset({OrderStatus.PENDING, OrderStatus.PROCESSED, OrderStatus.SHIPPED})


def with_order(
    statuses: Collection[OrderStatus],
) -> Callable[[Callable[[Case, Order], Outcome]], Callable[[Case], Outcome]]:
    """Makes a playbook that gets the order in question only when it is proven, and asks for it otherwise."""

    def wrap(tell: Callable[[Case, Order], Outcome]) -> Callable[[Case], Outcome]:
        def playbook(case: Case) -> Outcome:
            access = find_order(case.session, case.state, statuses, new_proof=case.new_proof)
            if access.order is not None:
                case.state.order_number = access.order.number
                case.state.awaiting = None
                outcome = tell(case, access.order)
                outcome.looked_up.setdefault("order", access.order.number)
                outcome.looked_up.setdefault("status", access.order.status)
                return outcome
            number = f"#{access.number}"
            if access.outcome == "which_order":
                orders = listing(list(access.choices), case.language)
                note = write("ask_which_order", case.language, must=("orders",), orders=orders)
                return Outcome([note], awaiting="order", exact=True)
            if access.outcome == "ask_order":
                return Outcome([write("ask_order", case.language)], awaiting="order", exact=True)
            if access.outcome == "ask_proof":
                note = write("ask_proof", case.language, must=("order",), order=number)
                return Outcome([note], awaiting="proof", exact=True)
            if case.state.failed_proofs >= MOST_FAILED_PROOFS:
                return Outcome(handover="identity")
            note = write("proof_wrong", case.language, must=("order",), order=number)
            return Outcome([note], awaiting="proof", exact=True)

        return playbook

    return wrap


@with_order(OPEN)
def track_order(case: Case, order: Order) -> Outcome:
    notes = [status_note(case, order)]
    language = case.language
    for parcel in order.shipments if order.status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED) else []:
        if parcel.tracking_number and parcel.carrier:
            key, values = "tracking_carrier", {"carrier": parcel.carrier, "tracking": parcel.tracking_number}
            notes.append(write(key, language, must=("tracking",), **values))
        elif parcel.tracking_number:
            notes.append(write("tracking", language, must=("tracking",), tracking=parcel.tracking_number))
        if parcel.delivered_on:
            notes.append(write("delivered_on", language, must=("delivered",), delivered=parcel.delivered_on))
        elif parcel.expected_on:
            key = "late" if parcel.expected_on < case.today else "expected"
            notes.append(write(key, language, must=("expected",), expected=parcel.expected_on))
    return Outcome(notes)


def delivery_period(case: Case) -> Outcome:
    """When an order arrives, if one is in question and not delivered yet; else how long delivery takes."""
    if case.state.order_number is not None:
        access = find_order(case.session, case.state, OPEN, new_proof=case.new_proof)
        if access.order is None or access.order.status == OrderStatus.SHIPPED:
            return track_order(case)
    return _DELIVERY_TIMES(case)


@with_order(ANY)
def order_details(case: Case, order: Order) -> Outcome:
    """Everything about an order: for a question that names one but fits no other playbook."""
    language = case.language
    notes = [status_note(case, order), write("items", language, items=item_list(order.items, language))]
    notes.append(write("total", language, must=("total",), total=Money(order.total, order.currency)))
    if order.placed_at is not None:
        notes.append(write("placed", language, placed=order.placed_at.date()))
    notes.append(write("ships_to", language, address=order.address.one_line()))
    return Outcome(notes)


@with_order({OrderStatus.PENDING})
def cancel_order(case: Case, order: Order) -> Outcome:
    try:
        check_cancel(order)
    except ActionRefusedError as error:
        return Outcome([refusal(error.reason, order, case.language)])
    note = write(
        "confirm_cancel",
        case.language,
        must=("order", "amount"),
        order=f"#{order.number}",
        items=item_list(order.items, case.language),
        amount=Money(amount_to_refund(order), order.currency),
        method=method_of(paid_with(order), case.language),
    )
    return ask_for_yes(case, "cancel", note, order)


@with_order({OrderStatus.PENDING})
def change_shipping_address(case: Case, order: Order) -> Outcome:
    try:
        check_change_address(order)
    except ActionRefusedError as error:
        return Outcome([refusal(error.reason, order, case.language)])
    address = case.entities.address
    if address is None:
        return Outcome([write("ask_address", case.language)], awaiting="address")
    note = write(
        "confirm_change_address",
        case.language,
        must=("order", "address"),
        order=f"#{order.number}",
        address=address.one_line(),
    )
    return ask_for_yes(case, "change_address", note, order, address=asdict(address))


@with_order({OrderStatus.PENDING, OrderStatus.DELIVERED})
def change_order(case: Case, order: Order) -> Outcome:
    """Another option of an item: a change while the order is pending, an exchange once it is delivered."""
    exchange = order.status == OrderStatus.DELIVERED
    try:
        if exchange:
            check_send_back(order, ReturnKind.EXCHANGE, case.today)
        else:
            check_change_item(order)
        item = _the_item(case, order)
        if item is None:
            return _which_item(case, order)
        if exchange:
            check_not_sent_back(order, [item])
    except ActionRefusedError as error:
        return Outcome([refusal(error.reason, order, case.language, order.items[:1])])
    return _offer_option(case, order, item, "exchange" if exchange else "change_item")


@with_order({OrderStatus.DELIVERED})
def return_items(case: Case, order: Order) -> Outcome:
    items: list[OrderItem] = []
    try:
        check_send_back(order, ReturnKind.RETURN, case.today)
        named = [item for item in order.items if _names(case, item)]
        items = order.items if "everything" in case.entities.wishes or len(order.items) == 1 else named
        if not items:
            return _which_item(case, order)
        check_not_sent_back(order, items)
    except ActionRefusedError as error:
        return Outcome([refusal(error.reason, order, case.language, items)])
    amount = sum(item.unit_price * item.quantity for item in items)
    note = write(
        "confirm_return",
        case.language,
        must=("order", "amount"),
        items=item_list(items, case.language),
        order=f"#{order.number}",
        amount=Money(amount, order.currency),
        method=method_of(paid_with(order), case.language),
    )
    return ask_for_yes(case, "return", note, order, item_ids=[item.id for item in items])


@with_order({OrderStatus.DELIVERED, OrderStatus.CANCELLED})
def track_refund(case: Case, order: Order) -> Outcome:
    notes = [_refund_note(case, payment) for payment in order.payments if payment.kind == PaymentKind.REFUND]
    for back in order.returns:
        if back.kind != ReturnKind.RETURN:
            continue
        items = item_list([entry.order_item for entry in back.items], case.language)
        refund = Money(back.refund, back.currency)
        key, must = f"return_{back.status.value}", ("number", "amount")
        notes.append(write(key, case.language, must=must, number=back.number, items=items, amount=refund))
    if not notes:
        notes.append(write("no_refund", case.language, must=("order",), order=f"#{order.number}"))
        notes.append(status_note(case, order))
    return Outcome(notes)


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
    keys = {
        PaymentStatus.COMPLETED: "paid",
        PaymentStatus.FAILED: "payment_failed",
        PaymentStatus.PENDING: "payment_open",
    }
    notes = []
    for payment in order.payments:
        if payment.kind == PaymentKind.PAYMENT:
            values = {"amount": Money(payment.amount, payment.currency)}
            method = method_of(payment.method, case.language)
            notes.append(
                write(keys[payment.status], case.language, must=("amount",), method=method, **values)
            )
    return Outcome([status_note(case, order), *notes])


def status_note(case: Case, order: Order) -> Note:
    key, word = f"order_{order.status.value}", status_word(order.status, case.language)
    return write(key, case.language, must=("order", "status"), order=f"#{order.number}", status=word)


def ask_for_yes(case: Case, name: ActionName, note: Note, order: Order | None, **arguments: Any) -> Outcome:
    """Propose a write. The note says what will happen; nothing happens before the yes."""
    pending = PendingAction(
        key=secrets.token_urlsafe(18),
        name=name,
        order_id=order.id if order else None,
        arguments=arguments,
        asked_at_turn=case.state.turn,
    )
    return Outcome([note], pending=pending, exact=True)


def _refund_note(case: Case, payment: Payment) -> Note:
    key = "refunded" if payment.status == PaymentStatus.COMPLETED else "refund_pending"
    amount = Money(payment.amount, payment.currency)
    return write(
        key, case.language, must=("amount",), amount=amount, method=method_of(payment.method, case.language)
    )


def _names(case: Case, item: OrderItem) -> bool:
    """Whether the message names this item: by its product, or by its name as the order has it."""
    if item.variant is not None and item.variant.product_id in case.entities.product_ids:
        return True
    return item.name.casefold() in case.text.casefold()


def _the_item(case: Case, order: Order) -> OrderItem | None:
    named = [item for item in order.items if _names(case, item)]
    if len(named) == 1:
        return named[0]
    return order.items[0] if len(order.items) == 1 else None


def _which_item(case: Case, order: Order) -> Outcome:
    items = listing(
        [describe_item(item, case.language, counted=False) for item in order.items], case.language
    )
    note = write("ask_item", case.language, must=("items",), items=items)
    return Outcome([note], awaiting="item", exact=True)


def _offer_option(case: Case, order: Order, item: OrderItem, action: ActionName) -> Outcome:
    if item.variant is None:
        return Outcome(handover="requested")  # a product the shop no longer lists: a person must look
    others = [variant for variant in item.variant.product.variants if variant.id != item.variant_id]
    wanted = _wanted(case, item, others)
    product = product_name(item.variant.product, case.language)
    if wanted is None:
        offered = [describe_variant(variant) for variant in others if _can_have(variant, item)][:6]
        if not offered:
            option = listing([describe_variant(variant) for variant in others] or ["-"], case.language)
            return Outcome([write("option_sold_out", case.language, product=product, option=option)])
        options = "; ".join(offered)
        note = write("ask_option", case.language, must=("options",), product=product, options=options)
        return Outcome([note], awaiting="option", exact=True)
    option = describe_variant(wanted)
    if not _can_have(wanted, item):
        must = ("product", "option")
        return Outcome([write("option_sold_out", case.language, must=must, product=product, option=option)])
    difference = Money((wanted.price - item.unit_price) * item.quantity, order.currency)
    note = write(
        f"confirm_{action}",
        case.language,
        must=("order", "option", "difference"),
        item=describe_item(item, case.language),
        order=f"#{order.number}",
        option=option,
        difference=difference,
    )
    details = {"item_id": item.id, "variant_id": wanted.id, "price": wanted.price}
    return ask_for_yes(case, action, note, order, **details)


def _wanted(case: Case, item: OrderItem, others: list[Variant]) -> Variant | None:
    """The variant that the message describes: what it does not mention stays as it is."""
    text = case.text.casefold()
    current = {name: str(value) for name, value in item.options.items()}
    best: tuple[int, Variant] | None = None
    for variant in others:
        options = {name: str(value) for name, value in variant.options.items()}
        changed = {name for name in options if options[name] != current.get(name)}
        if changed and all(mentions_option(text, options[name]) for name in changed):
            score = len(changed)
            if best is None or score > best[0]:
                best = (score, variant)
    return best[1] if best else None


def _can_have(variant: Variant, item: OrderItem) -> bool:
    return variant.available and (variant.stock is None or variant.stock >= item.quantity)
