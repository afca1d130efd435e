"""One forward pass: new tokens of several sequences, laid one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core_model.kv_cache import BLOCK
from core_model.sparse_attention import BUDGET, NEVER, SparseBudget


@dataclass(frozen=True)
class Batch:
    """T new tokens of S sequences.

    A sequence with window w sees its first SINKS positions and the last w - SINKS (itself included), and
    sees the sinks as if it stood at position min(position, w - 1), so that no distance exceeds the window.
    Window 0 means everything. Blocks that no token of this batch can see may be -1 in `block_tables`.
    """

    tokens: Tensor  # [T] int32
    positions: Tensor  # [T] int32, position of each token in its sequence
    sequences: Tensor  # [T] int32, row in block_tables; a sequence's tokens are contiguous and ascending
    slots: Tensor  # [T] int32, block * BLOCK + offset: where its key and value go
    block_tables: Tensor  # [S, longest] int32
    windows: Tensor  # [S] int32
    adapters: list[str | None]  # S names of loaded LoRA adapters
    outputs: Tensor  # [R] int64, indexes into T: the rows whose hidden state is wanted
    seats: Tensor | None = None  # [S] int32, whose tails and trees in the cache; None: sequence s has seat s
    sparse_from: Tensor | None = None  # [S] int32, first position that attends sparsely; None: never
    budget: SparseBudget = BUDGET


@dataclass(frozen=True)
class Rows:
    """What one sequence brings into a batch: tokens at the positions from `start` on."""

    tokens: list[int]
    start: int
    outputs: int  # of how many of its last tokens the hidden state is wanted
    blocks: list[int]
    window: int | None
    adapter: str | None
    seat: int
    sparse_from: int = NEVER


def make_batch(parts: Sequence[Rows]) -> Batch:
    """The batch of all parts; its outputs lie in their order."""
    tokens: list[int] = []
    positions: list[int] = []
    owners: list[int] = []
    slots: list[int] = []
    outputs: list[int] = []
    tables = torch.full((len(parts), max(len(part.blocks) for part in parts)), -1, dtype=torch.int32)
    for index, part in enumerate(parts):
        places = range(part.start, part.start + len(part.tokens))
        tokens += part.tokens
        positions += places
        owners += [index] * len(part.tokens)
        slots += [part.blocks[p // BLOCK] * BLOCK + p % BLOCK for p in places]
        outputs += range(len(tokens) - part.outputs, len(tokens))
        tables[index, : len(part.blocks)] = torch.tensor(part.blocks, dtype=torch.int32)

    def int32(values: list[int]) -> Tensor:
        return torch.tensor(values, dtype=torch.int32)

    return Batch(
        tokens=int32(tokens),
        positions=int32(positions),
        sequences=int32(owners),
        slots=int32(slots),
        block_tables=tables,
        windows=int32([part.window or 0 for part in parts]),
        adapters=[part.adapter for part in parts],
        outputs=torch.tensor(outputs, dtype=torch.int64),
        seats=int32([part.seat for part in parts]),
        sparse_from=int32([part.sparse_from for part in parts]),
    )
