"""One forward pass: new tokens of several sequences, laid one after another."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from core_model.sparse_attention import BUDGET, SparseBudget

SINKS = 4
"""First positions of a sequence that a windowed request always sees (StreamingLLM, arXiv 2309.17453)."""


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
