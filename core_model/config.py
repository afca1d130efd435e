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
    biases: tuple[str, ...]  # linear modules that have one ("q_proj", …)
    tied_head: bool
    rope_factors: tuple[
        float, ...
    ] = ()  # divisors of the rotary frequencies (see rope_scaling); empty: all 1
    rope_attention: float = 1.0  # multiplies cos and sin (YaRN, LongRoPE)

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

    def rotations(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """cos and sin of `positions` [T] float64, each [T, head_dim / 2] float32.

        Computed in float64 so that far positions stay exact.
        """
        angles = torch.outer(positions, self.inverse_frequencies())
        cos, sin = angles.cos() * self.rope_attention, angles.sin() * self.rope_attention
        return cos.float(), sin.float()
