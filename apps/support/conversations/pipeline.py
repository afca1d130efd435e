"""The support assistant: one message in, one streamed reply out, everything in between written down.

prove who writes → read the message → follow the playbooks → act → go on with what waited → reply → stored.
Generated text decides nothing: the reader can only name what there is, the rules are code and are checked again
in the transaction that writes, and the model is only given sentences that are true.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import structlog
from sqlalchemy.orm import Session

from apps.support.conversations import records
from apps.support.conversations.acting import file_complaint, hand_over, run_proposal
from apps.support.conversations.drafting import keep_draft
from apps.support.conversations.guessing import Guesses
from apps.support.conversations.leases import begin_turn, end_turn
from apps.support.conversations.pursuing import take_up
from apps.support.conversations.results import keep_turn, result_of
from apps.support.conversations.revising import ask_again
from apps.support.conversations.settling import decide
from apps.support.conversations.speaking import speak
from apps.support.conversations.turn import (
    Answered,
    FactsFound,
    Incoming,
    IntentFound,
    Settled,
    Token,
    TurnEvent,
    TurnResult,
    Understood,
    facts_of,
    intent_found,
)
from apps.support.conversations.understanding import UNSEEN, MessageReader, read_message
from apps.support.errors import ActionRefusedError, ConflictError
from apps.support.playbooks.case import Outcome, Room, said
from apps.support.reading.cleaning import clean, storable
from apps.support.reading.context import load_context
from apps.support.reading.identifiers import find_identifiers
from apps.support.reading.state import Proposal, Wish
from apps.support.reading.view import View
from apps.support.replies.language import detect_language, spoken_language, unspoken_notice, written_language
from apps.support.replies.sentences import Note
from apps.support.replies.writer import ReplyWriter, Spoken
from apps.support.shop.database import Database
from apps.support.shop.models import ConversationStatus, Message, Role
from apps.support.shop.policy import Policy, load_policy

log = structlog.get_logger(__name__)


class SupportPipeline:
    """Answers messages. Thread-safe; a conversation has one turn at a time."""

    def __init__(
        self,
        database: Database,
        reader: MessageReader,
        replies: ReplyWriter,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        policy: Policy | None = None,
    ) -> None:
        """`policy`: the shop's rules; without them the demonstration shop's."""
        self.database = database
        self.reader = reader
        self.replies = replies
        self.policy = policy or load_policy()
        self._clock = clock
        self._guesses = Guesses()

    def answer(self, conversation_id: str, text: str) -> TurnResult:
        """The whole turn at once. Raises as `stream` does."""
        for event in self.stream(conversation_id, text):
            if isinstance(event, TurnResult):
                return event
        raise AssertionError("a turn ends with its result")

    def understand(self, text: str) -> IntentFound:
        """What a text alone wants and names: no conversation, no customer."""
        cleaned = clean(text)
        found = find_identifiers(cleaned, {}, known=False)
        reading = self.reader.read(View(), found.tagged)
        return intent_found(reading, found, detect_language(cleaned, None))

    def draft(self, conversation_id: str, text: str | None) -> TurnResult:
        """What the assistant would answer, for a person to send: nothing is done, and only the draft is stored.

        Without `text` it answers the customer's last message. The reply is empty where the assistant would
        act or hand over instead of answering. Raises NotFoundError.
        """
        with self.database.read() as session:
            conversation = records.get_conversation(session, conversation_id)
            asked = text if text is not None else records.last_customer_text(session, conversation_id)
            state = records.load_state(conversation)
            incoming = self._incoming(
                conversation_id, None, asked, state, conversation.status, conversation.language
            )
            room, understood = self._read(session, incoming)
            settled = decide(room, understood.wishes)
        settled.answers = [
            a for a in settled.answers if a.outcome.handover is None and not a.outcome.complaint
        ]
        if settled.run:
            settled = Settled()
        settled.actions = []
        spoken = Spoken("")
        for piece in speak(self.replies, incoming, settled):
            spoken.text += piece
        result = result_of(incoming, understood, settled, spoken.text, None)
        if spoken.text:
            with self.database.write() as session:
                result.draft_id = keep_draft(session, incoming, settled, spoken.text).id
        return result

    def stream(self, conversation_id: str, text: str) -> Generator[TurnEvent, None, None]:
        """The turn's events as they come: intent, facts, the reply's pieces, the result.

        Raises NotFoundError for an unknown conversation and ConflictError while another turn of it runs.
        Closing the iterator cancels the generation; what was said by then is stored as incomplete.
        """
        incoming = self._begin(conversation_id, text)
        try:
            yield from self._turn(incoming)
        finally:
            with self.database.write() as session:
                end_turn(session, conversation_id, incoming.state.turn)

    def _turn(self, incoming: Incoming) -> Iterator[TurnEvent]:
        times: dict[str, float] = {}
        understood, settled = UNSEEN, Settled()
        if incoming.status != ConversationStatus.BOT:
            settled.handed_over = True
            yield keep_turn(self.database, incoming, understood, settled, None, times, complete=True)
            return
        try:
            with _timed(times, "read"), self.database.read() as session:
                room, understood = self._read(session, incoming)
                yield intent_found(understood.reading, understood.identifiers, incoming.language)
                with _timed(times, "playbook"):
                    settled = decide(room, understood.wishes)
            times["read"] -= times["playbook"]
            with _timed(times, "act"):
                self._act(incoming, settled)
            with _timed(times, "postponed"):
                self._go_on(incoming, settled)
        except ConflictError:
            raise  # no failure: another turn came first
        except Exception:
            # Whatever broke, the customer must not be left without an answer: a person takes over.
            log.exception("turn failed", conversation=incoming.conversation_id)
            settled = self._failed(incoming)
        self._tell_languages(incoming, settled)
        facts = facts_of(settled.notes)
        yield FactsFound(facts=facts, citations=settled.citations, actions=settled.actions)
        complete = False
        spoken = Spoken("")
        started = time.perf_counter()
        try:
            speech = speak(self.replies, incoming, settled)
            while True:
                try:
                    piece = next(speech)
                except StopIteration as end:
                    spoken = end.value
                    break
                if not spoken.text:
                    times["first_token"] = _since(started)
                spoken.text += piece
                yield Token(text=piece)
            complete = True
        finally:
            times["reply"] = _since(started)
            result = keep_turn(self.database, incoming, understood, settled, spoken, times, complete=complete)
        yield result

    def _begin(self, conversation_id: str, text: str) -> Incoming:
        with self.database.write() as session:
            conversation, state = begin_turn(session, conversation_id)
            message = Message(conversation_id=conversation_id, role=Role.CUSTOMER, text=storable(text))
            session.add(message)
            session.flush()
            return self._incoming(
                conversation_id, message.id, text, state, conversation.status, conversation.language
            )

    def _incoming(
        self,
        conversation_id: str,
        message_id: int | None,
        text: str,
        state: records.ConversationState,
        status: ConversationStatus,
        previous: str | None,
    ) -> Incoming:
        cleaned = clean(text)
        written = written_language(cleaned, previous)
        language = spoken_language(written, previous)
        unspoken = None if written == language else written
        return Incoming(
            conversation_id, message_id, cleaned, state, status, language, unspoken, self._clock()
        )

    def _read(self, session: Session, incoming: Incoming) -> tuple[Room, Understood]:
        return read_message(session, incoming, self.reader, self.policy, self._guesses)

    def _act(self, incoming: Incoming, settled: Settled) -> None:
        """Do what the decision calls for, and put what came of it into its notes."""
        leaving = next((a for a in settled.answers if a.outcome.handover is not None), None)
        if leaving is not None:
            hand_over(self.database, incoming, settled, leaving)
            return
        pending = incoming.state.pending
        if settled.run and pending is not None:
            try:
                run_proposal(self.database, incoming, pending, settled, self.policy)
            except ActionRefusedError as error:
                with self.database.read() as session:
                    ask_again(self._room(session, incoming, pending), pending, error, settled)
        for answered in settled.answers:
            if answered.outcome.complaint:
                file_complaint(self.database, incoming, settled, answered, self.policy)

    def _go_on(self, incoming: Incoming, settled: Settled) -> None:
        """Take up what waited, now that nothing is open."""
        state = incoming.state
        if settled.handed_over or not state.waiting or state.pending or state.question:
            return
        with self.database.read() as session:
            take_up(self._room(session, incoming), settled)

    def _room(self, session: Session, incoming: Incoming, proposal: Proposal | None = None) -> Room:
        """As the shop is by now, with the orders that the proposal is about."""
        state, today = incoming.state, incoming.now.date()
        about = state.model_copy(update={"pending": proposal}) if proposal else state
        context = load_context(session, about)
        return Room(session, state, context, incoming.language, today, self.policy, self.reader)

    def _failed(self, incoming: Incoming) -> Settled:
        answered = Answered(Wish(verb="unclear", text=incoming.text), Outcome(handover="failure"))
        settled = Settled([answered])
        hand_over(self.database, incoming, settled, answered)
        return settled

    def _tell_languages(self, incoming: Incoming, settled: Settled) -> None:
        """Who writes in another language hears first which ones are spoken."""
        if incoming.unspoken is None:
            return
        notice = said(Note("unspoken", unspoken_notice(incoming.unspoken), ()))
        understood = [a for a in settled.answers if a.outcome.understood]
        settled.answers = [Answered(Wish(verb="language"), notice), *understood]


@contextmanager
def _timed(times: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        times[name] = _since(started)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
