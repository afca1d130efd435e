"""Proposals: writes put into one question, agreed to with one yes, corrected, and carried out together."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from apps.support.playbooks.case import Planned
from apps.support.reading.state import ConversationState, Proposal, Step, Wish
from apps.support.replies.language import Language
from apps.support.replies.sentences import Note, joined, write

REPLACED_BY_THE_SAME_VERB = frozenset({"cancel", "readdress", "home", "repay", "ask"})
"""Another such wish beside an open one corrects it; another return or exchange of another order joins it."""


def propose(state: ConversationState, planned: Sequence[tuple[Wish, Planned]], language: Language) -> Note:
    """Keep the writes as the open proposal; the question, in exactly the words that are agreed to."""
    wishes = list(dict.fromkeys(wish for wish, _ in planned))
    note = _question([plan for _, plan in planned], language)
    state.pending = Proposal(
        key=secrets.token_urlsafe(18),
        steps=tuple(plan.step.model_copy(update={"wish": wishes.index(wish)}) for wish, plan in planned),
        wishes=tuple(wishes),
        sentence=note.text,
        lines=tuple(plan.line for _, plan in planned),
        asked_at_turn=state.turn,
    )
    return note


def kept_steps(pending: Proposal | None, wishes: Sequence[Wish]) -> list[tuple[Wish, Step]]:
    """The steps of the open proposal that the wishes neither correct nor replace, each with its own wish."""
    if pending is None:
        return []
    kept = [
        number for number, old in enumerate(pending.wishes) if not any(_replaces(new, old) for new in wishes)
    ]
    return [(pending.wishes[step.wish], step) for step in pending.steps if step.wish in kept]


def corrects(pending: Proposal, wishes: Sequence[Wish]) -> bool:
    """Whether any of the wishes is meant in place of something that is proposed."""
    return any(_replaces(new, old) for new in wishes for old in pending.wishes)


def _replaces(new: Wish, old: Wish) -> bool:
    """Whether the new wish is meant in place of the old: of the same kind, or about the same things."""
    if set(new.items) & set(old.items) or set(new.orders) & set(old.orders):
        return True
    if new.verb == old.verb:
        return new.verb in REPLACED_BY_THE_SAME_VERB or not (new.items or new.orders)
    return False


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
