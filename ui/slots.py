"""Who asks again in the same slot no longer wants what was asked before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence

from ui.served_models import Answer

_MAX_SLOTS = 1024


class Turn:
    """One request's turn in its slot, from its arrival on: its answers may be started after a newer one came."""

    def __init__(self) -> None:
        self._answers: Sequence[Answer] = ()
        self._over = False

    def begin(self, answers: Sequence[Answer]) -> None:
        """These are its answers; they are cancelled where the turn is over already."""
        self._answers = answers
        if self._over:
            self.end()

    def end(self) -> None:
        """Cancel what is under way; nothing happens to what has finished."""
        self._over = True
        for answer in self._answers:
            answer.cancel()


class Slots:
    """Whose turn it is in each slot; used from the event loop alone."""

    def __init__(self) -> None:
        self._turns: OrderedDict[Hashable, Turn] = OrderedDict()

    def take(self, slot: Hashable) -> Turn:
        """The turn of a request that has just arrived; the one before it in the slot ends."""
        before = self._turns.pop(slot, None)
        if before is not None:
            before.end()
        turn = self._turns[slot] = Turn()
        if len(self._turns) > _MAX_SLOTS:
            self._turns.popitem(last=False)
        return turn
