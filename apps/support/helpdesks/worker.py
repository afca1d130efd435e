"""The worker: answers what the desks brought and sends them what is to go there, until it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import structlog
from sqlalchemy.exc import SQLAlchemyError

from apps.support.conversations.pipeline import SupportPipeline
from apps.support.errors import ConflictError
from apps.support.helpdesks.answering import answer_event, give_up
from apps.support.helpdesks.collecting import due_event
from apps.support.helpdesks.desks import Desk
from apps.support.helpdesks.posting import begin_post, deliver, wait_s
from apps.support.shop.locks import Held, Work, only_one
from apps.support.shop.models import DeskEvent, DeskName

log = structlog.get_logger(__name__)

POLL_S = 0.25
FIRST_WAIT_S = 1.0
MOST_TURNS = 5
"""Attempts at one message's turn, after which a person gets it."""
STOPPING_S = 15.0


class DeskWorker:
    """Two threads: a desk that does not answer must not keep the others' customers waiting.

    Everything it needs to know is in the database: it may be killed at any time and begin again.
    """

    def __init__(
        self,
        pipeline: SupportPipeline,
        desks: Mapping[DeskName, Desk],
        *,
        first_wait_s: float = FIRST_WAIT_S,
        quiet_s: float = 0,
    ) -> None:
        """`quiet_s`: what a customer writes until this long after their last message gets one answer."""
        self._pipeline = pipeline
        self._database = pipeline.database
        self._desks = desks
        self._first_wait_s = first_wait_s
        self._quiet_s = quiet_s
        self._stop = Event()
        self._thread = Thread(target=self._run, name="desks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Finish what is under way and stop."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOPPING_S)
        for desk in self._desks.values():
            desk.close()

    def answer_next(self) -> bool:
        """Run the turn of one message. False where none is due."""
        with self._database.read() as session:
            event = due_event(session, self._quiet_s)
        if event is None:
            return False
        try:
            answer_event(self._pipeline, event.id, collecting=self._quiet_s > 0)
        except Exception as error:
            # Whatever broke: the message is tried again, and goes to a person in the end.
            if not isinstance(error, ConflictError):
                log.exception("a desk's message was not answered", desk_event=event.id)
            self._put_off(event)
        return True

    def post_next(self) -> bool:
        """Send one post. False where none is due."""
        outgoing = begin_post(self._database)
        if outgoing is None:
            return False
        deliver(self._database, self._desks, outgoing, self._first_wait_s)
        return True

    def _put_off(self, failed: DeskEvent) -> None:
        with self._database.write() as session:
            event = session.get_one(DeskEvent, failed.id)
            event.attempts += 1
            event.due_at = datetime.now(UTC) + timedelta(seconds=wait_s(event.attempts, self._first_wait_s))
            if event.attempts >= MOST_TURNS:
                give_up(session, event.id)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with only_one(self._database, Work.DESKS, self._stop) as held:
                    if held is not None:
                        self._work(held)
            except SQLAlchemyError as error:
                log.warning("the desks wait for the database", reason=str(error))
                self._stop.wait(POLL_S * 20)

    def _work(self, held: Held) -> None:
        lost = Event()
        posting = Thread(
            target=self._repeat, args=(self.post_next, held, lost), name="desk posts", daemon=True
        )
        posting.start()
        self._repeat(self.answer_next, held, lost)
        posting.join(STOPPING_S)

    def _repeat(self, step: Callable[[], bool], held: Held, lost: Event) -> None:
        while not (self._stop.is_set() or lost.is_set()):
            try:
                if not held():
                    lost.set()
                elif not step():
                    self._stop.wait(POLL_S)
            except Exception:
                # A thread that ended would leave customers without answers until the next start.
                log.exception("a step of the desks failed")
                self._stop.wait(POLL_S * 20)
