"""What the assistant proposes to change: the one place that reads the conversation's state."""

from __future__ import annotations

from sqlalchemy.orm import Session

from apps.support.conversations import records
from apps.support.playbooks.actions import address_of
from apps.support.reading.state import Step
from apps.support.shop.models import Order, OrderItem, PaymentMethod, Variant
from evaluation.support.tasks.goals import Change, Changes, address_words


def open_proposal(session: Session, conversation_id: str) -> Changes:
    """The changes that a yes would make now; none where nothing is proposed."""
    state = records.load_state(records.get_conversation(session, conversation_id))
    steps = state.pending.steps if state.pending is not None else ()
    return sum((_changes(session, step) for step in steps), Changes())


def _changes(session: Session, step: Step) -> Changes:
    order = session.get(Order, step.order_id) if step.order_id is not None else None
    number, arguments = (order.number if order else None), step.arguments
    if "address" in arguments:
        return Changes([Change(step.name, number, to=address_words(address_of(arguments)))])
    if "variant_id" in arguments:
        new = session.get(Variant, arguments["variant_id"])
        return _of_item(session, step, number, arguments["item_id"], new.sku if new else None)
    if "item_ids" in arguments:
        items = (_of_item(session, step, number, item_id, None) for item_id in arguments["item_ids"])
        return sum(items, Changes())
    if step.name == "change_payment":
        method = session.get(PaymentMethod, arguments["method_id"])
        name = (method.external_id or str(method.id)) if method is not None else None
        return Changes([Change(step.name, number, to=name)])
    return Changes([Change(step.name, number)])


def _of_item(session: Session, step: Step, number: str | None, item_id: int, new: str | None) -> Changes:
    item = session.get(OrderItem, item_id)
    if item is None or item.variant is None:
        return Changes([Change(step.name, number, to=new)])
    return Changes({Change(step.name, number, item.variant.sku, new): item.quantity})
