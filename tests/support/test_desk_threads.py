"""Threads at a desk as they are written: one wish in several messages, machines that answer, pictures, good-byes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.support.conversations.pipeline import SupportPipeline
from apps.support.helpdesks.collecting import LONGEST_COLLECTION
from apps.support.helpdesks.worker import DeskWorker
from apps.support.shop.models import DeskEvent, Message, Role, Ticket
from tests.support.desk_server import DeskServer
from tests.support.test_support_integrations import THREAD, TICKET, Bridge, bridge, desk, sqlite_bridge

__all__ = ["bridge", "desk", "sqlite_bridge"]

MACHINE = "We are sorry, but we cannot handle message {} because this is a no-reply e-mail address."


class Hasty(Bridge):
    """A worker that waits for a customer to have done."""

    quiet_s = 60.0

    def work(self) -> None:
        worker = DeskWorker(self.assistant, self.desks, first_wait_s=0, quiet_s=self.quiet_s)
        while worker.answer_next() or worker.post_next():
            pass

    def wait(self, seconds: float) -> None:
        """Let everything that came so far have come earlier."""
        with self.database.write() as session:
            for event in session.query(DeskEvent):
                event.received_at -= timedelta(seconds=seconds)


@pytest.fixture
def hasty(assistant: SupportPipeline, desk: DeskServer) -> Hasty:
    return Hasty(assistant, desk)


def written(body: dict[str, Any], at: int) -> dict[str, Any]:
    return body | {"created_at": datetime(2026, 11, 1, 10, 0, at, tzinfo=UTC).isoformat()}


def customers_words(bridge: Bridge) -> list[str]:
    return [message.text for message in bridge.rows(Message) if message.role == Role.CUSTOMER]


def test_one_wish_in_several_messages_gets_one_answer(hasty: Hasty) -> None:
    bodies = [
        written(hasty.desk.chatwoot_webhook(THREAD, text), at)
        for at, text in enumerate(["hi", "so", "my parcel", "how long? = ask delivery_period"])
    ]
    for body in (
        bodies[0],
        bodies[2],
        bodies[1],
        bodies[1],
        bodies[3],
    ):  # in another order, and one of them twice
        hasty.chatwoot(body)
    hasty.work()
    assert hasty.desk.replies(THREAD) == []
    hasty.wait(61)
    hasty.work()
    assert len(hasty.desk.replies(THREAD)) == 1
    assert customers_words(hasty) == ["hi\nso\nmy parcel\nhow long? = ask delivery_period"]
    hasty.chatwoot(hasty.desk.chatwoot_webhook(THREAD, "thank you = thanks"))
    hasty.wait(61)
    hasty.work()
    assert len(hasty.desk.replies(THREAD)) == 2


def test_messages_of_one_second_count_in_the_order_of_their_numbers(hasty: Hasty) -> None:
    bodies = [written(hasty.desk.chatwoot_webhook(THREAD, text), 0) for text in ("first", "second")]
    for body in reversed(bodies):
        hasty.chatwoot(body)
    hasty.wait(61)
    hasty.work()
    assert customers_words(hasty) == ["first\nsecond"]


def test_who_never_stops_writing_is_answered_all_the_same(hasty: Hasty) -> None:
    hasty.chatwoot(hasty.desk.chatwoot_webhook(THREAD, "how long? = ask delivery_period"))
    hasty.wait(hasty.quiet_s * LONGEST_COLLECTION)
    hasty.chatwoot(hasty.desk.chatwoot_webhook(THREAD, "how long? = ask delivery_period"))
    hasty.work()
    assert len(hasty.desk.replies(THREAD)) == 1


def test_a_machine_gets_one_answer_at_most(bridge: Bridge) -> None:
    for number in range(5):
        text = MACHINE.format(number)
        bridge.chatwoot(bridge.desk.chatwoot_webhook(THREAD, text))
        bridge.zendesk(bridge.desk.zendesk_webhook(TICKET, text))
        bridge.work()
    for thread in (THREAD, TICKET):
        assert len(bridge.desk.replies(thread)) == 1
        assert "automatic" in bridge.desk.notes(thread)[0]
    assert [ticket.reason for ticket in bridge.rows(Ticket)] == ["automatic"] * 2


def test_people_may_say_short_things_twice(sqlite_bridge: Bridge) -> None:
    for _ in range(2):
        sqlite_bridge.chatwoot(sqlite_bridge.desk.chatwoot_webhook(THREAD, "how long? = ask delivery_period"))
        sqlite_bridge.work()
    assert len(sqlite_bridge.desk.replies(THREAD)) == 2


def test_a_picture_is_asked_about_and_not_read(sqlite_bridge: Bridge) -> None:
    picture = {"content": None, "attachments": [{"id": 1, "file_type": "image"}]}
    sqlite_bridge.chatwoot(sqlite_bridge.desk.chatwoot_webhook(THREAD, "x") | picture)
    sqlite_bridge.work()
    assert "cannot see pictures" in sqlite_bridge.desk.replies(THREAD)[0]
    assert json.dumps(sqlite_bridge.assistant.reader.seen) == "[]"  # type: ignore[attr-defined]


def test_thanks_leave_a_solved_ticket_solved(sqlite_bridge: Bridge) -> None:
    desk = sqlite_bridge.desk
    for text, status in (("how long? = ask delivery_period", "pending"), ("thx = thanks", "solved")):
        sqlite_bridge.zendesk(desk.zendesk_webhook(TICKET, text))
        sqlite_bridge.work()
        assert desk.status[TICKET] == status
