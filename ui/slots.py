"""Who asks again in the same slot no longer wants what was asked before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence

from ui.served_models import Answer

_MAX_SLOTS = 1024


class Slots:
    """What is under way in each slot; used from the event loop alone."""

    def __init__(self) -> None:
        self._under_way: OrderedDict[Hashable, Sequence[Answer]] = OrderedDict()

    def end(self, slot: Hashable) -> None:
        """Cancel what is under way in a slot; nothing happens to what has finished."""
        for answer in self._under_way.pop(slot, ()):
            answer.cancel()

    def take(self, slot: Hashable, answers: Sequence[Answer]) -> None:
        """Put answers into a slot; what was there is cancelled."""
        self.end(slot)
        self._under_way[slot] = answers
        if len(self._under_way) > _MAX_SLOTS:
            self._under_way.popitem(last=False)
