"""Suggestions that somebody is typing along: the rest of what was suggested needs no model."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from threading import Lock

from apps.code.completion.gap import Gap

_MAX_KEPT = 64


class Recall:
    """The last suggestions, by all that they depended on but what stands before the cursor. Thread-safe.

    The model, asked again, would say the same: it is the likeliest text of the same file. What may differ between
    two keystrokes, the time that is left and which other files the editor shows, does not make another suggestion worth
    waiting for.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[Gap, tuple[str, int]] = OrderedDict()  # the text, and where the cursor was

    def keep(self, gap: Gap, suggested: str) -> None:
        """Remember a suggestion, if the same would come again."""
        key = _others_left_out(gap)
        with self._lock:
            self._kept.pop(key, None)
            if suggested and gap.sampling.temperature == 0:
                self._kept[key] = (gap.prefix + suggested, len(gap.prefix))
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)

    def rest(self, gap: Gap) -> str | None:
        """What is left of a suggestion that what was typed since agrees with, or None."""
        with self._lock:
            text, cursor = self._kept.get(_others_left_out(gap), ("", 0))
        if len(gap.prefix) <= cursor or not text.startswith(gap.prefix):
            return None
        return text[len(gap.prefix) :] or None


def _others_left_out(gap: Gap) -> Gap:
    return replace(gap, prefix="", files=(), deadline_s=None, decode_s=None)
