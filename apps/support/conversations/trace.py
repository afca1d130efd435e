"""The record of a turn: what was understood, looked up, done and said, and how long each step took."""

from __future__ import annotations

from typing import Any

from apps.support.conversations.turn import Part, Turn
from apps.support.replies.writer import Spoken
from apps.support.shop.models import Message, TurnTrace


def trace_of(turn: Turn, spoken: Spoken | None, reply: Message | None) -> TurnTrace:
    guess = turn.first.guess
    return TurnTrace(
        conversation_id=turn.conversation_id,
        message_id=turn.message_id,
        reply_id=reply.id if reply else None,
        understood={
            "language": turn.language,
            "intent": turn.first.intent,
            "guess": guess.name if guess else None,
            "confidence": guess.confidence if guess else None,
            "entities": turn.entities.as_json(),
            "injection": bool(turn.guarded and turn.guarded.injection),
            "cut": bool(turn.guarded and turn.guarded.cut),
            **({"parts": [_understood(part) for part in turn.parts]} if len(turn.parts) > 1 else {}),
        },
        looked_up=_looked_up(turn),
        done={"actions": turn.actions, "ticket": turn.ticket_id, "handed_over": turn.handed_over},
        said={
            "source": spoken.source if spoken else None,
            "draws": spoken.draws if spoken else 0,
            "missing": spoken.missing if spoken else [],
        },
        milliseconds={name: round(value, 2) for name, value in turn.milliseconds.items()},
    )


def _understood(part: Part) -> dict[str, Any]:
    return {
        "text": part.text,
        "intent": part.intent,
        "guess": part.guess.name if part.guess else None,
        "confidence": part.guess.confidence if part.guess else None,
        "entities": part.entities.as_json(),
    }


def _looked_up(turn: Turn) -> dict[str, Any]:
    """What the first part looked up, and each part by itself where there are several."""
    each = [
        {**part.outcome.looked_up, "notes": [note.key for note in part.outcome.notes]} for part in turn.parts
    ]
    if len(each) == 1:
        return each[0]
    return {**each[0], "notes": [note.key for note in turn.notes], "parts": each}
