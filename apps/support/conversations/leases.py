"""One turn of a conversation at a time, across processes: who begins one holds the conversation until its reply.

`state.turn` counts the turns. Each write of a turn checks that no other one began since, so that a turn whose time
ran out writes nothing over its successor's work.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from apps.support.conversations.records import get_conversation, load_state, save_state
from apps.support.errors import ConflictError
from apps.support.reading.state import ConversationState
from apps.support.shop.models import Conversation
from apps.support.shop.models.columns import utc_now

ABANDONED_AFTER = timedelta(minutes=2)
"""A turn without a reply after this long died with its process; the next message may be answered."""


def begin_turn(session: Session, conversation_id: str) -> tuple[Conversation, ConversationState]:
    """Raises NotFoundError, and ConflictError while another turn runs."""
    conversation = get_conversation(session, conversation_id, lock=True)
    state = load_state(conversation)
    if state.answering_since is not None and utc_now() - state.answering_since < ABANDONED_AFTER:
        raise ConflictError(
            "the last message of this conversation is still being answered: send the next one after that"
        )
    state.turn += 1
    state.answering_since = utc_now()
    save_state(conversation, state)
    return conversation, state


def held_conversation(session: Session, conversation_id: str, state: ConversationState) -> Conversation:
    """The conversation, for a write of the turn that `state` belongs to.

    Raises ConflictError where another turn began since.
    """
    conversation = get_conversation(session, conversation_id, lock=True)
    if load_state(conversation).turn != state.turn:
        raise ConflictError(
            "another turn of this conversation came first: read its answer, and send the message again"
        )
    return conversation


def end_turn(session: Session, conversation_id: str, turn: int) -> None:
    """Let the next turn begin, where this one broke off before its reply was stored."""
    conversation = get_conversation(session, conversation_id, lock=True)
    state = load_state(conversation)
    if state.turn == turn and state.answering_since is not None:
        state.answering_since = None
        save_state(conversation, state)
