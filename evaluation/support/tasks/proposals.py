"""What the assistant proposes to change: the one place that reads the conversation's state."""

from __future__ import annotations

from sqlalchemy.orm import Session

from apps.support.conversations import records
from apps.support.conversations.state import PendingAction
from apps.support.playbooks.actions import address_of
from apps.support.shop.models import Order, OrderItem, Variant
from evaluation.support.tasks.goals import Change, Changes, address_words


def open_proposal(session: Session, conversation_id: str) -> Changes:
    """The changes that a yes would make now; none where nothing is proposed."""
    state = records.load_state(records.get_conversation(session, conversation_id))
    return _changes(session, state.pending) if state.pending is not None else Changes()


def _changes(session: Session, pending: PendingAction) -> Changes:
    order = session.get(Order, pending.order_id) if pending.order_id is not None else None
    number, arguments = (order.number if order else None), pending.arguments
    if "address" in arguments:
        return Changes([Change(pending.name, number, to=address_words(address_of(arguments)))])
    if "variant_id" in arguments:
        new = session.get(Variant, arguments["variant_id"])
        return _of_item(session, pending, number, arguments["item_id"], new.sku if new else None)
    if "item_ids" in arguments:
        items = (_of_item(session, pending, number, item_id, None) for item_id in arguments["item_ids"])
        return sum(items, Changes())
    return Changes([Change(pending.name, number)])


def _of_item(
    session: Session, pending: PendingAction, number: str | None, item_id: int, new: str | None
) -> Changes:
    item = session.get(OrderItem, item_id)
    if item is None or item.variant is None:
        return Changes([Change(pending.name, number, to=new)])
    return Changes({Change(pending.name, number, item.variant.sku, new): item.quantity})
