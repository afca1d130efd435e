"""What comes of a message: an answer to what was asked or proposed, or the playbooks of its wishes.

Decides and reads; the writes that it calls for are made by acting.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from apps.support.conversations.identity import MOST_FAILED_PROOFS, ask_who
from apps.support.conversations.proposals import corrects, kept_steps, propose
from apps.support.conversations.revising import planned_again, with_method
from apps.support.conversations.room import Room
from apps.support.conversations.turn import Answered, Settled
from apps.support.playbooks import NEEDS_CUSTOMER, Outcome, follow
from apps.support.playbooks.case import Planned, said
from apps.support.playbooks.payments import method_meant
from apps.support.playbooks.swaps import swap_to
from apps.support.reading.state import ConversationState, Question, Wish
from apps.support.replies.sentences import Note, write
from apps.support.shop.models import PaymentMethod, Variant

FAILURES_TO_OFFER, FAILURES_TO_HAND_OVER = 2, 4
_COURTESIES = frozenset({"greet", "thanks", "bye", "who", "again", "photo", "language"})
_ANSWERS = frozenset({"yes", "no", "wait", "about"})
_OF_METHODS = frozenset({"repay", "with"})
"""What is about a payment method; for all else one that is named only says how."""
_HANDING_OVER = frozenset({"person", "anger", "danger", "law"})


@dataclass
class Decision:
    """What the turn comes to before anything is written. `run`: the open proposal got its yes."""

    settled: Settled = field(default_factory=Settled)
    run: bool = False


def decide(room: Room, wishes: Sequence[Wish]) -> Decision:
    """Answer the message's commands; proposals, questions and what waits go into the state."""
    state, decision = room.state, Decision()
    if any(wish.verb in ("no", "wait") for wish in wishes):
        wishes = [wish for wish in wishes if wish.verb != "yes"]  # who hesitates has not agreed
    verbs = [wish.verb for wish in wishes]
    leaving = next((wish for wish in wishes if wish.verb in _HANDING_OVER), None)
    if leaving is not None:
        decision.settled.answers.append(Answered(leaving, follow(room.case(leaving))))
        return decision
    method = _method(room, wishes)
    changes = [wish for wish in wishes if wish.is_change]
    method_before = _method_before(room, changes)
    names_method = method is not None or not any(wish.verb == "with" for wish in wishes)
    if state.pending is not None and method is not None and not changes:
        decision.run = with_method(room, wishes[0], method, decision.settled, agreed="yes" in verbs)
        wishes = [wish for wish in wishes if wish.verb != "with"]
    elif "yes" in verbs and names_method:
        if not changes:
            _agree(room, wishes, decision)
        elif state.pending is not None and not corrects(state.pending, changes, room.context):
            _agree_and_go_on(room, wishes, changes, decision)
            wishes = [wish for wish in wishes if wish not in changes and wish.verb != "with"]
    elif "no" in verbs:
        _decline(room, wishes, decision)
    rest = [wish for wish in wishes if wish.verb not in _ANSWERS]
    if method is not None:
        rest = _with_method_of(room, rest)
    for wish in wishes:
        if wish.verb == "wait":
            decision.settled.answers.append(Answered(wish, said(write("take_your_time", room.language))))
        elif wish.verb == "about":
            decision.settled.answers.append(Answered(wish, _about(room, wish)))
    if rest:
        pursue(room, rest, decision.settled, method or method_before)
    _count_failures(room, decision)
    _keep_open(room, decision)
    return decision


def pursue(room: Room, wishes: Sequence[Wish], settled: Settled, method: PaymentMethod | None = None) -> None:
    """Follow the playbooks of the wishes, and of those of the open proposal that a change leaves in place."""
    state = room.state
    changing = [wish for wish in wishes if wish.is_change]
    proposed = _proposed_variants(state)
    outcomes = [(wish, _outcome(room, wish, method, proposed)) for wish in wishes]
    planned: list[tuple[Wish, Planned]] = []
    # A change that comes to nothing leaves what is proposed as it is.
    fruitful = [wish for wish, outcome in outcomes if wish.is_change and outcome.asks]
    if fruitful:
        room.not_waiting_any_more(fruitful)
        notes: list[Note] = []
        planned = planned_again(room, kept_steps(state.pending, fruitful, room.context), None, notes)
        state.pending = None
        if notes:
            settled.answers.append(Answered(fruitful[0], said(*notes)))
    kept = len(planned)
    asking: Question | None = None
    before = state.question
    for wish, outcome in outcomes:
        steps = [plan.step for _, plan in planned]
        planned += [
            (wish, plan) for plan in outcome.planned if plan.step not in steps
        ]  # said twice, done once
        if wish.verb == "with" and len(wishes) > 1:
            outcome.question = None  # said, and no question of its own: the wish beside it goes on
        if outcome.question is not None:
            if asking is None and len(planned) == kept:
                asking = outcome.question
            elif outcome.question.about == "identity":
                continue  # asked once; the whole message is read again then
            else:
                room.put_off([_to_come(outcome.question.wish or wish, method)], settled)
                outcome.notes = [
                    note for note in outcome.notes if outcome.planned and not note.key.startswith("ask_")
                ]
                outcome.question = None
        settled.answers.append(Answered(wish, outcome))
    if asking is not None and len(planned) > kept:
        # What can be done is proposed first; the question follows once that is settled.
        room.put_off([_to_come(asking.wish or wishes[-1], method)], settled)
        for answer in settled.answers:
            if answer.outcome.question is asking:
                answer.outcome.question = None
                answer.outcome.notes = []
        asking = None
    understood = any(answer.outcome.understood for answer in settled.answers)
    answered = changing or before is None or any(_is_about(before, wish) for wish in wishes)
    state.question = asking if asking is not None else None if answered and understood else before
    if planned and asking is None:
        note = propose(state, planned, room.language)
        settled.answers.append(Answered(planned[-1][0], Outcome([note], exact=True)))
        settled.actions += [{"name": plan.step.name, "status": "proposed"} for _, plan in planned]
    elif planned:
        # The correction must be clear first.
        room.put_off(list(dict.fromkeys(_to_come(wish, method) for wish, _ in planned)), settled)
    if understood:
        state.last = [wish for wish in wishes if wish.verb not in _COURTESIES]


