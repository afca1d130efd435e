"""Attention over a long past in O(log n) work a token: which blocks a query attends to.

Three ways are taken together. Space: the sinks and the latest positions are seen exactly. Channel: a block
is judged by bounds of its keys (Quest, arXiv 2406.10774) in the few channels where that matters most (Loki,
arXiv 2406.02542). Time: bounds are kept for spans of 1, 16, 256 … blocks, and only the best spans of a level
are opened on the next one. The chosen blocks are attended to exactly. kernels/sparse.h does the same in C++.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core_model.kv_cache import BLOCK

FAN_OUT = 16
"""Children of a span."""
SPARSE_BEYOND = 0
"""Positions after which the engine attends sparsely by itself; 0: never, until its quality is good enough (docs)."""
NEVER = 2**31 - 1
"""`sparse_from` of a sequence that always attends to everything."""


@dataclass(frozen=True)
class SparseBudget:
    """What a row attends to; see docs/long-text.md for how the numbers were chosen."""

    local: int = 512  # latest positions
    chosen: int = 128  # blocks before them
    beam: int = 64  # spans that are opened on each level
    channels: int = 32  # channels that bounds are scored with
    spread: float = 0.5  # how far a key may lie from the middle of its bounds: 0 not at all, 1 up to them

    def first_local(self, position: int) -> int:
        """The first block that a row sees anyway."""
        return max(0, position - self.local + 1) // BLOCK


BUDGET = SparseBudget()


Bounds = list[tuple[Tensor, Tensor]]
"""Of each level of spans: minimum and maximum of their keys in each channel, both [spans, head_dim]."""


def span_bounds(keys: Tensor) -> Bounds:
    """The bounds of all whole spans of the keys [length, head_dim] of one key/value head."""
    blocks = len(keys) // BLOCK
    low, high = keys[: blocks * BLOCK].unflatten(0, (blocks, BLOCK)).bfloat16().float().aminmax(dim=1)
    levels = [(low, high)]
    while blocks > FAN_OUT ** len(levels):
        count = len(low) // FAN_OUT
        low = low[: count * FAN_OUT].unflatten(0, (count, FAN_OUT)).amin(1)
        high = high[: count * FAN_OUT].unflatten(0, (count, FAN_OUT)).amax(1)
        levels.append((low, high))
    return levels


def visible_blocks(
    queries: Tensor, keys: Tensor, bounds: Bounds, position: int, budget: SparseBudget
) -> Tensor:
    """Blocks that the query heads [group, head_dim] of one key/value head see, ascending int64.

    `queries` are scaled; `keys` [length, head_dim] are those of the sequence up to `position`, at least.
    """
    limit, last = budget.first_local(position), position // BLOCK
    if limit - 1 <= budget.chosen:
        return torch.arange(last + 1)
    nearby = torch.cat([keys[:BLOCK], keys[limit * BLOCK : position + 1]])
    log_totals = (queries @ nearby.T).logsumexp(-1)  # [group]
    chosen = choose(queries, log_totals, bounds, limit, budget)
    return torch.cat([torch.zeros(1, dtype=torch.int64), chosen, torch.arange(limit, last + 1)])


def choose(queries: Tensor, log_totals: Tensor, bounds: Bounds, limit: int, budget: SparseBudget) -> Tensor:
    """The best blocks among 1 … `limit` - 1, ascending int64.

    A block's worth is the largest share of its attention, as a logarithm, that a head may give to one of
    its keys; `log_totals` [group] are the logarithms of what each head attends to already.
    """
    top = 0
    while limit > FAN_OUT ** (top + 1):
        top += 1
    low, high = (levels[0] for levels in bounds[top])
    weights = queries.abs().amax(0) * (high - low)
    channels = weights.argsort(descending=True, stable=True)[: budget.channels]
    middle = (low + high) / 2
    # In the other channels every span counts as the middle of the oldest one.
    rest = queries @ middle - queries[:, channels] @ middle[channels] - log_totals
    q = queries[:, channels]
    opened = torch.zeros(1, dtype=torch.int64)
    for level in range(top, -1, -1):
        complete = limit // FAN_OUT**level
        nodes = (opened[:, None] * FAN_OUT + torch.arange(FAN_OUT)).flatten()
        # Block 0 holds the sinks, which are attended to anyway.
        nodes = nodes[(nodes >= (0 if level else 1)) & (nodes < complete)]
        low, high = (side[nodes][:, channels].T for side in bounds[level])
        worths = q @ (low + high) / 2 + budget.spread * (q.abs() @ (high - low)) / 2  # [group, nodes]
        order = (worths + rest[:, None]).amax(0).argsort(descending=True, stable=True)
        opened = nodes[order[: budget.beam if level else budget.chosen]]
        # The span that the local positions cut into is always opened.
        if level and limit % FAN_OUT**level:
            opened = torch.cat([opened, torch.tensor([complete])])
    return opened.sort().values
