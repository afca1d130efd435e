"""What comes of a message: an answer to what was asked or proposed, or the playbooks of its wishes.

Decides and reads; the writes that it calls for are made by acting.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from apps.support.conversations.proposals import corrects, propose
from apps.support.conversations.pursuing import pursue, put_off, repeat, to_come
from apps.support.conversations.revising import with_method
from apps.support.conversations.turn import Answered, Settled
from apps.support.playbooks import Outcome, follow
from apps.support.playbooks.case import Room, said
from apps.support.playbooks.payments import method_meant
from apps.support.playbooks.swaps import swap_to
from apps.support.reading.state import Question, Wish
from apps.support.replies.sentences import Note
from apps.support.shop.models import PaymentMethod, Variant

FAILURES_TO_OFFER, FAILURES_TO_HAND_OVER = 2, 4
_ANSWERS = frozenset({"yes", "no", "wait", "about"})
_HANDING_OVER = frozenset({"person", "anger", "danger", "law"})


def decide(room: Room, wishes: Sequence[Wish]) -> Settled:
    """Answer the message's commands; proposals, questions and what waits go into the state."""
    state, settled = room.state, Settled()
    if any(wish.verb in ("no", "wait") for wish in wishes):
        wishes = [wish for wish in wishes if wish.verb != "yes"]  # who hesitates has not agreed
    verbs = [wish.verb for wish in wishes]
    leaving = next((wish for wish in wishes if wish.verb in _HANDING_OVER), None)
    if leaving is not None:
        settled.answers.append(Answered(leaving, follow(room.case(leaving))))
        return settled
    method = _method(room, wishes)
    changes = [wish for wish in wishes if wish.is_change]
    method_before = _method_before(room, changes)
    names_method = method is not None or not any(wish.verb == "with" for wish in wishes)
    if state.pending is not None and method is not None and not changes:
        settled.run = with_method(room, wishes[0], method, settled, agreed="yes" in verbs)
        wishes = [wish for wish in wishes if wish.verb != "with"]
    elif "yes" in verbs and names_method:
        if not changes:
            _agree(room, wishes, settled)
        elif state.pending is not None and repeat(room, changes, method or method_before):
            wishes = [wish for wish in wishes if wish not in changes]
            _agree(room, wishes, settled)
        elif state.pending is not None and not corrects(state.pending, changes, room.context):
            _agree_and_go_on(room, wishes, changes, settled)
            wishes = [wish for wish in wishes if wish not in changes and wish.verb != "with"]
    elif "no" in verbs:
        _decline(room, wishes, settled)
    rest = [wish for wish in wishes if wish.verb not in _ANSWERS]
    if method is not None:
        rest = _with_method_of(room, rest)
    for wish in wishes:
        if wish.verb == "wait":
            settled.answers.append(Answered(wish, said(room.write("take_your_time"))))
        elif wish.verb == "about":
            settled.answers.append(Answered(wish, _about(room, wish)))
    if rest:
        pursue(room, rest, settled, method or method_before)
    _count_failures(room, settled)
    _keep_open(room, settled)
    return settled


def _agree(room: Room, wishes: Sequence[Wish], settled: Settled) -> None:
    state, answers = room.state, settled.answers
    if state.pending is not None:
        settled.run = True
        return
    if any(wish.verb not in ("yes", "thanks", "with") for wish in wishes):
        return
    question = state.question
    if question is not None and question.wish is not None and len(question.choices) == 1:
        _take_the_only_one(room, question, settled)
        return
    receipt = [Note("receipt", text, ()) for text in state.last_receipt]
    notes = receipt if receipt and question is None else [room.write("nothing_pending")]
    answers.append(Answered(wishes[0], said(*notes)))


def _agree_and_go_on(room: Room, wishes: Sequence[Wish], changes: Sequence[Wish], settled: Settled) -> None:
    """Yes to what is open, and another wish besides, which follows.

    A method that is named before it is for what is open: "yes, with PayPal, and cancel the other one too".
    """
    place = wishes.index(changes[0])
    own, later = _method(room, wishes[:place]), _method(room, wishes[place:])
    put_off(room, [to_come(wish, later) for wish in changes], settled, first=True)
    settled.run = own is None or with_method(room, wishes[0], own, settled, agreed=True)


def _take_the_only_one(room: Room, question: Question, settled: Settled) -> None:
    """A yes to "would you like this one?"."""
    state, wish, (choice,) = room.state, question.wish, question.choices
    assert wish is not None
    if question.about in ("order", "item"):
        named = {"orders": (choice,), "items": ()} if question.about == "order" else {"items": (choice,)}
        pursue(room, [wish.model_copy(update={**named, "alternatives": False})], settled)
        return
    if question.about == "method":
        pursue(room, [wish], settled, room.context.method(choice))
        return
    item = room.context.item(wish.items[0]) if wish.items else None
    variant = room.session.get(Variant, choice)
    if item is None or variant is None:
        state.question = None
        settled.answers.append(Answered(wish, said(room.write("nothing_pending"))))
        return
    outcome = swap_to(room.case(wish), item, variant)
    state.question = outcome.question
    if outcome.planned:
        outcome.notes.append(propose(state, [(wish, plan) for plan in outcome.planned], room.language))
    settled.answers.append(Answered(wish, said(*outcome.notes)))
    settled.actions += [{"name": plan.step.name, "status": "proposed"} for plan in outcome.planned]


def _decline(room: Room, wishes: Sequence[Wish], settled: Settled) -> None:
    state = room.state
    if state.pending is not None:
        settled.actions += [{"name": step.name, "status": "dropped"} for step in state.pending.steps]
    was_open = state.pending is not None or state.question is not None
    state.pending = state.question = None
    if all(wish.verb in ("no", "thanks", "bye", "with") for wish in wishes):
        key = "not_done" if was_open else "goodbye"
        settled.answers.append(Answered(wishes[0], said(room.write(key))))


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
    return Outcome([room.write("ask_rephrase")], understood=False, exact=True)


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
    return context.method(numbers.pop()) if len(numbers) == 1 else None


def _count_failures(room: Room, settled: Settled) -> None:
    """Two turns in a row that brought nothing offer a person; some more, and one takes over."""
    state = room.state
    outcomes = [answer.outcome for answer in settled.answers]
    if not outcomes or settled.run or any(outcome.understood for outcome in outcomes):
        state.failures = 0
        return
    state.failures += 1
    if state.failures >= FAILURES_TO_HAND_OVER:
        settled.answers[-1].outcome = Outcome(handover="low_confidence")
    elif state.failures >= FAILURES_TO_OFFER:
        outcomes[-1].notes.append(room.write("offer_person"))


def _keep_open(room: Room, settled: Settled) -> None:
    """A proposal that got neither yes nor no stays, and is said again after the answer."""
    pending = room.state.pending
    if pending is None or settled.run or any(answer.outcome.handover for answer in settled.answers):
        return
    said_now = any(note.text == pending.sentence for note in settled.notes)
    waits = any(answer.wish.verb in ("wait", "bye") for answer in settled.answers)
    if said_now or waits:
        return
    lost = bool(settled.answers) and not any(answer.outcome.understood for answer in settled.answers)
    if lost:
        last = settled.answers[-1].outcome
        offer = [note for note in last.notes if note.key == "offer_person"]
        last.notes = [room.write("ask_yes_or_no", sentence=pending.sentence), *offer]
        last.exact = True
        return
    asked_about = any(answer.wish.verb == "about" for answer in settled.answers)
    settled.closing = (
        pending.sentence if asked_about else room.write("still_open", sentence=pending.sentence).text
    )