def take_up(room: Room, settled: Settled) -> None:
    """Go on with what an earlier message wanted besides, once no question is open any more."""
    state = room.state
    if not state.waiting or state.pending is not None or state.question is not None:
        return
    later = state.waiting.pop(0)
    after = Settled()
    method = None
    if later.verb not in _OF_METHODS:
        method = room.context.method(later.methods[0]) if later.methods else None
        later = later.model_copy(update={"methods": ()})
    pursue(room, [later], after, method)
    if after.notes:
        settled.answers.append(Answered(later, said(write("next_wish", room.language))))
        settled.answers += after.answers
        settled.actions += after.actions


def _to_come(wish: Wish, method: PaymentMethod | None) -> Wish:
    """The wish as it waits, with the method that was named for it."""
    if method is None or wish.verb in _OF_METHODS:
        return wish
    return wish.model_copy(update={"methods": (method.id,)})


def _outcome(room: Room, wish: Wish, method: PaymentMethod | None, proposed: dict[int, int]) -> Outcome:
    if wish.verb in NEEDS_CUSTOMER and not room.context.known:
        return _ask_identity(room, wish)
    return follow(room.case(wish, method, proposed))


def _ask_identity(room: Room, wish: Wish) -> Outcome:
    """Ask who writes; what was wanted is read again once it is known."""
    state, before = room.state, room.state.question
    if room.wrong_proof and state.failed_proofs >= MOST_FAILED_PROOFS:
        return Outcome(handover="identity")
    note = ask_who(state, room.language, room.policy, wrong=room.wrong_proof)
    question = Question(about="identity", wish=wish, text=wish.text)
    if wish.verb == "identify":
        waits = before is not None and before.about == "identity"
        question = before if waits and before is not None else Question(about="identity")
    return Outcome([note], question=question, exact=True)


def _agree(room: Room, wishes: Sequence[Wish], decision: Decision) -> None:
    state, answers = room.state, decision.settled.answers
    if state.pending is not None:
        decision.run = True
        return
    if any(wish.verb not in ("yes", "thanks", "with") for wish in wishes):
        return
    question = state.question
    if question is not None and question.wish is not None and len(question.choices) == 1:
        _take_the_only_one(room, question, decision)
        return
    receipt = [Note("receipt", text, ()) for text in state.last_receipt]
    notes = receipt if receipt and question is None else [write("nothing_pending", room.language)]
    answers.append(Answered(wishes[0], said(*notes)))


def _agree_and_go_on(room: Room, wishes: Sequence[Wish], changes: Sequence[Wish], decision: Decision) -> None:
    """Yes to what is open, and another wish besides, which follows.

    A method that is named before it is for what is open: "yes, with PayPal, and cancel the other one too".
    """
    place = wishes.index(changes[0])
    own, later = _method(room, wishes[:place]), _method(room, wishes[place:])
    room.put_off([_to_come(wish, later) for wish in changes], decision.settled, first=True)
    decision.run = own is None or with_method(room, wishes[0], own, decision.settled, agreed=True)


def _take_the_only_one(room: Room, question: Question, decision: Decision) -> None:
    """A yes to "would you like this one?"."""
    state, wish, (choice,) = room.state, question.wish, question.choices
    assert wish is not None
    if question.about in ("order", "item"):
        named = {"orders": (choice,), "items": ()} if question.about == "order" else {"items": (choice,)}
        pursue(room, [wish.model_copy(update={**named, "alternatives": False})], decision.settled)
        return
    if question.about == "method":
        pursue(room, [wish], decision.settled, room.context.method(choice))
        return
    item = room.context.item(wish.items[0]) if wish.items else None
    variant = room.session.get(Variant, choice)
    if item is None or variant is None:
        state.question = None
        decision.settled.answers.append(Answered(wish, said(write("nothing_pending", room.language))))
        return
    outcome = swap_to(room.case(wish), item, variant)
    state.question = outcome.question
    if outcome.planned:
        outcome.notes.append(propose(state, [(wish, plan) for plan in outcome.planned], room.language))
    decision.settled.answers.append(Answered(wish, said(*outcome.notes)))
    decision.settled.actions += [{"name": plan.step.name, "status": "proposed"} for plan in outcome.planned]


