"""The record of a turn: what was understood, looked up, done and said, and how long each step took."""

from __future__ import annotations

from typing import Any

from apps.support.conversations.turn import Incoming, Settled, Understood, entities_of, intents_of
from apps.support.replies.writer import Spoken
from apps.support.shop.models import Message, TurnTrace


def trace_of(
    incoming: Incoming,
    understood: Understood,
    settled: Settled,
    spoken: Spoken | None,
    reply: Message | None,
    milliseconds: dict[str, float],
) -> TurnTrace:
    first, *further = intents_of(understood.reading)
    pending = incoming.state.pending
    return TurnTrace(
        conversation_id=incoming.conversation_id,
        message_id=incoming.message_id,
        reply_id=reply.id if reply else None,
        understood={
            "language": incoming.language,
            "intent": first.name,
            "confidence": first.confidence,
            "commands": understood.reading.text,
            "view": understood.view,
            "entities": entities_of(understood.identifiers),
            "further": [intent.name for intent in further],
        },
        looked_up=_looked_up(settled),
        done={
            "actions": settled.actions,
            "ticket": settled.ticket_id,
            "handed_over": settled.handed_over,
            "proposal": [line.model_dump() for line in pending.lines] if pending else [],
            "receipt": [line.model_dump() for line in settled.receipt],
        },
        said={
            "source": spoken.source if spoken else None,
            "draws": spoken.draws if spoken else 0,
            "missing": spoken.missing if spoken else [],
        },
        milliseconds={name: round(value, 2) for name, value in milliseconds.items()},
    )


def _looked_up(settled: Settled) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for answered in settled.answers:
        found |= answered.outcome.looked_up
    return {**found, "notes": [note.key for note in settled.notes]}
