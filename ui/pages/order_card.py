"""An order as a card: its number, where it is, what is in it, what it costs."""

from __future__ import annotations

from datetime import date
from html import escape

from apps.support.replies.descriptions import clip, describe_item
from apps.support.replies.sentences import status_word
from apps.support.shop.models import Order, OrderStatus, ReturnKind, Shipment
from apps.support.shop.money import format_amount
from ui.pages.labels import Language, text

_STEPS = (OrderStatus.PENDING, OrderStatus.PROCESSED, OrderStatus.SHIPPED, OrderStatus.DELIVERED)
MOST_ITEMS = 12


def order_card(order: Order, reader: Language, *, proven: bool = True) -> str:
    """`proven` tells whether the conversation's customer has shown that it is theirs."""
    status = f'<span class="badge {order.status.value}">{escape(status_word(order.status, reader))}</span>'
    number = f'<h2>{escape(text("order.heading", reader))} <span translate="no">#{escape(order.number)}</span></h2>'
    parts = [f"<header>{number}{status}</header>"]
    if not proven:
        parts.append(f'<p class="warning">{escape(text("order.unproven", reader))}</p>')
    if order.status != OrderStatus.CANCELLED:
        parts.append(_steps(order, reader))
    parts += [_items(order, reader), *_parcels(order, reader), *_returns(order, reader)]
    return f'<section class="card order">{"".join(parts)}</section>'


def day_text(day: date, reader: Language) -> str:
    return f"{day.month}月{day.day}日" if reader == "zh" else f"{day.day}\u00a0{day:%b}"


def _steps(order: Order, reader: Language) -> str:
    reached = _STEPS.index(order.status)
    words = ["order.placed", *(f"order.step.{step.value}" for step in _STEPS[1:])]
    steps = "".join(
        f'<li class="{"reached" if index <= reached else ""}">{escape(text(key, reader))}</li>'
        for index, key in enumerate(words)
    )
    return f'<ol class="steps">{steps}</ol>'


def _items(order: Order, reader: Language) -> str:
    rows = [
        _row(describe_item(item, reader), format_amount(item.unit_price * item.quantity, order.currency))
        for item in order.items[:MOST_ITEMS]
    ]
    if len(order.items) > MOST_ITEMS:
        rows.append(_row(f"+ {len(order.items) - MOST_ITEMS}", "…"))
    total = _row(text("order.total", reader), format_amount(order.total, order.currency), "total")
    return f"<table>{''.join(rows)}{total}</table>"


def _row(left: str, right: str, kind: str = "") -> str:
    return f'<tr class="{kind}"><td>{escape(left)}</td><td>{escape(right)}</td></tr>'


def _parcels(order: Order, reader: Language) -> list[str]:
    return [
        f"<p><b>{escape(text('order.tracking', reader))}</b> {words}</p>"
        for parcel in order.shipments
        if (words := _parcel(parcel, reader))
    ]


def _parcel(parcel: Shipment, reader: Language) -> str:
    words = []
    if parcel.tracking_number:
        carrier = f"{clip(parcel.carrier)} " if parcel.carrier else ""
        words.append(f"{escape(carrier)}<code>{escape(clip(parcel.tracking_number))}</code>")
    if parcel.delivered_on:
        words.append(escape(text("order.delivered", reader, day=day_text(parcel.delivered_on, reader))))
    elif parcel.expected_on:
        words.append(escape(text("order.expected", reader, day=day_text(parcel.expected_on, reader))))
    return " · ".join(words)


def _returns(order: Order, reader: Language) -> list[str]:
    lines = []
    for back in order.returns:
        kind = "exchange" if back.kind == ReturnKind.EXCHANGE else "return"
        words = [text(f"return.{back.status.value}", reader)]
        if back.refund:
            words.append(format_amount(back.refund, back.currency))
        name = text(f"order.{kind}", reader, number=back.number)
        lines.append(f"<p><b>{escape(name)}</b> {escape(' · '.join(words))}</p>")
    return lines
