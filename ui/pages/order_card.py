"""An order as a card: its number, where it is, what is in it, what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from markupsafe import Markup

from apps.support.replies.descriptions import describe_item
from apps.support.replies.sentences import status_word
from apps.support.shop.models import Order, OrderStatus, ReturnKind, Shipment
from apps.support.shop.money import format_amount
from apps.support.shop.names import clip
from ui.pages.labels import Language, text
from ui.pages.rendering import render

_STEPS = (OrderStatus.PENDING, OrderStatus.PROCESSED, OrderStatus.SHIPPED, OrderStatus.DELIVERED)
MOST_ITEMS = 12


def order_card(order: Order, reader: Language, *, proven: bool = True) -> Markup:
    """`proven` tells whether the conversation's customer has shown that it is theirs."""
    items = [
        (describe_item(item, reader), format_amount(item.unit_price * item.quantity, order.currency))
        for item in order.items[:MOST_ITEMS]
    ]
    if len(order.items) > MOST_ITEMS:
        items.append((f"+ {len(order.items) - MOST_ITEMS}", "…"))
    parcels = [_parcel(parcel, reader) for parcel in order.shipments]
    return render(
        "order_card",
        reader,
        order=order,
        status=status_word(order.status, reader),
        proven=proven,
        steps=_steps(order) if order.status != OrderStatus.CANCELLED else [],
        items=items,
        total=format_amount(order.total, order.currency),
        parcels=[parcel for parcel in parcels if parcel["number"] or parcel["day"]],
        returns=list(_returns(order, reader)),
    )


def day_text(day: date, reader: Language) -> str:
    return f"{day.month}月{day.day}日" if reader == "zh" else f"{day.day}\u00a0{day:%b}"


def _steps(order: Order) -> list[tuple[str, bool]]:
    """The words of each step, and whether the order has come that far."""
    reached = _STEPS.index(order.status)
    words = ["order.placed", *(f"order.step.{step.value}" for step in _STEPS[1:])]
    return [(key, index <= reached) for index, key in enumerate(words)]


def _parcel(parcel: Shipment, reader: Language) -> dict[str, str]:
    day = ""
    if parcel.delivered_on:
        day = text("order.delivered", reader, day=day_text(parcel.delivered_on, reader))
    elif parcel.expected_on:
        day = text("order.expected", reader, day=day_text(parcel.expected_on, reader))
    return {"carrier": clip(parcel.carrier or ""), "number": clip(parcel.tracking_number or ""), "day": day}


def _returns(order: Order, reader: Language) -> Iterator[tuple[str, str]]:
    for back in order.returns:
        kind = "exchange" if back.kind == ReturnKind.EXCHANGE else "return"
        words = [text(f"return.{back.status.value}", reader)]
        if back.refund:
            words.append(format_amount(back.refund, back.currency))
        yield text(f"order.{kind}", reader, number=back.number), " · ".join(words)
