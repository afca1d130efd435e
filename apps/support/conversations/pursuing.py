"""The playbooks of a message's wishes: what they come to is proposed, asked, told, or waits."""

from __future__ import annotations

from collections.abc import Sequence

from apps.support.conversations.identity import MOST_FAILED_PROOFS, ask_who
from apps.support.conversations.proposals import kept_steps, propose
from apps.support.conversations.revising import planned_again
from apps.support.conversations.turn import Answered, Settled
from apps.support.playbooks import NEEDS_CUSTOMER, Outcome, follow
from apps.support.playbooks.case import Planned, Room, said
from apps.support.reading.state import MOST_WAITING, ConversationState, Question, Step, Wish
from apps.support.replies.sentences import Note
from apps.support.shop.models import PaymentMethod

_COURTESIES = frozenset({"greet", "thanks", "bye", "who", "again", "photo", "language"})
_OF_METHODS = frozenset({"repay", "with"})
"""What is about a payment method; for all else one that is named only says how."""


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
        _not_waiting_any_more(room, fruitful)
        notes: list[Note] = []
        revised = _other_variants([plan.step for _, found in outcomes for plan in found.planned], proposed)
        kept_before = kept_steps(state.pending, fruitful, room.context, revised)
        planned = planned_again(room, kept_before, None, notes)
        state.pending = None
        if notes:
            settled.answers.append(Answered(fruitful[0], said(*notes)))
    kept = len(planned)
    asking: Question | None = None
    before = state.question
    for wish, outcome in outcomes:
        steps = [plan.step for _, plan in planned]
        # said twice, done once
        planned += [(wish, plan) for plan in outcome.planned if plan.step not in steps]
        if wish.verb == "with" and len(wishes) > 1:
            outcome.question = None  # said, and no question of its own: the wish beside it goes on
        if outcome.question is not None:
            if asking is None and len(planned) == kept:
                asking = outcome.question
            elif outcome.question.about == "identity":
                continue  # asked once; the whole message is read again then
            else:
                put_off(room, [to_come(outcome.question.wish or wish, method)], settled)
                outcome.notes = [
                    note for note in outcome.notes if outcome.planned and not note.key.startswith("ask_")
                ]
                outcome.question = None
        settled.answers.append(Answered(wish, outcome))
    if asking is not None and len(planned) > kept:
        # What can be done is proposed first; the question follows once that is settled.
        put_off(room, [to_come(asking.wish or wishes[-1], method)], settled)
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
        put_off(room, list(dict.fromkeys(to_come(wish, method) for wish, _ in planned)), settled)
    if understood:
        state.last = [wish for wish in wishes if wish.verb not in _COURTESIES]


def repeat(room: Room, changes: Sequence[Wish], method: PaymentMethod | None) -> bool:
    """Whether the wishes are what is proposed, said again: they come to no other steps."""
    pending = room.state.pending
    if pending is None:
        return False
    proposed = _proposed_variants(room.state)
    done = [(step.name, step.order_id, step.arguments) for step in pending.steps]
    for wish in changes:
        outcome = _outcome(room, wish, method, proposed)
        steps = [plan.step for plan in outcome.planned]
        if not steps or any((step.name, step.order_id, step.arguments) not in done for step in steps):
            return False
    return True


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
        settled.answers.append(Answered(later, said(room.write("next_wish"))))
        settled.answers += after.answers
        settled.actions += after.actions


def to_come(wish: Wish, method: PaymentMethod | None) -> Wish:
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


def _is_about(question: Question, wish: Wish) -> bool:
    """Whether the wish is the one that the question was asked for."""
    return question.wish is not None and question.wish.verb == wish.verb


def _proposed_variants(state: ConversationState) -> dict[int, int]:
    """item → the variant that is proposed for it: a correction changes that one, not the item's own."""
    steps = state.pending.steps if state.pending else ()
    return {
        step.arguments["item_id"]: step.arguments["variant_id"]
        for step in steps
        if step.name in ("exchange", "change_item")
    }


def _other_variants(steps: Sequence[Step], proposed: dict[int, int]) -> set[int]:
    """The items of the steps that get another variant than the one that was proposed for them."""
    return {
        item
        for step in steps
        if (item := step.arguments.get("item_id")) in proposed
        and step.arguments.get("variant_id") != proposed[item]
    }


def put_off(room: Room, wishes: list[Wish], settled: Settled, *, first: bool = False) -> None:
    """Let the wishes wait, `first` before those that wait already; what is too much is said."""
    _not_waiting_any_more(room, wishes)
    waiting = room.state.waiting
    waiting = [*wishes, *waiting] if first else [*waiting, *wishes]
    room.state.waiting = waiting[:MOST_WAITING]
    if len(waiting) > MOST_WAITING:
        settled.answers.append(Answered(waiting[MOST_WAITING], said(room.write("too_many_wishes"))))


def _not_waiting_any_more(room: Room, wishes: Sequence[Wish]) -> None:
    """Forget what waits about the same items as these: it was said anew."""
    room.state.waiting = [
        old
        for old in room.state.waiting
        if not any(new.verb == old.verb and set(new.items) & set(old.items) for new in wishes)
    ]
