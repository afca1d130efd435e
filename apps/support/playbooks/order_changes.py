"""Playbooks that change an order: cancelling, another address, another option, sending items back."""

from __future__ import annotations

import secrets
from dataclasses import asdict, replace
from typing import Any

from apps.support.conversations.state import ActionName, PendingAction
from apps.support.errors import ActionRefusedError
from apps.support.playbooks.case import Case, Outcome
from apps.support.playbooks.handbook_answers import answer_from
from apps.support.playbooks.order_questions import refunds, track_refund
from apps.support.playbooks.order_rules import (
    amount_to_refund,
    check_cancel,
    check_change_address,
    check_change_item,
    check_not_sent_back,
    check_send_back,
    paid_with,
    refusal,
)
from apps.support.playbooks.proof import with_order
from apps.support.reading.product_names import mentioned_options
from apps.support.replies.descriptions import (
    describe_item,
    describe_variant,
    item_list,
    method_of,
    product_name,
)
from apps.support.replies.facts import Money
from apps.support.replies.sentences import Note, listing, write
from apps.support.shop.models import Order, OrderItem, OrderStatus, ReturnKind, Variant

_RETURNS = answer_from("returns", "returning")
_FAULTY = answer_from("returns", "faulty_items")


@with_order({OrderStatus.PENDING})
def cancel_order(case: Case, order: Order) -> Outcome:
    try:
        check_cancel(order, case.policy)
    except ActionRefusedError as error:
        if error.reason == "already_cancelled":
            return _refused(case, error, order, refunds(case, order))
        return _refused(case, error, order, [write("return_instead", case.language, policy=case.policy)])
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
        check_change_address(order, case.policy)
    except ActionRefusedError as error:
        return _refused(case, error, order)
    address = case.entities.address
    if address is None:
        return Outcome([write("ask_address", case.language)], awaiting="address", exact=True)
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
    exchange = case.policy.allows("exchange", order.status)
    try:
        if exchange:
            check_send_back(order, ReturnKind.EXCHANGE, case.today, case.policy)
        else:
            check_change_item(order, case.policy)
        item = _the_item(case, order)
        if item is None:
            return _which_item(case, order)
        if exchange:
            check_not_sent_back(order, [item])
    except ActionRefusedError as error:
        return _refused(case, error, order, items=order.items[:1])
    return _offer_option(case, order, item, "exchange" if exchange else "change_item")


def faulty_item(case: Case) -> Outcome:
    """What the shop does about a faulty item, and the offer to arrange it: no order is in question yet."""
    outcome = _FAULTY(case)
    outcome.closing = write("offer_return", case.language).text
    outcome.awaiting = "order"
    return outcome


def return_question(case: Case) -> Outcome:
    """Until when things are taken back, and the offer to arrange it: no order is in question yet.

    Said as written: whether three weeks are within the time to return is no question for a small model.
    """
    outcome = _RETURNS(replace(case, confidence=1.0))
    if not outcome.understood:
        return return_items(case)
    outcome.exact = True
    outcome.closing = write("offer_to_take_back", case.language).text
    outcome.awaiting = "order"
    return outcome


@with_order({OrderStatus.DELIVERED})
def return_items(case: Case, order: Order) -> Outcome:
    """Sending items back. Who wants the money of an order back that never left gets it by cancelling."""
    if order.status == OrderStatus.CANCELLED:
        return track_refund(case)
    if order.status == OrderStatus.PENDING:
        return cancel_order(case)
    items: list[OrderItem] = []
    try:
        check_send_back(order, ReturnKind.RETURN, case.today, case.policy)
        items = order.items if "everything" in case.entities.wishes else _meant(case, order)
        if not items:
            return _which_item(case, order)
        check_not_sent_back(order, items)
    except ActionRefusedError as error:
        later = error.reason in ("return_refused", "exchange_refused")
        advice = [write("return_later", case.language, policy=case.policy)] if later else []
        return _refused(case, error, order, advice, items)
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


def ask_for_yes(case: Case, name: ActionName, note: Note, order: Order | None, **arguments: Any) -> Outcome:
    """Propose a write. The note says what will happen; nothing happens before the yes."""
    pending = PendingAction(
        key=secrets.token_urlsafe(18),
        name=name,
        order_id=order.id if order else None,
        arguments=arguments,
        asked_at_turn=case.state.turn,
        sentence=note.text,
    )
    return Outcome([note], pending=pending, exact=True)


def _names(case: Case, item: OrderItem) -> bool:
    """Whether the message names this item: by its product, or by its name as the order has it."""
    if item.variant is not None and item.variant.product_id in case.entities.product_ids:
        return True
    return item.name.casefold() in case.text.casefold()


def _meant(case: Case, order: Order) -> list[OrderItem]:
    """The items that the message means: by name, by "the second one" after a list, or the only one there is."""
    if len(order.items) == 1:
        return order.items
    named = [item for item in order.items if _names(case, item)]
    place = case.entities.ordinal
    if not named and place is not None and place <= len(order.items) and case.state.awaiting == "item":
        return [order.items[place - 1 if place > 0 else -1]]
    return named


def _the_item(case: Case, order: Order) -> OrderItem | None:
    meant = _meant(case, order)
    return meant[0] if len(meant) == 1 else None


def _refused(
    case: Case,
    error: ActionRefusedError,
    order: Order,
    advice: list[Note] | None = None,
    items: list[OrderItem] | None = None,
) -> Outcome:
    """Said as written: a refusal in other words is easily a promise."""
    return Outcome([refusal(error.reason, order, case.language, case.policy, items), *(advice or [])], exact=True)


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
            return Outcome(
                [write("option_sold_out", case.language, product=product, option=option)], exact=True
            )
        options = "; ".join(offered)
        note = write("ask_option", case.language, must=("options",), product=product, options=options)
        return Outcome([note], awaiting="option", exact=True)
    option = describe_variant(wanted)
    if not _can_have(wanted, item):
        must = ("product", "option")
        return Outcome(
            [write("option_sold_out", case.language, must=must, product=product, option=option)], exact=True
        )
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
    mentioned = mentioned_options(case.text, (v for other in others for v in other.options.values()))
    current = {name: str(value) for name, value in item.options.items()}
    best: tuple[int, Variant] | None = None
    for variant in others:
        options = {name: str(value) for name, value in variant.options.items()}
        changed = {name for name in options if options[name] != current.get(name)}
        if changed and all(options[name] in mentioned for name in changed):
            score = len(changed)
            if best is None or score > best[0]:
                best = (score, variant)
    return best[1] if best else None


def _can_have(variant: Variant, item: OrderItem) -> bool:
    return variant.available and (variant.stock is None or variant.stock >= item.quantity)
