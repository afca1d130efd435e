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
SPARSE_BEYOND = 8192
"""Positions after which the engine attends sparsely by itself."""
NEVER = 2**31 - 1
"""`sparse_from` of a sequence that always attends to everything."""


@dataclass(frozen=True)
class SparseBudget:
    """What a row attends to; see docs/long-text.md for how the numbers were chosen."""

    local: int = 512  # latest positions
    chosen: int = 64  # blocks before them
    beam: int = 64  # spans that are opened on each level
    channels: int = 32  # channels that bounds are scored with
    spread: float = 0.25  # how far a key may lie from the middle of its bounds: 0 not at all, 1 up to them

    def first_local(self, position: int) -> int:
        """The first block that a row sees anyway."""
        return max(0, position - self.local + 1) // BLOCK


BUDGET = SparseBudget()


def visible_blocks(queries: Tensor, keys: Tensor, position: int, budget: SparseBudget) -> Tensor:
    """Blocks that the query heads [group, head_dim] of one key/value head see, ascending int64.

    `queries` are scaled; `keys` [length, head_dim] are those of the sequence up to `position`, at least.
    """
    limit, last = budget.first_local(position), position // BLOCK
    if limit - 1 <= budget.chosen:
        return torch.arange(last + 1)
    nearby = torch.cat([keys[:BLOCK], keys[limit * BLOCK : position + 1]])
    log_totals = (queries @ nearby.T).logsumexp(-1)  # [group]
    chosen = choose(queries, log_totals, keys, limit, budget)
    return torch.cat([torch.zeros(1, dtype=torch.int64), chosen, torch.arange(limit, last + 1)])


def choose(queries: Tensor, log_totals: Tensor, keys: Tensor, limit: int, budget: SparseBudget) -> Tensor:
    """The best blocks among 1 … `limit` - 1, ascending int64.

    A block's worth is the largest share of its attention, as a logarithm, that a head may give to one of
    its keys; `log_totals` [group] are the logarithms of what each head attends to already.
    """
    top = 0
    while limit > FAN_OUT ** (top + 1):
        top += 1
    low, high = _bounds(keys, top, 0)
    middle, spread = (low + high) / 2, high - low
    weights = queries.abs().amax(0) * spread
    channels = torch.tensor(_best(weights, torch.arange(len(weights)), budget.channels))
    rest = queries @ middle - queries[:, channels] @ middle[channels] - log_totals
    opened = [0]
    for level in range(top, -1, -1):
        complete = limit // FAN_OUT**level
        nodes = [group * FAN_OUT + i for group in opened for i in range(FAN_OUT)]
        # Block 0 holds the sinks, which are attended to anyway.
        nodes = [node for node in nodes if (0 if level else 1) <= node < complete]
        scores = torch.tensor(
            [_score(queries, rest, channels, budget.spread, *_bounds(keys, level, node)) for node in nodes]
        )
        opened = _best(scores, torch.tensor(nodes), budget.beam if level else budget.chosen)
        # The span that the local window cuts is always opened.
        if level and limit % FAN_OUT**level:
            opened.append(complete)
    return torch.tensor(sorted(opened), dtype=torch.int64)


def _bounds(keys: Tensor, level: int, node: int) -> tuple[Tensor, Tensor]:
    """Minimum and maximum of the keys of a span in each channel, as the kernels' tree holds them."""
    size = BLOCK * FAN_OUT**level
    span = keys[node * size : (node + 1) * size]
    return span.amin(0).bfloat16().float(), span.amax(0).bfloat16().float()


def _score(
    queries: Tensor, rest: Tensor, channels: Tensor, spread: float, low: Tensor, high: Tensor
) -> float:
    q, low, high = queries[:, channels], low[channels], high[channels]
    worth = (q * (low + high) / 2 + spread * q.abs() * (high - low) / 2).sum(-1)
    return float((worth + rest).max())


def _best(scores: Tensor, nodes: Tensor, count: int) -> list[int]:
    order = sorted(range(len(scores)), key=lambda i: (-float(scores[i]), int(nodes[i])))
    return [int(nodes[i]) for i in order[:count]]
