"""Two messages of one conversation at once, in two processes: the second is refused, nothing is done twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.support.conversations import records
from apps.support.conversations.leases import ABANDONED_AFTER
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.errors import ConflictError
from apps.support.shop.models import AuditEntry, Message
from tests.support.conftest import OpenChat
from tests.support.small_shop import Chat, statuses
from tests.support.stored import count


def another_process(chat: Chat) -> SupportPipeline:
    one = chat.pipeline
    return SupportPipeline(one.database, one.reader, one.replies, one._clock, one.policy)


def test_a_message_during_another_ones_turn_is_refused(any_chat: OpenChat) -> None:
    chat = any_chat()
    chat("cancel P")
    running = chat.pipeline.stream(chat.id, "yes")
    next(running)
    stored = count(chat.database, Message)
    for pipeline in (chat.pipeline, another_process(chat)):
        with pytest.raises(ConflictError, match="still being answered"):
            pipeline.answer(chat.id, "cancel Q")
    assert count(chat.database, Message) == stored
    list(running)
    assert statuses(chat.database) | {"1003": ""} == {
        "1002": "cancelled",
        "1007": "pending",
        "1005": "shipped",
        "1001": "delivered",
        "1003": "",
    }
    assert another_process(chat).answer(chat.id, "cancel Q").actions[0]["status"] == "proposed"


def test_a_stream_that_is_closed_lets_the_next_message_in(any_chat: OpenChat) -> None:
    chat = any_chat()
    running = chat.pipeline.stream(chat.id, "status P")
    next(running)
    running.close()
    assert "#1002" in another_process(chat).answer(chat.id, "status P").reply


def test_a_turn_that_was_given_up_writes_nothing_over_the_next_one(any_chat: OpenChat) -> None:
    chat = any_chat()
    chat("cancel P")
    lost = chat.pipeline.stream(chat.id, "yes")
    next(lost)
    with chat.database.write() as session:
        conversation = records.get_conversation(session, chat.id)
        state = records.load_state(conversation)
        assert state.answering_since is not None
        state.answering_since -= ABANDONED_AFTER + timedelta(seconds=1)
        records.save_state(conversation, state)
    assert another_process(chat).answer(chat.id, "no").actions == [{"name": "cancel", "status": "dropped"}]
    with pytest.raises(ConflictError, match="another turn of this conversation came first"):
        list(lost)
    assert statuses(chat.database)["1002"] == "pending"
    assert count(chat.database, AuditEntry) == 0
    assert chat.state.pending is None
