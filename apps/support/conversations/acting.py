"""The writes of a turn: a proposal that got its yes, a complaint, a hand-over. Each is one transaction."""

from __future__ import annotations

from apps.support.conversations import records, tickets
from apps.support.conversations.leases import held_conversation
from apps.support.conversations.turn import Answered, Incoming, Settled
from apps.support.errors import ActionRefusedError
from apps.support.playbooks import actions
from apps.support.playbooks.case import HandoverReason, Outcome, said
from apps.support.reading.commands import INTENTS
from apps.support.reading.state import ConversationState, Proposal, Wish
from apps.support.replies.sentences import Note, write
from apps.support.shop.database import Database
from apps.support.shop.policy import Policy

_HANDED_OVER: dict[HandoverReason, str] = {
    "anger": "handed_over_angry",
    "low_confidence": "handed_over_unsure",
    "failure": "handed_over_failure",
    "identity": "handed_over_identity",
}


def run_proposal(
    database: Database, incoming: Incoming, proposal: Proposal, settled: Settled, policy: Policy
) -> None:
    """Carry the proposal out, all of it or nothing, and say what was done.

    Raises ActionRefusedError where the shop has changed since it was made: then nothing was done.
    """
    state, language = incoming.state, incoming.language
    state.pending = state.question = None
    wish = proposal.wishes[0] if proposal.wishes else Wish(verb="yes")
    try:
        with database.write() as session:
            conversation = held_conversation(session, incoming.conversation_id, state)
            made = actions.run(session, proposal, incoming.conversation_id, language, policy)
            if made is not None:
                receipt = [note for done in made for note in done.receipt]
                state.last_action = proposal.key
                state.last_receipt = [note.text for note in receipt]
                _remember(state, made)
                settled.receipt = actions.receipt_lines(proposal, made)
            else:
                receipt = [Note("receipt", text, ()) for text in state.last_receipt]
            # The yes is used up in the same transaction: a crash after it cannot run it again.
            records.save_state(conversation, state)
    except ActionRefusedError as error:
        settled.actions += [
            {"name": step.name, "status": "refused", "reason": error.reason} for step in proposal.steps
        ]
        raise
    settled.actions += [{"name": step.name, "status": "done"} for step in proposal.steps]
    settled.answers.insert(0, Answered(wish, said(*receipt)))


def hand_over(database: Database, incoming: Incoming, settled: Settled, answered: Answered) -> None:
    """To a person. What another answer asks is for the person to ask; what it tells is still said."""
    reason = answered.outcome.handover
    assert reason is not None
    language = incoming.language
    with database.write() as session:
        conversation = held_conversation(session, incoming.conversation_id, incoming.state)
        intent = INTENTS.get(answered.wish.verb)
        ticket = tickets.hand_over(session, conversation, incoming.state, reason=reason, intent=intent)
        records.save_state(conversation, incoming.state)
        settled.ticket_id = ticket.id
    notes = [write("safety_first", language)] if reason == "danger" else []
    key = _HANDED_OVER.get(reason, "handed_over")
    notes.append(write(key, language, must=("ticket",), ticket=f"T{settled.ticket_id}"))
    settled.answers = [a for a in settled.answers if a is not answered and not a.outcome.asks]
    settled.answers.append(Answered(answered.wish, Outcome(notes, handover=reason, exact=True)))
    settled.closing = ""
    settled.handed_over = True
    settled.actions.append({"name": "handover", "status": "done", "reason": reason})


def file_complaint(
    database: Database, incoming: Incoming, settled: Settled, answered: Answered, policy: Policy
) -> None:
    with database.write() as session:
        conversation = held_conversation(session, incoming.conversation_id, incoming.state)
        ticket = tickets.open_ticket(
            session, conversation, incoming.state, reason="complaint", intent="complaint"
        )
        settled.ticket_id = ticket.id
    number = f"T{settled.ticket_id}"
    note = write("complaint_filed", incoming.language, must=("ticket",), policy=policy, ticket=number)
    answered.outcome = said(note)
    settled.actions.append({"name": "complaint", "status": "done"})


def _remember(state: ConversationState, made: list[actions.Done]) -> None:
    for done in made:
        if done.given_back and done.order is not None:
            currency = done.order.currency
            state.given_back[currency] = state.given_back.get(currency, 0) + done.given_back
