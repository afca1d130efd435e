"""One prompt on its way through the engine: its tokens and its blocks; see `generating` and `measuring`."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence as Tokens
from dataclasses import dataclass, field

from torch import Tensor

from core_model.batch import Rows
from core_model.block_manager import BlockManager, Root
from core_model.kv_cache import BLOCK, SINKS
from core_model.sparse_attention import NEVER
from core_model.speculation import Guess


@dataclass(eq=False)
class Sequence(ABC):
    """Tokens whose keys and values are (partly) in the cache.

    `blocks[i]` holds positions 16 i … 16 i + 15, or is -1 once it slid out of the window.
    """

    tokens: list[int]
    window: int | None
    adapter: str | None
    sparse_from: int = NEVER  # first position that attends sparsely
    owner: str = field(default="", kw_only=True)
    computed: int = 0
    blocks: list[int] = field(default_factory=list)
    seat: int | None = None  # while it runs: where its own part of the cache lies
    reserved: int = 0  # blocks it may ever hold at once
    cached_tokens: int = 0  # of its first ones, found in the cache
    submitted: float = field(default_factory=time.perf_counter)
    cancelled: bool = False
    background: bool = False  # waits whenever anything else is to be done
    finished: bool = False

    def __post_init__(self) -> None:
        self.prompt_tokens = len(self.tokens)

    @property
    def reads_logits(self) -> bool:
        """Whether `receive` needs logits, beside hidden states."""
        return True

    @property
    def left(self) -> int:
        """How many of its tokens are not in the cache yet."""
        return len(self.tokens) - self.computed

    @property
    def root(self) -> Root:
        """What its keys and values depend on besides its tokens, and whose they are."""
        return (self.adapter, self.window or 0, self.sparse_from, self.owner)

    @property
    def reusable(self) -> int:
        """How many of its first tokens may come from the cache: never the last, whose output is wanted."""
        return len(self.tokens) - 1

    def blocks_needed(self, extra_tokens: int, chunk: int) -> int:
        """Blocks it may hold at once with `extra_tokens` still to come and `chunk` new tokens a step."""
        everything = -(-(len(self.tokens) + extra_tokens) // BLOCK)
        if self.window is None:
            return everything
        return min(everything, -(-(self.window + chunk) // BLOCK) + 2)

    def guess(self) -> list[Guess]:
        """What it is likely to go on with after its last token."""
        return []

    def prepare(self, count: int, draft: Tokens[int], manager: BlockManager) -> Rows:
        """The next `count` tokens and the draft after them, with the blocks that they are written to."""
        assert self.seat is not None
        self.slide(manager)
        start, end = self.computed, self.computed + count
        while len(self.blocks) <= (end + len(draft) - 1) // BLOCK:
            self.blocks.append(manager.allocate())
        wanted = max(0, end - max(start, self.reusable))
        tokens = [*self.tokens[start:end], *draft]
        return Rows(
            tokens,
            start,
            wanted + len(draft),
            self.blocks,
            self.window,
            self.adapter,
            self.seat,
            self.sparse_from,
        )

    @abstractmethod
    def receive(self, hidden: Tensor, logits: Tensor, draft: Tokens[int]) -> int:
        """Take the outputs that `prepare` asked for, [rows, hidden] and [rows, vocab] (empty without `reads_logits`).

        Returns how many tokens of the draft the text went on with: these are in the cache now, too.
        """

    def overdue(self, now: float) -> bool:
        """Whether a limit of its time has passed."""
        return False

    def finish(self, reason: str) -> None:
        """Nothing more is to be computed."""
        self.finished = True

    @abstractmethod
    def end(self, error: Exception | None = None) -> None:
        """Tell the caller that nothing more will come."""

    def slide(self, manager: BlockManager) -> None:
        """Give up the blocks that slid out of the window."""
        if self.window is None:
            return
        oldest_seen = self.computed - (self.window - SINKS) + 1
        for index in range(1, min(oldest_seen // BLOCK, len(self.blocks))):
            if self.blocks[index] >= 0:
                manager.release(self.blocks[index])
                self.blocks[index] = -1

    def advance(self, count: int, manager: BlockManager) -> None:
        """Note that `count` more tokens are in the cache, and offer the blocks they filled to others."""
        first_full, self.computed = self.computed // BLOCK, self.computed + count
        for index in range(first_full, self.computed // BLOCK):
            previous = self.blocks[index - 1] if index else None
            if previous != -1:
                manager.register(
                    self.root, previous, self.blocks[index], self.tokens[index * BLOCK : (index + 1) * BLOCK]
                )

    def release(self, manager: BlockManager) -> None:
        """Give all blocks back."""
        for block in self.blocks:
            if block >= 0:
                manager.release(block)
        self.blocks = []
        if self.seat is not None:
            manager.release_seat(self.seat)
            self.seat = None
