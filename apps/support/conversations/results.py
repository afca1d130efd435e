"""What a turn comes to: stored, and as the result that the API and the pages show."""

from __future__ import annotations

import time

from apps.support.conversations import records
from apps.support.conversations.leases import held_conversation
from apps.support.conversations.trace import trace_of
from apps.support.conversations.turn import (
    CardOut,
    ChoiceOut,
    Incoming,
    Settled,
    TurnResult,
    Understood,
    facts_of,
    intent_found,
    intents_of,
)
from apps.support.reading.state import ConversationState
from apps.support.replies.writer import Spoken
from apps.support.shop.database import Database
from apps.support.shop.models import Message, Role


def result_of(
    incoming: Incoming, understood: Understood, settled: Settled, reply: str, reply_id: int | None
) -> TurnResult:
    pending = incoming.state.pending
    return TurnResult(
        conversation_id=incoming.conversation_id,
        message_id=incoming.message_id,
        reply_id=reply_id,
        reply=reply,
        **intent_found(understood.reading, understood.identifiers, incoming.language).model_dump(),
        facts=facts_of(settled.notes),
        citations=settled.citations,
        actions=settled.actions,
        proposal=CardOut(lines=list(pending.lines)) if pending else None,
        receipt=CardOut(lines=settled.receipt) if settled.receipt else None,
        choices=choices_of(incoming.state),
        handed_over=settled.handed_over,
        ticket_id=settled.ticket_id,
    )


def keep_turn(
    database: Database,
    incoming: Incoming,
    understood: Understood,
    settled: Settled,
    spoken: Spoken | None,
    milliseconds: dict[str, float],
    *,
    complete: bool,
) -> TurnResult:
    """Store the turn's reply, state and trace; None was `spoken` where a person has the conversation."""
    started = time.perf_counter()
    first = intents_of(understood.reading)[0]
    state, reply = incoming.state, None
    state.told = spoken.text[:2_000] if spoken else state.told
    state.answering_since = None
    with database.write() as session:
        conversation = held_conversation(session, incoming.conversation_id, state)
        records.save_state(conversation, state)
        conversation.language = incoming.language if spoken else conversation.language
        if conversation.customer_id is None and state.trusted_customer_id is not None:
            conversation.customer_id = state.trusted_customer_id
        if spoken is not None and spoken.text:
            reply = Message(
                conversation_id=incoming.conversation_id,
                role=Role.ASSISTANT,
                text=spoken.text,
                intent=first.name,
                confidence=first.confidence,
                complete=complete,
            )
            session.add(reply)
            session.flush()
        milliseconds["store"] = (time.perf_counter() - started) * 1000
        session.add(trace_of(incoming, understood, settled, spoken, reply, milliseconds))
    return result_of(incoming, understood, settled, reply.text if reply else "", reply.id if reply else None)


def choices_of(state: ConversationState) -> list[ChoiceOut]:
    """What may be answered to the open question, as it was offered."""
    question = state.question
    return [ChoiceOut(label=label, text=label) for label in question.labels] if question else []
