"""The support assistant: one message in, one streamed reply out, everything in between written down.

prove who writes → read the message → follow the playbooks → act → go on with what waited → reply → stored.
Generated text decides nothing: the reader can only name what there is, the rules are code and are checked again
in the transaction that writes, and the model is only given sentences that are true.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

import structlog
from sqlalchemy.orm import Session

from apps.support.conversations import records
from apps.support.conversations.acting import file_complaint, hand_over, run_proposal
from apps.support.conversations.drafting import keep_draft
from apps.support.conversations.guessing import Guesses, guessed_at
from apps.support.conversations.identity import MOST_FAILED_PROOFS, shows_enough, take_evidence
from apps.support.conversations.leases import begin_turn, end_turn, held_conversation
from apps.support.conversations.results import result_of
from apps.support.conversations.revising import ask_again
from apps.support.conversations.room import Room
from apps.support.conversations.settling import decide, take_up
from apps.support.conversations.trace import trace_of
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
    entities_of,
    facts_of,
    intents_of,
    understood_of,
)
from apps.support.errors import ActionRefusedError, ConflictError
from apps.support.playbooks.case import DetailReader, Outcome, said
from apps.support.reading.cleaning import clean, storable
from apps.support.reading.commands import VERBS, Command, Shape
from apps.support.reading.context import load_context
from apps.support.reading.identifiers import find_identifiers, without_emails
from apps.support.reading.reader import Reading
from apps.support.reading.state import Proposal, Wish
from apps.support.reading.view import View
from apps.support.replies.language import detect_language, spoken_language, unspoken_notice, written_language
from apps.support.replies.sentences import Note, joined
from apps.support.replies.writer import ReplyWriter, Spoken
from apps.support.shop.database import Database
from apps.support.shop.models import ConversationStatus, Message, Role
from apps.support.shop.policy import Policy, load_policy

SURE_OF_A_CHANGE = 0.45
"""A change that is read less surely than this is not proposed: the customer is asked to say it in other words."""
SURE_OF_A_YES = 0.8
"""A yes that is read less surely carries nothing out: the proposal is asked again."""
_ABOUT_ORDERS = frozenset({Shape.ORDERS, Shape.ITEMS, Shape.PLACE})
_UNSEEN = Understood(find_identifiers("", {}, known=False), Reading((Command("unclear"),), 0.0), (), "")

log = structlog.get_logger(__name__)


class MessageReader(DetailReader, Protocol):
    """The trained reader, or what stands in its place."""

    adapter: str

    def read(self, view: View, message: str) -> Reading: ...


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
        first, *further = intents_of(reading)
        return IntentFound(
            intent=first,
            further_intents=further,
            commands=reading.text,
            entities=entities_of(found),
            language=detect_language(cleaned, None),
        )

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
            decision = decide(room, understood.wishes)
        settled = decision.settled
        settled.answers = [
            a for a in settled.answers if a.outcome.handover is None and not a.outcome.complaint
        ]
        if decision.run:
            settled = Settled()
        settled.actions = []
        spoken = Spoken("")
        for piece in self._speak(incoming, settled):
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
        understood, settled = _UNSEEN, Settled()
        if incoming.status != ConversationStatus.BOT:
            settled.handed_over = True
            yield self._store(incoming, understood, settled, None, times, complete=True)
            return
        try:
            with _timed(times, "read"), self.database.read() as session:
                room, understood = self._read(session, incoming)
                yield understood_of(incoming, understood)
                with _timed(times, "playbook"):
                    decision = decide(room, understood.wishes)
                settled = decision.settled
            times["read"] -= times["playbook"]
            with _timed(times, "act"):
                self._act(incoming, settled, decision.run)
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
            speech = self._speak(incoming, settled)
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
            result = self._store(incoming, understood, settled, spoken, times, complete=complete)
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
        """Who writes, and what the message wants; what was wanted before it was known who writes is read again."""
        state, text = incoming.state, incoming.text
        guest = find_identifiers(text, {}, known=False)
        guessed = guessed_at(state, guest)
        locked = self._guesses.are_too_many(guessed)
        evidence = "some" if locked else take_evidence(session, state, guest, text, self.policy)
        context = load_context(session, state, guest.numbers)
        room = Room(session, state, context, incoming.language, incoming.now.date(), self.policy, self.reader)
        question = state.question
        understood = self._read_text(room, text)
        if evidence == "proven" and question is not None and question.about == "identity":
            state.question = None
            only_proof = all(wish.verb == "identify" for wish in understood.wishes)
            if question.text and (only_proof or _same_verbs(understood.wishes, question.wish)):
                understood = self._read_text(room, question.text)
        elif not context.known and (
            evidence == "some" or all(wish.verb == "identify" for wish in understood.wishes)
        ):
            # Whatever else the message wants: guesses count.
            room.wrong_proof = locked or shows_enough(state, self.policy)
            state.failed_proofs = MOST_FAILED_PROOFS if locked else state.failed_proofs + room.wrong_proof
        wrong = room.wrong_proof or (
            context.known and evidence == "some" and shows_enough(state, self.policy)
        )
        if wrong and not locked and incoming.message_id is not None:  # a draft guesses nothing
            self._guesses.failed(guessed)
        return room, understood

    def _read_text(self, room: Room, text: str) -> Understood:
        context = room.context
        found = find_identifiers(text, context.numbers, known=context.known)
        view = context.view(room.session, room.state, room.language)
        reading = self.reader.read(view, found.tagged)
        wishes = [context.wish(command, text) for command in reading.commands]
        wishes = [_of_what_is_named(wish, bool(found.unknown), bool(found.orders)) for wish in wishes]
        wishes = _sure_ones(wishes, reading.confidence) or [Wish(verb="unclear", text=text)]
        return Understood(found, reading, tuple(wishes), view.render(found.tagged))

    def _act(self, incoming: Incoming, settled: Settled, run: bool) -> None:
        """Do what the decision calls for, and put what came of it into its notes."""
        leaving = next((a for a in settled.answers if a.outcome.handover is not None), None)
        if leaving is not None:
            hand_over(self.database, incoming, settled, leaving)
            return
        pending = incoming.state.pending
        if run and pending is not None:
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

    def _speak(self, incoming: Incoming, settled: Settled) -> Generator[str, None, Spoken]:
        """Each wish by itself, so that a figure is only ever said of what it is the figure of.

        What waits for an answer is heard last.
        """
        whole = Spoken("")
        ordered = sorted(settled.answers, key=lambda answer: answer.outcome.asks)
        told: set[str] = set()
        for answered in ordered:
            notes = [note for note in answered.outcome.notes if note.text not in told]
            told |= {note.text for note in notes}
            if not notes:
                continue
            if whole.text:
                whole.text += "\n"
                yield "\n"
            whole.add((yield from self._speak_about(incoming, answered, notes)))
        if settled.closing:
            closing = f"\n{settled.closing}" if whole.text else settled.closing
            whole.text += closing
            yield closing
        return whole

    def _speak_about(
        self, incoming: Incoming, answered: Answered, notes: Sequence[Note]
    ) -> Generator[str, None, Spoken]:
        outcome, language = answered.outcome, incoming.language
        written = joined([note.text for note in notes], language)
        # Without facts there is nothing to put into words, and a small model then says something else.
        if outcome.exact or not any(note.facts for note in notes):
            spoken = Spoken("", written)
            yield spoken.text
        else:
            text = without_emails(answered.wish.text)
            spoken = yield from self.replies.stream(notes, text, language, incoming.state.segment)
            # A bad draw must not become the example that the next reply follows.
            incoming.state.remember(spoken.prompt, spoken.text if spoken.source == "model" else written)
        if outcome.citations:
            cited = f" ({'; '.join(outcome.citations)})"
            spoken.text += cited
            yield cited
        return spoken

    def _store(
        self,
        incoming: Incoming,
        understood: Understood,
        settled: Settled,
        spoken: Spoken | None,
        times: dict[str, float],
        *,
        complete: bool,
    ) -> TurnResult:
        started = time.perf_counter()
        first = intents_of(understood.reading)[0]
        incoming.state.told = spoken.text[:2_000] if spoken else incoming.state.told
        incoming.state.answering_since = None
        with self.database.write() as session:
            conversation = held_conversation(session, incoming.conversation_id, incoming.state)
            records.save_state(conversation, incoming.state)
            conversation.language = incoming.language if spoken else conversation.language
            if conversation.customer_id is None and incoming.state.trusted_customer_id is not None:
                conversation.customer_id = incoming.state.trusted_customer_id
            reply = None
            if spoken is not None and spoken.text:
                reply = Message(
                    conversation_id=incoming.conversation_id,
                    role=Role.ASSISTANT,
                    text=spoken.text,
                    intent=first.name,
                    confidence=first.confidence,
                    complete=complete,
                )
                session.add(reply)
                session.flush()
            times["store"] = _since(started)
            session.add(trace_of(incoming, understood, settled, spoken, reply, times))
        return result_of(
            incoming, understood, settled, reply.text if reply else "", reply.id if reply else None
        )


def _of_what_is_named(wish: Wish, names_unknown: bool, names_known: bool) -> Wish:
    """A message that names an order that is not there is never about another one, named or talked about."""
    # The figures of an address may look like order numbers: there they only count against an order that is read.
    given = wish.to == "given" and not wish.orders
    about_orders = VERBS[wish.verb] in _ABOUT_ORDERS or wish.verb == "repay"
    if names_unknown and not names_known and about_orders and not given:
        return wish.model_copy(update={"orders": (), "items": (), "unknown": True})
    return wish


def _sure_ones(wishes: list[Wish], confidence: float) -> list[Wish]:
    """The wishes without the changes and the yes that were not read surely enough to follow them."""
    if confidence < SURE_OF_A_CHANGE:
        wishes = [wish for wish in wishes if not wish.is_change and wish.verb != "with"]
    if confidence < SURE_OF_A_YES:
        wishes = [wish for wish in wishes if wish.verb != "yes"]
    return wishes


def _same_verbs(wishes: Sequence[Wish], before: Wish | None) -> bool:
    """Whether the message only says again what was wanted before it was known who writes."""
    verbs = {wish.verb for wish in wishes} - {"identify"}
    return before is not None and verbs == {before.verb} and not any(w.orders or w.items for w in wishes)


@contextmanager
def _timed(times: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        times[name] = _since(started)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
