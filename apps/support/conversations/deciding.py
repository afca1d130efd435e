"""What comes of each wish of a message: an answer to what was asked, or its playbook."""

from __future__ import annotations

from apps.support.conversations.acting import hand_over, keep_asking, last_receipt
from apps.support.conversations.state import Postponed
from apps.support.conversations.turn import Part, Turn
from apps.support.playbooks import Case, Outcome, playbook_for
from apps.support.reading.entities import find_entities, with_question
from apps.support.reading.intents import OUT_OF_SCOPE
from apps.support.replies.prompt import MOST_QUOTED_CHARACTERS
from apps.support.replies.sentences import write
from apps.support.shop.database import Database

MOST_UNSURE_TURNS = 2


def decide(database: Database, turn: Turn) -> None:
    """Set the outcomes of the turn's parts. Reads the database; writes follow in the next step (acting.py)."""
    state, language, entities = turn.state, turn.language, turn.entities
    assert turn.guarded is not None
    open_question = state.pending is not None or state.awaiting is not None
    if turn.guarded.handover is not None:
        turn.first.outcome = Outcome(handover=turn.guarded.handover)
    elif state.pending is not None and entities.answer == "yes":
        return  # done by the next step
    elif state.pending is not None and entities.answer == "no":
        turn.actions.append({"name": state.pending.name, "status": "dropped"})
        state.pending = None
        turn.first.outcome = Outcome([write("not_done", language)], exact=True)
    elif entities.courtesy is not None:
        turn.first.outcome = Outcome([write(entities.courtesy, language)], exact=True)
        keep_asking(turn)
    elif entities.answer == "yes" and not open_question:
        turn.first.outcome = Outcome(last_receipt(state) or [write("nothing_pending", language)], exact=True)
    elif entities.answer == "no" and not open_question:
        turn.first.outcome = Outcome([write("goodbye", language)], exact=True)
    else:
        _follow_playbooks(database, turn, turn.parts)


def take_up(database: Database, turn: Turn) -> None:
    """Go on with what an earlier message wanted besides, once no question is open any more."""
    state = turn.state
    understood = any(part.outcome.understood for part in turn.parts)
    if not state.postponed or state.pending or state.awaiting or turn.handed_over or not understood:
        return
    later = state.postponed.pop(0)
    with database.read() as session:
        entities = find_entities(session, later.text, turn.now.date())
    part = Part(later.text, entities, intent=later.intent)
    turn.parts.append(part)
    _follow_playbooks(database, turn, [part])
    if part.outcome.handover is not None:
        hand_over(database, turn, part, part.outcome.handover)


def _follow_playbooks(database: Database, turn: Turn, parts: list[Part]) -> None:
    """Each part's playbook in turn. One part may ask; what another would ask waits until that is settled."""
    state = turn.state
    asking: Part | None = None
    order_in_question: str | None = None
    for part in parts:
        if part is not turn.first and part.entities.order_numbers:
            state.order_number = part.entities.order_numbers[0]
        state.postponed = [later for later in state.postponed if later.intent != part.intent]
        part.outcome = _playbook_outcome(database, turn, part)
        state.awaiting = None
        if part.outcome.asks and asking is not None:
            _postpone(turn, part, asking)
        elif part.outcome.asks:
            asking, order_in_question = part, state.order_number
        if part.outcome.understood:
            state.topic = part.intent
    _say_nothing_twice(turn)
    if any(part.outcome.understood for part in parts):
        state.low_confidence = 0
    _not_understood(turn, parts)
    keep_asking(turn)
    state.intent = state.question = None
    if asking is not None:
        _keep_open(turn, asking)
        state.order_number = order_in_question


def _playbook_outcome(database: Database, turn: Turn, part: Part) -> Outcome:
    assert part.intent is not None
    with database.read() as session:
        entities, text = part.entities, part.text
        if part.question is not None:
            entities = with_question(entities, find_entities(session, part.question, turn.now.date()))
            text = f"{part.question}\n{text}"
        case = Case(
            session=session,
            state=turn.state,
            language=turn.language,
            intent=part.intent,
            entities=entities,
            text=text,
            today=turn.now.date(),
            policy=turn.policy,
            new_proof=turn.new_proof,
            confidence=part.guess.confidence if part.guess else 1.0,
        )
        return playbook_for(case)(case)


def _keep_open(turn: Turn, part: Part) -> None:
    """Remember what the next message should bring or agree to."""
    state, outcome = turn.state, part.outcome
    if outcome.awaiting is not None:
        state.awaiting, state.intent = outcome.awaiting, part.intent
        state.question = (part.question or part.text)[:MOST_QUOTED_CHARACTERS]
    if outcome.pending is not None:
        state.pending = outcome.pending
        turn.actions.append({"name": outcome.pending.name, "status": "proposed"})


def _postpone(turn: Turn, part: Part, asking: Part) -> None:
    """One question at a time; the same wish in other words needs no second one."""
    assert part.intent is not None
    part.outcome = Outcome()
    if part.intent != asking.intent or part.entities.order_numbers != asking.entities.order_numbers:
        part.outcome = Outcome([write("one_at_a_time", turn.language)], exact=True)
        turn.state.postponed.append(Postponed(intent=part.intent, text=part.text))


def _say_nothing_twice(turn: Turn) -> None:
    """Two parts of one topic, or of one order, may find the same sentences."""
    told: set[str] = set()
    for outcome in (part.outcome for part in turn.parts):
        if told and outcome.notes and {note.text for note in outcome.notes} <= told and not outcome.asks:
            outcome.notes, outcome.citations, outcome.closing = [], [], ""
        told |= {note.text for note in outcome.notes}


def _not_understood(turn: Turn, parts: list[Part]) -> None:
    """What is said where a playbook found no answer; counted where none did."""
    state, language = turn.state, turn.language
    lost = [part for part in parts if not part.outcome.understood]
    if len(lost) < len(parts):
        for part in lost:
            foreign = part.guess is not None and part.guess.name == OUT_OF_SCOPE
            told = write("part_out_of_scope" if foreign else "part_unclear", language)
            part.outcome.notes, part.outcome.exact = [told], True
        return
    assert turn.guarded is not None
    part, *silent = lost
    for other in silent:
        other.outcome.notes = []
    state.low_confidence += 1
    part.outcome.exact = True
    if state.low_confidence >= MOST_UNSURE_TURNS:
        part.outcome = Outcome(handover="low_confidence")
    elif turn.guarded.injection:
        part.outcome.notes = [write("cannot_instruct", language)]
    elif part.guess is not None and part.guess.name == OUT_OF_SCOPE:
        part.outcome.notes = [write("out_of_scope", language)]
    else:
        part.outcome.notes = [write("ask_rephrase", language)]
