"""Requests in one slot: the newest wins, whichever is started first."""

from __future__ import annotations

from collections.abc import AsyncIterator

from core_model.requests import Completion, Piece
from ui.slots import Slots


class Answer:
    """An answer that only knows whether it was cancelled."""

    def __init__(self) -> None:
        self.cancelled = False

    async def __aiter__(self) -> AsyncIterator[Piece]:
        yield Piece("", [], [])

    def result(self) -> Completion:
        return Completion(finish_reason="cancelled" if self.cancelled else "stop")

    def cancel(self) -> None:
        self.cancelled = True


def test_a_new_request_cancels_the_one_before_it_in_its_slot_alone() -> None:
    slots, first, other, second = Slots(), Answer(), Answer(), Answer()
    slots.take("a").begin([first])
    slots.take("b").begin([other])
    slots.take("a").begin([second])
    assert [answer.cancelled for answer in (first, other, second)] == [True, False, False]


def test_an_older_request_that_is_started_later_is_cancelled_and_not_the_newer_one() -> None:
    slots, older, newer = Slots(), Answer(), Answer()
    before, after = slots.take("a"), slots.take("a")
    after.begin([newer])
    before.begin([older])
    assert (older.cancelled, newer.cancelled) == (True, False)
