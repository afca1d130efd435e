"""The writes of a turn: an action that got its yes, a complaint, a hand-over. Each is one transaction."""

from __future__ import annotations

from apps.support import actions, desk
from apps.support.database import Database
from apps.support.errors import ActionRefusedError
from apps.support.guard import HandoverReason, is_danger
from apps.support.models import Order
from apps.support.order_rules import refusal
from apps.support.playbooks import Outcome
from apps.support.sentences import Note, write
from apps.support.state import ConversationState, PendingAction
from apps.support.turn import Turn

_HANDED_OVER: dict[HandoverReason, str] = {
    "anger": "handed_over_angry",
    "low_confidence": "handed_over_unsure",
    "failure": "handed_over_failure",
    "identity": "handed_over_identity",
}


def act(database: Database, turn: Turn) -> None:
    """Do what the turn's outcome calls for, and put what came of it into the outcome's notes."""
    pending = turn.state.pending
    if turn.outcome.handover is not None:
        hand_over(database, turn, turn.outcome.handover)
    elif pending is not None and pending.asked_at_turn < turn.state.turn and turn.entities.answer == "yes":
        _run_action(database, turn, pending)
    elif turn.outcome.complaint:
        _file_complaint(database, turn)


def hand_over(database: Database, turn: Turn, reason: HandoverReason) -> None:
    with database.write() as session:
        conversation = desk.get_conversation(session, turn.conversation_id)
        ticket = desk.hand_over(session, conversation, turn.state, reason=reason, intent=turn.intent)
        desk.save_state(conversation, turn.state)
        turn.ticket_id = ticket.id
    notes = [write("safety_first", turn.language)] if is_danger(turn.text) else []
    key = _HANDED_OVER.get(reason, "handed_over")
    notes.append(write(key, turn.language, must=("ticket",), ticket=_ticket_number(turn.ticket_id)))
    turn.outcome = Outcome(notes, exact=True)
    turn.handed_over = True
    turn.actions.append({"name": "handover", "status": "done", "reason": reason})


def keep_asking(turn: Turn) -> None:
    """What becomes of a proposal that got neither yes nor no.

    A question in between is answered and the proposal asked again, once: a later yes must follow the words
    that it agrees to. Anything that asks for something else drops the proposal.
    """
    state, outcome, pending = turn.state, turn.outcome, turn.state.pending
    if pending is None:
        return
    moved_on = outcome.pending or outcome.awaiting or outcome.handover or outcome.complaint
    if moved_on or pending.reminded or not outcome.understood:
        turn.actions.append({"name": pending.name, "status": "dropped"})
        state.pending = None
        return
    state.pending = pending.model_copy(update={"asked_at_turn": state.turn, "reminded": True})
    outcome.closing = pending.sentence


def last_receipt(state: ConversationState) -> list[Note]:
    """What was done last, once more: for a second yes, or one whose answer got lost."""
    return [Note("receipt", text, ()) for text in state.last_receipt]


def _file_complaint(database: Database, turn: Turn) -> None:
    with database.write() as session:
        conversation = desk.get_conversation(session, turn.conversation_id)
        ticket = desk.open_ticket(session, conversation, turn.state, reason="complaint", intent=turn.intent)
        turn.ticket_id = ticket.id
    number = _ticket_number(turn.ticket_id)
    turn.outcome.notes.append(write("complaint_filed", turn.language, must=("ticket",), ticket=number))
    turn.outcome.exact = True
    turn.actions.append({"name": "complaint", "status": "done"})


def _run_action(database: Database, turn: Turn, pending: PendingAction) -> None:
    state = turn.state
    state.pending = None
    try:
        with database.write() as session:
            conversation = desk.get_conversation(session, turn.conversation_id)
            done = actions.run(session, pending, turn.conversation_id, turn.language)
            if done is not None:
                state.last_action = pending.key
                state.last_receipt = [note.text for note in done.receipt]
            # The pending yes is used up in the same transaction: a crash after it cannot run it again.
            desk.save_state(conversation, state)
    except ActionRefusedError as error:
        turn.actions.append({"name": pending.name, "status": "refused", "reason": error.reason})
        turn.outcome = Outcome([_refusal(database, turn, pending, error)], exact=True)
        return
    turn.actions.append({"name": pending.name, "status": "done"})
    turn.outcome = Outcome(done.receipt if done else last_receipt(turn.state), exact=True)


def _refusal(database: Database, turn: Turn, pending: PendingAction, error: ActionRefusedError) -> Note:
    with database.read() as session:
        order = session.get(Order, pending.order_id) if pending.order_id else None
        if order is None:
            return write("not_done", turn.language)
        if error.reason == "changed_meanwhile":
            return write(error.reason, turn.language, must=("order",), order=f"#{order.number}")
        return refusal(error.reason, order, turn.language, order.items)


def _ticket_number(ticket_id: int | None) -> str:
    return f"T{ticket_id}"
