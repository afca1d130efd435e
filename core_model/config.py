"""The shape of a decoder: what a checkpoint's header says about it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ModelConfig:
    """Llama and Qwen2 families: RMSNorm, rotary positions, grouped-query attention, SwiGLU."""

    name: str
    family: str  # "llama" or "qwen2"
    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    context: int  # tokens the model was trained for
    rope_theta: float
    rms_eps: float
    qkv_bias: bool
    tied_head: bool
    rope_factors: tuple[float, ...] = ()  # divisors of the rotary frequencies (Llama 3.1); empty: all 1

    @property
    def group(self) -> int:
        """Query heads that share one key/value head."""
        return self.heads // self.kv_heads

    def inverse_frequencies(self) -> Tensor:
        """Rotary frequencies, [head_dim / 2] float64 (RoPE, arXiv 2104.09864)."""
        exponents = torch.arange(0, self.head_dim, 2, dtype=torch.float64) / self.head_dim
        frequencies = self.rope_theta**-exponents
        if self.rope_factors:
            frequencies = frequencies / torch.tensor(self.rope_factors, dtype=torch.float64)
        return frequencies
