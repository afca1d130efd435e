"""The open proposal once more: with another payment method, beside a new wish, or as the shop is by now."""

from __future__ import annotations

from collections.abc import Sequence

from apps.support.conversations.proposals import propose
from apps.support.conversations.turn import Answered, Settled
from apps.support.errors import ActionRefusedError
from apps.support.playbooks.case import Planned, Room, said
from apps.support.playbooks.replanning import replan
from apps.support.reading.state import Proposal, Step, Wish
from apps.support.replies.sentences import Note
from apps.support.shop.models import PaymentMethod


def with_method(room: Room, wish: Wish, method: PaymentMethod, settled: Settled, *, agreed: bool) -> bool:
    """Plan the open proposal with another payment method.

    True where it was `agreed` to and nothing stands against it: then it may run. Else it is asked again.
    """
    pending = room.state.pending
    assert pending is not None
    notes: list[Note] = []
    planned = planned_again(room, _steps(pending), method, notes)
    if agreed and planned and not notes:
        propose(room.state, planned, room.language)
        return True
    _ask(room, wish, planned, notes, settled)
    return False


def ask_again(room: Room, refused: Proposal, error: ActionRefusedError, settled: Settled) -> None:
    """After a yes that could not be followed: why, and what of the proposal still stands, as it would be now."""
    notes: list[Note] = []
    planned = planned_again(room, _steps(refused), None, notes)
    if not notes:
        order = room.context.order(refused.steps[error.place].order_id)
        key, number = ("changed_meanwhile", f"#{order.number}") if order else ("not_done", "")
        notes.append(room.write(key, must=("order",), order=number))
    wish = refused.wishes[0] if refused.wishes else Wish(verb="yes")
    _ask(room, wish, planned, notes, settled)


def planned_again(
    room: Room, steps: Sequence[tuple[Wish, Step]], method: PaymentMethod | None, notes: list[Note]
) -> list[tuple[Wish, Planned]]:
    """The steps as they would be proposed now, by default with the method that was agreed on before.

    What the shop's rules forbid by now is left out; `notes` say so, and where the money is not as it was.
    """
    planned = []
    for wish, step in steps:
        before = room.context.method(step.arguments.get("method_id"))
        heard: list[Note] = []
        plan = replan(room.case(wish, method or before), step, heard)
        notes += [note for note in heard if note not in notes]
        if plan is not None:
            planned.append((wish, plan))
    return planned


def _steps(proposal: Proposal) -> list[tuple[Wish, Step]]:
    return [(proposal.wishes[step.wish], step) for step in proposal.steps]


def _ask(
    room: Room, wish: Wish, planned: list[tuple[Wish, Planned]], notes: list[Note], settled: Settled
) -> None:
    room.state.pending = None
    if planned:
        notes = [*notes, propose(room.state, planned, room.language)]
    settled.answers.append(Answered(wish, said(*notes)))
    settled.actions += [{"name": plan.step.name, "status": "proposed"} for _, plan in planned]
