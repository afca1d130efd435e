"""Proposals: writes put into one question, agreed to with one yes, corrected, and carried out together."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Sequence

from apps.support.playbooks.case import Planned
from apps.support.reading.context import Context
from apps.support.reading.state import ConversationState, Proposal, Step, Wish
from apps.support.replies.sentences import Note, joined, write
from apps.support.words import Language

REPLACED_BY_THE_SAME_VERB = frozenset({"cancel", "readdress", "home", "repay", "ask"})
"""Another such wish beside an open one corrects it; a return or exchange in another order joins it."""
_OF_ITEMS = frozenset({"return", "swap", "drop"})


def propose(state: ConversationState, planned: Sequence[tuple[Wish, Planned]], language: Language) -> Note:
    """Keep the writes as the open proposal; the question, in exactly the words that are agreed to."""
    wishes = list(dict.fromkeys(wish for wish, _ in planned))
    note = _question([plan for _, plan in planned], language)
    gives_back: Counter[str] = Counter()
    for _, plan in planned:
        if plan.refund is not None:
            gives_back[plan.refund[1]] += plan.refund[0]
    state.pending = Proposal(
        key=secrets.token_urlsafe(18),
        steps=tuple(plan.step.model_copy(update={"wish": wishes.index(wish)}) for wish, plan in planned),
        wishes=tuple(wishes),
        sentence=note.text,
        lines=tuple(plan.line.model_copy(update={"action": plan.step.name}) for _, plan in planned),
        gives_back={currency: amount for currency, amount in gives_back.items() if amount},
    )
    return note


def kept_steps(
    pending: Proposal | None, wishes: Sequence[Wish], context: Context, revised: Collection[int] = ()
) -> list[tuple[Wish, Step]]:
    """The steps of the open proposal that the wishes neither correct nor replace, each with its own wish.

    `revised` are the items that get another option than was proposed: such a wish is about them alone.
    """
    steps = [(pending.wishes[step.wish], step) for step in pending.steps] if pending else []
    revising = [wish for wish in wishes if wish.items and set(wish.items) <= set(revised)]
    others = [wish for wish in wishes if wish not in revising]
    whole = {wish.verb for wish in others if pending is not None and _says_less(wish, pending)}
    return [
        (old, step)
        for old, step in steps
        if old.verb not in whole
        and not _items_of(step) & set(revised)
        and not any(_replaces(wish, old, step, context) for wish in others)
    ]


def _says_less(wish: Wish, pending: Proposal) -> bool:
    """Whether the wish names only things that are proposed for it: the rest of them is not meant any more."""
    proposed = {
        number
        for step in pending.steps
        if pending.wishes[step.wish].verb == wish.verb
        for number in _items_of(step)
    }
    return bool(wish.items) and not wish.alternatives and set(wish.items) <= proposed


def corrects(pending: Proposal, wishes: Sequence[Wish], context: Context) -> bool:
    """Whether any of the wishes is meant in place of something that is proposed."""
    return len(kept_steps(pending, wishes, context)) < len(pending.steps)


def _replaces(new: Wish, old: Wish, step: Step, context: Context) -> bool:
    """Whether the new wish is meant in place of the step.

    A correction says the whole of what is meant: "return a b" beside an open "return c" of the same order.
    """
    things = {*new.items, *new.excluded}
    named = [item for number in things if (item := context.item(number)) is not None]
    orders = {*new.orders, *(item.order_id for item in named)}
    if new.verb == old.verb and (new.verb in REPLACED_BY_THE_SAME_VERB or not orders):
        return True
    if step.order_id not in orders:
        return False
    if new.verb == old.verb or "cancel" in (new.verb, step.name):
        return True
    # A return in place of an exchange, or the other way round: of the same items, or of all in the order.
    return {new.verb, old.verb} <= _OF_ITEMS and (not new.items or bool(things & _items_of(step)))


def _items_of(step: Step) -> set[int]:
    return {*step.arguments.get("item_ids", ()), step.arguments.get("item_id")}


def _question(planned: Sequence[Planned], language: Language) -> Note:
    facts = tuple(
        fact for plan in planned for note in (plan.deed, plan.consequence) if note for fact in note.facts
    )
    if len(planned) == 1:
        plan = planned[0]
        consequence = f"{plan.consequence.text}" if plan.consequence else ""
        text = write("propose_one", language, deed=plan.deed.text, consequence=consequence).text
    else:
        lines = []
        for place, plan in enumerate(planned, start=1):
            consequence = plan.consequence.text if plan.consequence else ""
            line = write("propose_line", language, place=place, deed=plan.deed.text, consequence=consequence)
            lines.append(line.text.strip())
        text = write("propose_many", language, list=joined(lines, language)).text
    return Note("proposal", " ".join(text.split()), facts)
