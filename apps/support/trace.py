"""The record of a turn: what was understood, looked up, done and said, and how long each step took."""

from __future__ import annotations

from apps.support.models import Message, TurnTrace
from apps.support.replies import Spoken
from apps.support.turn import Turn


def trace_of(turn: Turn, spoken: Spoken | None, reply: Message | None) -> TurnTrace:
    guess = turn.guess
    return TurnTrace(
        conversation_id=turn.conversation_id,
        message_id=turn.message_id,
        reply_id=reply.id if reply else None,
        understood={
            "language": turn.language,
            "intent": turn.intent,
            "guess": guess.name if guess else None,
            "confidence": guess.confidence if guess else None,
            "entities": turn.entities.as_json(),
            "injection": bool(turn.guarded and turn.guarded.injection),
            "cut": bool(turn.guarded and turn.guarded.cut),
        },
        looked_up={**turn.outcome.looked_up, "notes": [note.key for note in turn.outcome.notes]},
        done={"actions": turn.actions, "ticket": turn.ticket_id, "handed_over": turn.handed_over},
        said={
            "source": spoken.source if spoken else None,
            "draws": spoken.draws if spoken else 0,
            "missing": spoken.missing if spoken else [],
        },
        milliseconds={name: round(value, 2) for name, value in turn.milliseconds.items()},
    )
