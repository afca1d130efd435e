"""Who owns which block of the KV cache, and which blocks hold a prefix that can be used again."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from core_model.kv_cache import BLOCK

Root = tuple[str | None, int, int, str]
"""What keys and values depend on besides the tokens: adapter, window, first position that attends sparsely; and whose
they are."""
_Key = tuple[Root | int, tuple[int, ...]]


@dataclass
class _Block:
    owners: int = 0
    prefix: int = 0  # unique number of "this block after that prefix"; 0: not registered
    key: _Key | None = None


class BlockManager:
    """Hands out blocks, shares full ones between sequences with a common beginning.

    A full block is registered under (what stands before it, its 16 tokens). What stands before is itself
    a number given at registration, so equal keys mean equal beginnings: no hash can collide. Blocks that
    nobody owns stay registered until they are needed, oldest first.
    """

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks
        self._state = [_Block() for _ in range(blocks)]
        self._free: OrderedDict[int, None] = OrderedDict.fromkeys(range(blocks))  # oldest first
        self._registered: dict[_Key, int] = {}
        self._prefixes = 0
        self._free_seats: list[int] = []
        self._seats = 0

    @property
    def free(self) -> int:
        """Blocks that nobody owns."""
        return len(self._free)

    def allocate(self) -> int:
        """A block for new content. Raises IndexError when all are owned."""
        if not self._free:
            raise IndexError("no free block: the scheduler admitted more than the cache holds")
        block, _ = self._free.popitem(last=False)
        state = self._state[block]
        if state.key is not None:
            del self._registered[state.key]
        self._state[block] = _Block(owners=1)
        return block

    def take_seat(self) -> int:
        """The smallest number that no running sequence has: where its own part of the cache lies."""
        if self._free_seats:
            return heapq.heappop(self._free_seats)
        self._seats += 1
        return self._seats - 1

    def release_seat(self, seat: int) -> None:
        """Let another sequence have it."""
        heapq.heappush(self._free_seats, seat)

    def match(self, root: Root, tokens: Sequence[int]) -> list[int]:
        """The blocks that already hold the longest beginning of `tokens`, now owned once more."""
        matched: list[int] = []
        parent: Root | int = root
        for start in range(0, len(tokens) - BLOCK + 1, BLOCK):
            block = self._registered.get((parent, tuple(tokens[start : start + BLOCK])))
            if block is None:
                break
            state = self._state[block]
            if state.owners == 0:
                del self._free[block]
            state.owners += 1
            matched.append(block)
            parent = state.prefix
        return matched

    def register(self, root: Root, previous: int | None, block: int, tokens: Sequence[int]) -> None:
        """Make a block that was filled with these 16 tokens available to others.

        `previous` is the block before it (None at the start, with `root`). Where an equal block is
        registered already, this one only takes its number, so that what follows is found again.
        """
        parent: Root | int = root if previous is None else self._state[previous].prefix
        if parent == 0 or self._state[block].prefix:
            return
        key = (parent, tuple(tokens))
        if key in self._registered:
            self._state[block].prefix = self._state[self._registered[key]].prefix
            return
        self._prefixes += 1
        self._state[block].prefix, self._state[block].key = self._prefixes, key
        self._registered[key] = block

    def release(self, block: int) -> None:
        """Give up one ownership; the content stays until the block is needed."""
        state = self._state[block]
        state.owners -= 1
        if state.owners == 0:
            self._free[block] = None
            if state.key is None:
                self._free.move_to_end(block, last=False)

    def forget(self, adapter: str) -> None:
        """Make everything computed with that adapter unreachable (another may take its name)."""
        for key, block in [*self._registered.items()]:
            if isinstance(key[0], tuple) and key[0][0] == adapter:
                del self._registered[key]
                self._state[block].key, self._state[block].prefix = None, 0
