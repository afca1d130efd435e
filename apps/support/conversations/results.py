"""What a turn comes to for those who asked: the result that the API and the pages show."""

from __future__ import annotations

from apps.support.conversations.turn import (
    CardOut,
    ChoiceOut,
    Incoming,
    Settled,
    TurnResult,
    Understood,
    facts_of,
    understood_of,
)
from apps.support.reading.state import ConversationState


def result_of(
    incoming: Incoming, understood: Understood, settled: Settled, reply: str, reply_id: int | None
) -> TurnResult:
    pending = incoming.state.pending
    return TurnResult(
        conversation_id=incoming.conversation_id,
        message_id=incoming.message_id,
        reply_id=reply_id,
        reply=reply,
        **understood_of(incoming, understood).model_dump(),
        facts=facts_of(settled.notes),
        citations=settled.citations,
        actions=settled.actions,
        proposal=CardOut(lines=list(pending.lines)) if pending else None,
        receipt=CardOut(lines=settled.receipt) if settled.receipt else None,
        choices=choices_of(incoming.state),
        handed_over=settled.handed_over,
        ticket_id=settled.ticket_id,
    )


def choices_of(state: ConversationState) -> list[ChoiceOut]:
    """What may be answered to the open question, as it was offered."""
    question = state.question
    return [ChoiceOut(label=label, text=label) for label in question.labels] if question else []
