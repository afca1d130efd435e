"""The writes of a turn: an action that got its yes, a complaint, a hand-over. Each is one transaction."""

from __future__ import annotations

from apps.support.conversations import records
from apps.support.conversations.state import ConversationState, PendingAction
from apps.support.conversations.turn import Part, Turn
from apps.support.errors import ActionRefusedError
from apps.support.playbooks import Outcome, actions
from apps.support.playbooks.order_rules import refusal
from apps.support.reading.guard import HandoverReason, is_danger
from apps.support.replies.sentences import Note, write
from apps.support.shop.database import Database
from apps.support.shop.models import Order

_HANDED_OVER: dict[HandoverReason, str] = {
    "anger": "handed_over_angry",
    "low_confidence": "handed_over_unsure",
    "failure": "handed_over_failure",
    "identity": "handed_over_identity",
}


def act(database: Database, turn: Turn) -> None:
    """Do what the outcomes call for, and put what came of it into their notes."""
    pending = turn.state.pending
    leaving = next((part for part in turn.parts if part.outcome.handover is not None), None)
    if leaving is not None and leaving.outcome.handover is not None:
        hand_over(database, turn, leaving, leaving.outcome.handover)
    elif pending is not None and pending.asked_at_turn < turn.state.turn and turn.entities.answer == "yes":
        _run_action(database, turn, pending)
    else:
        for part in turn.parts:
            if part.outcome.complaint:
                _file_complaint(database, turn, part)


def hand_over(database: Database, turn: Turn, part: Part, reason: HandoverReason) -> None:
    """To a person. What another part asks is for the person to ask; what it tells is still said."""
    with database.write() as session:
        conversation = records.get_conversation(session, turn.conversation_id)
        ticket = records.hand_over(session, conversation, turn.state, reason=reason, intent=part.intent)
        records.save_state(conversation, turn.state)
        turn.ticket_id = ticket.id
    notes = [write("safety_first", turn.language)] if is_danger(turn.text) else []
    key = _HANDED_OVER.get(reason, "handed_over")
    notes.append(write(key, turn.language, must=("ticket",), ticket=_ticket_number(turn.ticket_id)))
    for other in turn.parts:
        if other.outcome.asks:
            other.outcome = Outcome()
    part.outcome = Outcome(notes, handover=reason, exact=True)
    turn.handed_over = True
    turn.actions.append({"name": "handover", "status": "done", "reason": reason})


def keep_asking(turn: Turn) -> None:
    """What becomes of a proposal that got neither yes nor no.

    A question in between is answered and the proposal asked again, once: a later yes must follow the words
    that it agrees to. Anything that asks for something else drops the proposal.
    """
    state, pending = turn.state, turn.state.pending
    if pending is None:
        return
    outcomes = [part.outcome for part in turn.parts]
    moved_on = any(outcome.comes_last or outcome.complaint for outcome in outcomes)
    if moved_on or pending.reminded or not any(outcome.understood for outcome in outcomes):
        turn.actions.append({"name": pending.name, "status": "dropped"})
        state.pending = None
        return
    state.pending = pending.model_copy(update={"asked_at_turn": state.turn, "reminded": True})
    outcomes[-1].closing = pending.sentence


def last_receipt(state: ConversationState) -> list[Note]:
    """What was done last, once more: for a second yes, or one whose answer got lost."""
    return [Note("receipt", text, ()) for text in state.last_receipt]


def _file_complaint(database: Database, turn: Turn, part: Part) -> None:
    with database.write() as session:
        conversation = records.get_conversation(session, turn.conversation_id)
        ticket = records.open_ticket(
            session, conversation, turn.state, reason="complaint", intent=part.intent
        )
        turn.ticket_id = ticket.id
    number = _ticket_number(turn.ticket_id)
    note = write("complaint_filed", turn.language, must=("ticket",), policy=turn.policy, ticket=number)
    part.outcome.notes.append(note)
    part.outcome.exact = True
    turn.actions.append({"name": "complaint", "status": "done"})


def _run_action(database: Database, turn: Turn, pending: PendingAction) -> None:
    state = turn.state
    state.pending = None
    try:
        with database.write() as session:
            conversation = records.get_conversation(session, turn.conversation_id)
            done = actions.run(session, pending, turn.conversation_id, turn.language, turn.policy)
            if done is not None:
                state.last_action = pending.key
                state.last_receipt = [note.text for note in done.receipt]
            # The pending yes is used up in the same transaction: a crash after it cannot run it again.
            records.save_state(conversation, state)
    except ActionRefusedError as error:
        turn.actions.append({"name": pending.name, "status": "refused", "reason": error.reason})
        turn.first.outcome = Outcome([_refusal(database, turn, pending, error)], exact=True)
        return
    turn.actions.append({"name": pending.name, "status": "done"})
    turn.first.outcome = Outcome(done.receipt if done else last_receipt(turn.state), exact=True)


def _refusal(database: Database, turn: Turn, pending: PendingAction, error: ActionRefusedError) -> Note:
    with database.read() as session:
        order = session.get(Order, pending.order_id) if pending.order_id else None
        if order is None:
            return write("not_done", turn.language)
        if error.reason == "changed_meanwhile":
            return write(error.reason, turn.language, must=("order",), order=f"#{order.number}")
        return refusal(error.reason, order, turn.language, turn.policy, order.items)


def _ticket_number(ticket_id: int | None) -> str:
    return f"T{ticket_id}"
