"""The support assistant: one message in, one streamed reply out, everything in between written down.

language → guard → entities → intent → playbook (proof, facts, policy) → act → postponed → reply → stored.
Entities come before the intent because many a message needs none: a yes, an order number that was asked for.
The steps are LangChain runnables over one `Turn`. Generated text decides nothing: actions follow from the
structured state, and the model is only given sentences that are true.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime

import structlog
from langchain_core.runnables import Runnable, RunnableLambda
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from apps.support.conversations import records
from apps.support.conversations.acting import act, hand_over
from apps.support.conversations.deciding import decide, take_up
from apps.support.conversations.identity import remember_proofs
from apps.support.conversations.trace import trace_of
from apps.support.conversations.turn import (
    FactsFound,
    IntentResult,
    Part,
    Token,
    Turn,
    TurnEvent,
    TurnResult,
    facts_of,
    result_of,
    understood_of,
)
from apps.support.errors import ConflictError
from apps.support.playbooks.handbook_answers import best_section
from apps.support.reading.clauses import wish_clauses
from apps.support.reading.entities import Entities, find_entities, without_emails
from apps.support.reading.guard import guard, storable
from apps.support.reading.intents import IntentRecognizer
from apps.support.reading.understanding import find_intents
from apps.support.replies.language import Language, detect_language, spoken_language, written_language
from apps.support.replies.sentences import joined
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
        intents: IntentRecognizer,
        replies: ReplyWriter,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        policy: Policy | None = None,
    ) -> None:
        """`policy`: the shop's rules; without them the demonstration shop's."""
        self.database = database
        self.intents = intents
        self.replies = replies
        self.policy = policy or load_policy()
        self._clock = clock
        self._running: set[str] = set()
        self._understand: Runnable[Turn, Turn] = (
            self._step("language", _find_language)
            | self._step("guard", _guard)
            | self._step("entities", self._find_entities)
            | self._step("intent", lambda turn: find_intents(turn, intents))
        )
        self._settle: Runnable[Turn, Turn] = (
            self._step("playbook", lambda turn: decide(database, turn))
            | self._step("act", lambda turn: act(database, turn))
            | self._step("postponed", lambda turn: take_up(database, turn))
        )

    def answer(self, conversation_id: str, text: str) -> TurnResult:
        """The whole turn at once. Raises as `stream` does."""
        for event in self.stream(conversation_id, text):
            if isinstance(event, TurnResult):
                return event
        raise AssertionError("a turn ends with its result")

    def understand(self, text: str) -> tuple[IntentResult, Entities, Language]:
        """What a text alone wants and names."""
        cleaned = guard(text).text
        guess = self.intents.recognize(cleaned)
        with self.database.read() as session:
            entities = find_entities(session, cleaned, self._clock().date())
        alternatives = [(name, round(chance, 4)) for name, chance in guess.alternatives]
        intent = IntentResult(
            name=guess.name, confidence=round(guess.confidence, 4), alternatives=alternatives
        )
        return intent, entities, detect_language(cleaned, None)

    def draft(self, conversation_id: str, text: str | None) -> TurnResult:
        """What the assistant would answer, for a person to send: nothing is done and nothing stored.

        Without `text` it answers the customer's last message. The reply is empty where the assistant would
        act or hand over instead of answering. Raises NotFoundError.
        """
        with self.database.read() as session:
            conversation = records.get_conversation(session, conversation_id)
            asked = text if text is not None else records.last_customer_text(session, conversation_id)
            turn = Turn(
                conversation_id=conversation_id,
                message_id=None,
                raw_text=asked,
                state=records.load_state(conversation),
                status=conversation.status,
                previous_language=conversation.language,
                now=self._clock(),
                policy=self.policy,
            )
        self._understand.invoke(turn)
        decide(self.database, turn)
        turn.actions.clear()
        spoken = Spoken("")
        for piece in self._speak(turn):
            spoken.text += piece
        return result_of(turn, spoken.text, None)

    def stream(self, conversation_id: str, text: str) -> Generator[TurnEvent, None, None]:
        """The turn's events as they come: intent, facts, the reply's pieces, the result.

        Raises NotFoundError for an unknown conversation and ConflictError while another turn of it runs.
        Closing the iterator cancels the generation; what was said by then is stored as incomplete.
        """
        if conversation_id in self._running:
            raise ConflictError("the last message of this conversation is still being answered")
        self._running.add(conversation_id)
        try:
            yield from self._turn(conversation_id, text)
        except StaleDataError as error:
            raise ConflictError("another turn of this conversation came first") from error
        finally:
            self._running.discard(conversation_id)

    def _turn(self, conversation_id: str, text: str) -> Iterator[TurnEvent]:
        turn = self._begin(conversation_id, text)
        if turn.status != ConversationStatus.BOT:
            turn.handed_over = True
            yield self._store(turn, None, complete=True)
            return
        try:
            self._understand.invoke(turn)
            yield understood_of(turn)
            self._settle.invoke(turn)
        except Exception:
            # Whatever broke, the customer must not be left without an answer: a person takes over.
            log.exception("turn failed", conversation=conversation_id)
            self._fail(turn)
        yield FactsFound(facts=facts_of(turn), citations=turn.citations, actions=turn.actions)
        complete = False
        spoken = Spoken("")
        started = time.perf_counter()
        try:
            speech = self._speak(turn)
            while True:
                try:
                    piece = next(speech)
                except StopIteration as end:
                    spoken = end.value
                    break
                if not spoken.text:
                    turn.milliseconds["first_token"] = _since(started)
                spoken.text += piece
                yield Token(text=piece)
            complete = True
        finally:
            turn.milliseconds["reply"] = _since(started)
            result = self._store(turn, spoken, complete=complete)
        yield result

    def _step(self, name: str, run: Callable[[Turn], None]) -> Runnable[Turn, Turn]:
        def timed(turn: Turn) -> Turn:
            started = time.perf_counter()
            run(turn)
            turn.milliseconds[name] = _since(started)
            return turn

        return RunnableLambda(timed, name=name)

    def _begin(self, conversation_id: str, text: str) -> Turn:
        with self.database.write() as session:
            conversation = records.get_conversation(session, conversation_id)
            state = records.load_state(conversation)
            state.turn += 1
            message = Message(conversation_id=conversation_id, role=Role.CUSTOMER, text=storable(text))
            session.add(message)
            records.save_state(conversation, state)
            session.flush()
            return Turn(
                conversation_id=conversation_id,
                message_id=message.id,
                raw_text=text,
                state=state,
                status=conversation.status,
                previous_language=conversation.language,
                now=self._clock(),
                policy=self.policy,
            )

    def _find_entities(self, turn: Turn) -> None:
        with self.database.read() as session:
            turn.entities = find_entities(session, turn.text, turn.now.date())
            turn.new_proof = remember_proofs(session, turn.state, turn.entities)
            clauses = wish_clauses(turn.text)
            if len(clauses) > 1:
                turn.parts = [self._part(session, turn, clause) for clause in clauses]

    def _part(self, session: Session, turn: Turn, clause: str) -> Part:
        section = best_section(session, clause, turn.language)
        entities = find_entities(session, clause, turn.now.date())
        return Part(clause, entities, section.citation if section else None)

    def _fail(self, turn: Turn) -> None:
        turn.actions.clear()
        turn.parts = [Part(turn.text, intent=turn.first.intent, guess=turn.first.guess)]
        hand_over(self.database, turn, turn.first, "failure")

    def _speak(self, turn: Turn) -> Generator[str, None, Spoken]:
        """Each part by itself, so that a figure is only ever said of what it is the figure of."""
        whole = Spoken("")
        for part in turn.spoken_parts:
            if not part.outcome.notes and not part.outcome.closing:
                continue
            if whole.text:
                whole.text += "\n"
                yield "\n"
            whole.add((yield from self._speak_part(turn, part)))
        return whole

    def _speak_part(self, turn: Turn, part: Part) -> Generator[str, None, Spoken]:
        outcome, notes = part.outcome, part.outcome.notes
        # Without facts there is nothing to put into words, and a small model then says something else.
        if outcome.exact or not any(note.facts for note in notes):
            spoken = Spoken("", joined([note.text for note in notes], turn.language))
            yield spoken.text
        else:
            spoken = yield from self.replies.stream(
                notes, without_emails(part.question or part.text), turn.language, turn.state.segment
            )
            # A bad draw must not become the example that the next reply follows.
            written = joined([note.text for note in notes], turn.language)
            said = spoken.text if spoken.source == "model" else written
            turn.state.remember(spoken.prompt, said)
        closing = f" ({'; '.join(outcome.citations)})" if outcome.citations else ""
        closing += f" {outcome.closing}" if outcome.closing else ""
        if closing:
            spoken.text += closing
            yield closing
        return spoken

    def _store(self, turn: Turn, spoken: Spoken | None, *, complete: bool) -> TurnResult:
        started = time.perf_counter()
        with self.database.write() as session:
            conversation = records.get_conversation(session, turn.conversation_id)
            records.save_state(conversation, turn.state)
            conversation.language = turn.language if spoken else conversation.language
            reply = None
            if spoken is not None and spoken.text:
                reply = Message(
                    conversation_id=turn.conversation_id,
                    role=Role.ASSISTANT,
                    text=spoken.text,
                    intent=turn.first.intent,
                    confidence=turn.first.guess.confidence if turn.first.guess else None,
                    complete=complete,
                )
                session.add(reply)
                session.flush()
            turn.milliseconds["store"] = _since(started)
            session.add(trace_of(turn, spoken, reply))
        return result_of(turn, reply.text if reply else "", reply.id if reply else None)


def _find_language(turn: Turn) -> None:
    written = written_language(turn.raw_text[:2_000], turn.previous_language)
    turn.language = spoken_language(written, turn.previous_language)
    turn.unspoken = None if written == turn.language else written


def _guard(turn: Turn) -> None:
    turn.guarded = guard(turn.raw_text)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
