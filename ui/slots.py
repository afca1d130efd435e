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

    def take(self, slot: Hashable, answers: Sequence[Answer]) -> None:
        """Put answers into a slot; those that were there are cancelled (nothing happens to finished ones)."""
        for answer in self._under_way.pop(slot, ()):
            answer.cancel()
        self._under_way[slot] = answers
        if len(self._under_way) > _MAX_SLOTS:
            self._under_way.popitem(last=False)
