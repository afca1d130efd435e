"""Paged keys and values: memory in blocks of 16 positions that sequences own or share."""

from __future__ import annotations

import torch
from torch import Tensor

from core_model.config import ModelConfig

BLOCK = 16

SINKS = 4
"""First positions of a sequence that a windowed request always sees (StreamingLLM, arXiv 2309.17453)."""


class KVCache:
    """The storage that a decoder reads and writes; who owns which block is the block manager's business.

    Keys lie transposed inside a block, so that one instruction scores 16 positions:
    keys   [layers, blocks, kv_heads, head_dim, BLOCK]  (rotated by their absolute position)
    values [layers, blocks, kv_heads, BLOCK, head_dim]
    """

    def __init__(self, config: ModelConfig, blocks: int, dtype: torch.dtype = torch.bfloat16) -> None:
        self.blocks = blocks
        self.dtype = dtype
        shape = (config.layers, blocks, config.kv_heads)
        # Zeros, not garbage: a masked position is still multiplied by its weight of 0.
        self.keys: Tensor = torch.zeros(*shape, config.head_dim, BLOCK, dtype=dtype)
        self.values: Tensor = torch.zeros(*shape, BLOCK, config.head_dim, dtype=dtype)
