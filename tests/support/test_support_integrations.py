"""Chatwoot and Zendesk: signed webhooks in, one reply out, whatever happens in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from apps.support.conversations import pipeline, records, tickets
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.helpdesks.answering import answer_event
from apps.support.helpdesks.api import create_router
from apps.support.helpdesks.chatwoot import Chatwoot
from apps.support.helpdesks.posting import MOST_ATTEMPTS, begin_post
from apps.support.helpdesks.worker import DeskWorker
from apps.support.helpdesks.zendesk import HANDED_OVER_TAG, Zendesk
from apps.support.shop.models import DeskEvent, DeskLink, DeskName, DeskPost, Message, Role, Ticket
from tests.support.desk_server import (
    AGENT_TOKEN,
    API_TOKEN,
    BOT_TOKEN,
    EMAIL,
    SECRET,
    DeskServer,
    desk_server,
    sign_chatwoot,
    sign_zendesk,
)

THREAD, TICKET = "1/42", "5158"
ASK, PERSON = "how long does delivery take? = ask delivery_period", "a human agent = person"


@pytest.fixture
def desk() -> Iterator[DeskServer]:
    with desk_server() as server:
        yield server


class Bridge:
    """Webhooks, the worker and the desk around one assistant."""

    def __init__(
        self, assistant: SupportPipeline, desk: DeskServer, reader: str | None = AGENT_TOKEN
    ) -> None:
        self.assistant = assistant
        self.database = assistant.database
        self.desk = desk
        self.desks = {
            DeskName.CHATWOOT: Chatwoot(desk.url, BOT_TOKEN, SECRET, reader),
            DeskName.ZENDESK: Zendesk(desk.url, EMAIL, API_TOKEN, SECRET),
        }
        app = FastAPI()
        app.include_router(create_router(self.database, self.desks))
        self.client = TestClient(app)

    def chatwoot(self, body: dict[str, Any]) -> str:
        content = json.dumps(body).encode()
        answer = self.client.post("/integrations/chatwoot", content=content, headers=sign_chatwoot(content))
        assert answer.status_code == 200
        return str(answer.json()["status"])

    def zendesk(self, body: dict[str, Any]) -> str:
        content = json.dumps(body).encode()
        answer = self.client.post("/integrations/zendesk", content=content, headers=sign_zendesk(content))
        assert answer.status_code == 200
        return str(answer.json()["status"])

    def work(self) -> None:
        """What a worker does until nothing is left, with no wait between attempts."""
        worker = DeskWorker(self.assistant, self.desks, first_wait_s=0)
        while worker.answer_next() or worker.post_next():
            pass

    def rows(self, kind: Any) -> list[Any]:
        with self.database.read() as session:
            return list(session.scalars(select(kind).order_by(kind.id)))


@pytest.fixture
def bridge(assistant: SupportPipeline, desk: DeskServer) -> Bridge:
    """On each kind of database."""
    return Bridge(assistant, desk)


@pytest.fixture
def sqlite_bridge(sqlite_assistant: SupportPipeline, desk: DeskServer) -> Bridge:
    return Bridge(sqlite_assistant, desk)


def test_a_customers_message_gets_one_reply_however_often_it_is_delivered(bridge: Bridge) -> None:
    chatwoot = bridge.desk.chatwoot_webhook(THREAD, ASK)
    zendesk = bridge.desk.zendesk_webhook(TICKET, ASK)
    assert [bridge.chatwoot(chatwoot), bridge.chatwoot(chatwoot)] == ["accepted", "repeated"]
    assert [bridge.zendesk(zendesk), bridge.zendesk(zendesk)] == ["accepted", "repeated"]
    bridge.work()
    assert [bridge.chatwoot(chatwoot), bridge.zendesk(zendesk)] == ["repeated", "repeated"]
    bridge.work()
    for thread in (THREAD, TICKET):
        assert len(bridge.desk.replies(thread)) == 1
        assert "3" in bridge.desk.replies(thread)[0]
    assert bridge.desk.status[TICKET] == "pending"


def test_a_thread_is_one_conversation_whose_messages_are_answered_in_order(bridge: Bridge) -> None:
    for text in ("where is my order? = status", "thank you = thanks"):
        bridge.chatwoot(bridge.desk.chatwoot_webhook(THREAD, text))
    bridge.work()
    with bridge.database.read() as session:
        conversation = session.scalars(select(DeskLink)).one().conversation_id
        said = [message.role for message in records.messages_of(session, conversation)]
    assert said == [Role.CUSTOMER, Role.ASSISTANT] * 2
    assert len(bridge.desk.replies(THREAD)) == 2


def test_a_hand_over_is_told_to_the_desk_and_the_assistant_is_silent_until_it_is_returned(
    bridge: Bridge,
) -> None:
    bridge.chatwoot(bridge.desk.chatwoot_webhook(THREAD, PERSON))
    bridge.zendesk(bridge.desk.zendesk_webhook(TICKET, PERSON))
    bridge.work()
    assert bridge.desk.status == {THREAD: "open", TICKET: "open"}
    assert bridge.desk.tags[TICKET] == {HANDED_OVER_TAG}
    for thread in (THREAD, TICKET):
        assert len(bridge.desk.replies(thread)) == 1
        assert "requested" in bridge.desk.notes(thread)[0]
    bridge.chatwoot(bridge.desk.chatwoot_webhook(THREAD, ASK))
    bridge.zendesk(bridge.desk.zendesk_webhook(TICKET, ASK))
    bridge.work()
    assert [len(bridge.desk.replies(thread)) for thread in (THREAD, TICKET)] == [1, 1]
    bridge.desk.status[THREAD] = "pending"
    bridge.desk.tags[TICKET].clear()
    bridge.chatwoot(bridge.desk.chatwoot_webhook(THREAD, ASK))
    bridge.zendesk(bridge.desk.zendesk_webhook(TICKET, ASK))
    bridge.work()
    assert [len(bridge.desk.replies(thread)) for thread in (THREAD, TICKET)] == [2, 2]
    assert {ticket.status.value for ticket in bridge.rows(Ticket)} == {"closed"}


def test_a_message_from_before_the_hand_over_does_not_return_the_conversation(sqlite_bridge: Bridge) -> None:
    late = sqlite_bridge.desk.chatwoot_webhook(THREAD, ASK)
    sqlite_bridge.chatwoot(sqlite_bridge.desk.chatwoot_webhook(THREAD, PERSON))
    sqlite_bridge.work()
    sqlite_bridge.chatwoot(late)
    sqlite_bridge.work()
    assert len(sqlite_bridge.desk.replies(THREAD)) == 1


def test_what_people_at_the_desk_have_is_not_answered(sqlite_bridge: Bridge) -> None:
    sqlite_bridge.desk.status[THREAD] = "open"
    sqlite_bridge.chatwoot(sqlite_bridge.desk.chatwoot_webhook(THREAD, ASK))
    assigned = sqlite_bridge.desk.zendesk_webhook(TICKET, ASK)
    assigned["detail"]["assignee_id"] = "99"
    sqlite_bridge.zendesk(assigned)
    sqlite_bridge.work()
    assert sqlite_bridge.desk.replies(THREAD) == sqlite_bridge.desk.replies(TICKET) == []
    assert [message.text for message in sqlite_bridge.rows(Message)] == [ASK, ASK]


def test_the_people_here_can_answer_and_return_a_conversation_of_a_desk(sqlite_bridge: Bridge) -> None:
    sqlite_bridge.chatwoot(sqlite_bridge.desk.chatwoot_webhook(THREAD, PERSON))
    sqlite_bridge.work()
    with sqlite_bridge.database.write() as session:
        link = session.scalars(select(DeskLink)).one()
        records.say_as_agent(session, link.conversation, "Hi, Ben here")
        tickets.return_to_bot(session, link.conversation)
    sqlite_bridge.work()
    assert sqlite_bridge.desk.replies(THREAD)[-1] == "Hi, Ben here"
    assert sqlite_bridge.desk.status[THREAD] == "pending"


@pytest.mark.parametrize("thread", [THREAD, TICKET])
def test_a_reply_whose_answer_got_lost_is_not_sent_twice(bridge: Bridge, thread: str) -> None:
    webhook = bridge.desk.chatwoot_webhook if thread == THREAD else bridge.desk.zendesk_webhook
    receive = bridge.chatwoot if thread == THREAD else bridge.zendesk
    receive(webhook(thread, ASK))
    bridge.desk.lose_answers = 1
    bridge.work()
    assert len(bridge.desk.replies(thread)) == 1
    post = bridge.rows(DeskPost)[0]
    assert (post.status.value, post.attempts) == ("sent", 2)
    receive(webhook(thread, ASK))  # the same words again are another message
    bridge.desk.lose_answers = 1
    bridge.work()
    assert len(bridge.desk.replies(thread)) == 2


def test_a_post_that_was_being_sent_when_the_process_died_is_looked_for_first(bridge: Bridge) -> None:
    for arrived in (False, True):
        bridge.chatwoot(bridge.desk.chatwoot_webhook(THREAD, ASK))
        DeskWorker(bridge.assistant, bridge.desks).answer_next()
        attempt = begin_post(bridge.database)
        assert attempt is not None
        if arrived:
            bridge.desks[DeskName.CHATWOOT].say(THREAD, attempt)
        bridge.work()
    assert len(bridge.desk.replies(THREAD)) == 2


def test_a_turn_that_was_done_when_the_process_died_is_not_done_again(bridge: Bridge) -> None:
    bridge.chatwoot(bridge.desk.chatwoot_webhook(THREAD, PERSON))
    event = bridge.rows(DeskEvent)[0]
    answer_event(bridge.assistant, event.id)
    with bridge.database.write() as session:  # as it was before the turn's reply was stored for the desk
        session.delete(session.scalars(select(DeskPost).where(DeskPost.event_id == event.id)).one())
        session.get_one(DeskEvent, event.id).status = "waiting"
    bridge.work()
    assert len(bridge.desk.replies(THREAD)) == 1
    assert len(bridge.rows(Message)) == 2
    assert len(bridge.rows(Ticket)) == 1


def test_a_turn_that_died_in_the_middle_is_run_again_and_its_message_stored_once(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge.chatwoot(bridge.desk.chatwoot_webhook(THREAD, PERSON))
    event = bridge.rows(DeskEvent)[0]

    class Killed(BaseException):
        """Nothing that the turn could catch."""

    def die(*_arguments: Any, **_options: Any) -> None:
        raise Killed

    # Before anything was done, and after the hand-over's transaction.
    for place, step in ((bridge.assistant, "_read"), (pipeline, "keep_turn")):
        with monkeypatch.context() as patch:
            patch.setattr(place, step, die)
            with pytest.raises(Killed):
                answer_event(bridge.assistant, event.id)
    bridge.work()
    assert len(bridge.desk.replies(THREAD)) == 1
    assert "T1" in bridge.desk.replies(THREAD)[0]
    assert [message.role for message in bridge.rows(Message)] == [Role.CUSTOMER, Role.ASSISTANT]


def test_a_desk_that_is_down_gets_the_reply_when_it_is_up(sqlite_bridge: Bridge) -> None:
    sqlite_bridge.chatwoot(sqlite_bridge.desk.chatwoot_webhook(THREAD, ASK))
    sqlite_bridge.desk.refuse = [503, 500, 502, 503, 429, 401]
    sqlite_bridge.work()
    assert len(sqlite_bridge.desk.replies(THREAD)) == 1


@pytest.mark.parametrize(("status", "times"), [(503, 4 * MOST_ATTEMPTS), (404, 1)])
def test_a_reply_that_cannot_be_delivered_becomes_a_ticket(
    sqlite_bridge: Bridge, status: int, times: int
) -> None:
    sqlite_bridge.chatwoot(sqlite_bridge.desk.chatwoot_webhook(THREAD, ASK))
    sqlite_bridge.desk.refuse = [status] * times
    sqlite_bridge.work()
    assert sqlite_bridge.desk.replies(THREAD) == []
    assert [ticket.reason for ticket in sqlite_bridge.rows(Ticket)] == ["delivery"]
    failed = sqlite_bridge.rows(DeskPost)[0]
    assert failed.status.value == "failed"
    assert str(status) in failed.error


def test_without_a_way_to_look_a_reply_that_may_have_arrived_is_left_to_a_person(
    sqlite_assistant: SupportPipeline, desk: DeskServer
) -> None:
    bridge = Bridge(sqlite_assistant, desk, reader=None)
    bridge.chatwoot(desk.chatwoot_webhook(THREAD, ASK))
    desk.lose_answers = 1
    bridge.work()
    assert len(desk.replies(THREAD)) == 1
    assert [ticket.reason for ticket in bridge.rows(Ticket)] == ["delivery"]
    assert desk.status[THREAD] == "open"


def test_a_message_that_cannot_be_answered_becomes_a_ticket(
    sqlite_bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_bridge.chatwoot(sqlite_bridge.desk.chatwoot_webhook(THREAD, ASK))
    monkeypatch.setattr(sqlite_bridge.assistant, "_begin", None)
    sqlite_bridge.work()
    assert [ticket.reason for ticket in sqlite_bridge.rows(Ticket)] == ["failure"]
    assert sqlite_bridge.desk.status[THREAD] == "open"
