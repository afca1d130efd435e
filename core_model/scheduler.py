"""Decides which sequences run in the next step, and how many tokens of each."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from core_model.block_manager import BlockManager
from core_model.kv_cache import BLOCK
from core_model.sequence import Sequence

PREFILL_ALONE = 256
"""Prompt tokens in a step when nobody is waiting for a next token."""
PREFILL_BESIDE = 64
"""Prompt tokens in a step beside sequences that are streaming, so that these never stall long."""


@dataclass(frozen=True)
class Work:
    """The next `count` tokens of a sequence, and `draft`, what it is likely to go on with after them."""

    sequence: Sequence
    count: int
    draft: tuple[int, ...] = ()


class Scheduler:
    """Every streaming sequence gets its token; what room is left goes to one prompt at a time.

    One prompt at a time gives the earliest first token, and lets later prompts find an equal beginning in
    the cache. A sequence is admitted only when the blocks it may ever need are there, so none is evicted.
    """

    def __init__(self, manager: BlockManager, max_sequences: int) -> None:
        self._manager = manager
        self._max_sequences = max_sequences
        self.waiting: deque[Sequence] = deque()
        self.running: list[Sequence] = []

    def schedule(self) -> list[Work]:
        """The work of the next step; empty when there is nothing to do."""
        if not self._prefilling(background=False):
            self._admit(background=False)
        decoding = [sequence for sequence in self.running if sequence.left == 1 and not sequence.background]
        work = [Work(sequence, 1) for sequence in decoding]
        work += _share(self._prefilling(background=False), PREFILL_BESIDE if decoding else PREFILL_ALONE)
        if work:
            return work
        if not any(sequence.background for sequence in self.running):
            self._admit(background=True)
        # In small steps: what comes meanwhile waits for one of them at most.
        return _share([sequence for sequence in self.running if sequence.background], PREFILL_BESIDE)

    def remove(self, sequence: Sequence) -> None:
        """Take a finished or cancelled sequence out and free its blocks."""
        if sequence in self.waiting:
            self.waiting.remove(sequence)
        else:
            self.running.remove(sequence)
            sequence.release(self._manager)

    def _prefilling(self, background: bool) -> list[Sequence]:
        return [
            sequence for sequence in self.running if sequence.left > 1 and sequence.background == background
        ]

    def _admit(self, background: bool) -> None:
        """Let the next one of its kind run, if there is room. The background makes room for everybody else."""
        sequence = next((one for one in self.waiting if one.background == background), None)
        if sequence is None:
            return
        if not background and not self._has_room(sequence):
            self._put_background_back()
        if not self._has_room(sequence):
            return
        self.waiting.remove(sequence)
        sequence.blocks = self._manager.match(sequence.root, sequence.tokens[: sequence.reusable])
        sequence.computed = len(sequence.blocks) * BLOCK
        sequence.slide(self._manager)
        sequence.cached_tokens = sequence.computed
        self.running.append(sequence)

    def _has_room(self, sequence: Sequence) -> bool:
        if len(self.running) >= self._max_sequences:
            return False
        promised = sum(max(0, other.reserved - _held(other)) for other in self.running)
        # Reused blocks that nobody owns leave the free list, so counting them as needed is on the safe side.
        return sequence.reserved <= self._manager.free - promised

    def _put_background_back(self) -> None:
        """What it has computed stays in the cache until the blocks are needed."""
        for sequence in [one for one in self.running if one.background]:
            self.running.remove(sequence)
            sequence.release(self._manager)
            sequence.computed = 0
            self.waiting.append(sequence)


def _share(prefilling: list[Sequence], budget: int) -> list[Work]:
    """The next tokens of prompts, `budget` of them in all."""
    work = []
    for sequence in prefilling:
        count = min(budget, sequence.left)
        if count:
            work.append(Work(sequence, count))
            budget -= count
    return work


def _held(sequence: Sequence) -> int:
    return sum(block >= 0 for block in sequence.blocks)