def _is_about(question: Question, wish: Wish) -> bool:
    """Whether the wish is the one that the question was asked for."""
    return question.wish is not None and question.wish.verb == wish.verb


def _decline(room: Room, wishes: Sequence[Wish], decision: Decision) -> None:
    state, settled = room.state, decision.settled
    if state.pending is not None:
        settled.actions += [{"name": step.name, "status": "dropped"} for step in state.pending.steps]
    was_open = state.pending is not None or state.question is not None
    state.pending = state.question = None
    if all(wish.verb in ("no", "thanks", "bye", "with") for wish in wishes):
        key = "not_done" if was_open else "goodbye"
        settled.answers.append(Answered(wishes[0], said(write(key, room.language))))


def _with_method_of(room: Room, rest: Sequence[Wish]) -> list[Wish]:
    """What the named method is for: the message's other wishes, or the one that a method was asked for."""
    state, others = room.state, [wish for wish in rest if wish.verb != "with"]
    asked = state.question.wish if state.question and state.question.about == "method" else None
    if others or state.pending is not None:
        return others
    return [asked] if asked is not None else list(rest)


def _about(room: Room, wish: Wish) -> Outcome:
    """A question about what is proposed: its details once more, in its own words."""
    state = room.state
    if state.pending is not None:
        return Outcome()  # the proposal is said again as it stands
    if state.question is not None or state.item_ids or state.product_id:
        return follow(room.case(wish.model_copy(update={"verb": "product"})))
    return Outcome([write("ask_rephrase", room.language)], understood=False, exact=True)


def _method(room: Room, wishes: Sequence[Wish]) -> PaymentMethod | None:
    """The one payment method that the message names."""
    for wish in wishes:
        if wish.verb == "with" and len(wish.methods) == 1:
            found = method_meant(room.case(wish))
            return None if isinstance(found, Outcome) else found
    return None


def _method_before(room: Room, changes: Sequence[Wish]) -> PaymentMethod | None:
    """How the open proposal would be paid, where the changes correct it: that was not what was wrong."""
    pending, context = room.state.pending, room.context
    if pending is None or not changes or not corrects(pending, changes, context):
        return None
    things = [context.item(number) for wish in changes for number in wish.items]
    orders = {order for wish in changes for order in wish.orders} | {item.order_id for item in things if item}
    if not orders <= {step.order_id for step in pending.steps}:
        return None
    numbers = {step.arguments.get("method_id") for step in pending.steps}
    return room.context.method(numbers.pop()) if len(numbers) == 1 else None


def _count_failures(room: Room, decision: Decision) -> None:
    """Two turns in a row that brought nothing offer a person; some more, and one takes over."""
    state, settled = room.state, decision.settled
    outcomes = [answer.outcome for answer in settled.answers]
    if not outcomes or decision.run or any(outcome.understood for outcome in outcomes):
        state.failures = 0
        return
    state.failures += 1
    if state.failures >= FAILURES_TO_HAND_OVER:
        settled.answers[-1].outcome = Outcome(handover="low_confidence")
    elif state.failures >= FAILURES_TO_OFFER:
        outcomes[-1].notes.append(write("offer_person", room.language))


def _keep_open(room: Room, decision: Decision) -> None:
    """A proposal that got neither yes nor no stays, and is said again after the answer."""
    pending, settled = room.state.pending, decision.settled
    if pending is None or decision.run or any(answer.outcome.handover for answer in settled.answers):
        return
    said_now = any(note.text == pending.sentence for note in settled.notes)
    waits = any(answer.wish.verb in ("wait", "bye") for answer in settled.answers)
    if said_now or waits:
        return
    lost = bool(settled.answers) and not any(answer.outcome.understood for answer in settled.answers)
    if lost:
        last = settled.answers[-1].outcome
        offer = [note for note in last.notes if note.key == "offer_person"]
        last.notes = [write("ask_yes_or_no", room.language, sentence=pending.sentence), *offer]
        last.exact = True
        return
    asked_about = any(answer.wish.verb == "about" for answer in settled.answers)
    settled.closing = (
        pending.sentence
        if asked_about
        else write("still_open", room.language, sentence=pending.sentence).text
    )


def _proposed_variants(state: ConversationState) -> dict[int, int]:
    """item → the variant that is proposed for it: a correction changes that one, not the item's own."""
    steps = state.pending.steps if state.pending else ()
    return {
        step.arguments["item_id"]: step.arguments["variant_id"]
        for step in steps
        if step.name in ("exchange", "change_item")
    }
