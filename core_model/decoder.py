"""The transformer in plain torch: the reference for the kernels, and the fall-back without a compiler.

Llama and Qwen2 (arXiv 2302.13971, 2407.10671): RMSNorm, rotary positions, grouped-query attention, SwiGLU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from core_model.batch import Batch
from core_model.checkpoint import Checkpoint
from core_model.config import ModelConfig
from core_model.kv_cache import BLOCK, SINKS, KVCache
from core_model.lora import MODULES, LoraAdapter
from core_model.sparse_attention import SparseBudget, span_bounds, visible_blocks
from core_model.tensors import NORMS, linear_name


class Decoder(Protocol):
    """What the engine needs of a transformer."""

    config: ModelConfig
    cache_dtype: torch.dtype
    rows_alike: bool
    """Whether a row's result has the same bits whichever rows are computed beside it."""

    def hidden(self, batch: Batch, cache: KVCache) -> Tensor:
        """[R, hidden] float32 after the final norm, for the rows in `batch.outputs`; fills `cache`."""

    def logits(self, hidden: Tensor) -> Tensor:
        """[R, hidden] → [R, vocab] float32."""

    def add_adapter(self, adapter: LoraAdapter) -> None:
        """Make the adapter known under its name, replacing an earlier one of that name."""

    def remove_adapter(self, name: str) -> None:
        """Forget the adapter. Raises KeyError if there is none of that name."""


Transform = Callable[[str, Tensor], Tensor]


class TorchDecoder:
    """The reference decoder. Weights stay in `dtype`; norms, rotation and softmax are float32."""

    rows_alike = False  # matrix products of other sizes sum in another order

    def __init__(
        self, checkpoint: Checkpoint, dtype: torch.dtype = torch.float32, transform: Transform | None = None
    ) -> None:
        """`transform(name, weight)` may change linear weights at load, for example round them to 4 bits."""
        self.config = checkpoint.config
        self.cache_dtype = dtype
        self._dtype = dtype
        self._adapters: dict[str, LoraAdapter] = {}

        def load(name: str) -> Tensor:
            weight = checkpoint.tensor(name)
            return (transform(name, weight) if transform and weight.dim() == 2 else weight).to(dtype)

        self._embedding = load("model.embed_tokens.weight")
        self._head = self._embedding if self.config.tied_head else load("lm_head.weight")
        self._norm = checkpoint.tensor("model.norm.weight")
        self._layers = [self._load_layer(checkpoint, load, layer) for layer in range(self.config.layers)]

    def _load_layer(
        self, checkpoint: Checkpoint, load: Callable[[str], Tensor], layer: int
    ) -> dict[str, Tensor]:
        weights = {}
        for module in MODULES:
            name = linear_name(layer, module)
            weights[module] = load(f"{name}.weight")
            if checkpoint.has(f"{name}.bias"):
                weights[f"{module}.bias"] = load(f"{name}.bias")
        for norm in NORMS:
            weights[norm] = checkpoint.tensor(f"model.layers.{layer}.{norm}.weight")
        return weights

    def add_adapter(self, adapter: LoraAdapter) -> None:
        self._adapters[adapter.name] = adapter

    def remove_adapter(self, name: str) -> None:
        del self._adapters[name]

    @torch.inference_mode()
    def hidden(self, batch: Batch, cache: KVCache) -> Tensor:
        config = self.config
        spans = _spans(batch)
        x = self._embedding[batch.tokens.long()].float()  # [T, hidden]
        positions = batch.positions.double()
        windows = batch.windows[batch.sequences.long()]
        clipped = torch.where(windows > 0, torch.minimum(batch.positions, windows - 1), batch.positions)
        rotation = rotations(positions, config)
        sink_rotation = rotations(clipped.double(), config)
        for layer, weights in enumerate(self._layers):
            h = rms_norm(x, weights["input_layernorm"], config.rms_eps)
            q = self._linear(h, layer, "q_proj", batch, spans).view(-1, config.heads, config.head_dim)
            k = self._linear(h, layer, "k_proj", batch, spans).view(-1, config.kv_heads, config.head_dim)
            v = self._linear(h, layer, "v_proj", batch, spans).view(-1, config.kv_heads, config.head_dim)
            k = rotate(k, rotation)
            for sequence, span in enumerate(spans):
                _write(k[span], v[span], batch, sequence, span, cache, layer)
            near, far = rotate(q, rotation), rotate(q, sink_rotation)
            attended = torch.cat(
                [
                    _attend(near[span], far[span], batch, sequence, span, cache, layer)
                    for sequence, span in enumerate(spans)
                ]
            )
            x = x + self._linear(attended, layer, "o_proj", batch, spans)
            h = rms_norm(x, weights["post_attention_layernorm"], config.rms_eps)
            gate = self._linear(h, layer, "gate_proj", batch, spans)
            up = self._linear(h, layer, "up_proj", batch, spans)
            x = x + self._linear(F.silu(gate) * up, layer, "down_proj", batch, spans)
        return rms_norm(x[batch.outputs], self._norm, config.rms_eps)

    @torch.inference_mode()
    def logits(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden.to(self._dtype), self._head).float()

    def _linear(self, x: Tensor, layer: int, module: str, batch: Batch, spans: list[slice]) -> Tensor:
        weights = self._layers[layer]
        y = F.linear(x.to(self._dtype), weights[module], weights.get(f"{module}.bias")).float()
        for name, span in zip(batch.adapters, spans, strict=True):
            pair = self._adapters[name].weights.get((layer, module)) if name is not None else None
            if pair is not None:
                y[span] += (x[span] @ pair[0].T) @ pair[1].T
        return y


def _spans(batch: Batch) -> list[slice]:
    """Where each sequence's tokens lie in the batch."""
    counts = torch.bincount(batch.sequences.long(), minlength=len(batch.adapters)).tolist()
    spans, start = [], 0
    for count in counts:
        spans.append(slice(start, start + count))
        start += count
    return spans


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


def rotations(positions: Tensor, config: ModelConfig) -> tuple[Tensor, Tensor]:
    """cos and sin of `positions` [T] float64, each [T, 1, head_dim] float32."""
    cos, sin = config.rotations(positions)
    return torch.cat([cos, cos], -1)[:, None, :], torch.cat([sin, sin], -1)[:, None, :]


def rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate the halves of each head, [T, heads, head_dim]."""
    first, second = x.chunk(2, -1)
    return x * rotation[0] + torch.cat([-second, first], -1) * rotation[1]


def _write(
    keys: Tensor, values: Tensor, batch: Batch, sequence: int, span: slice, cache: KVCache, layer: int
) -> None:
    """Put one sequence's new keys and values, [t, kv_heads, head_dim], where the batch says."""
    if not len(keys):
        return
    positions = batch.positions[span].long()
    table = batch.block_tables[sequence].long().clone()
    table[positions // BLOCK] = batch.slots[span].long() // BLOCK
    cache.write(layer, table, _seat(batch, sequence), positions, keys, values)


def _seat(batch: Batch, sequence: int) -> int:
    return sequence if batch.seats is None else int(batch.seats[sequence])


def _attend(
    near: Tensor, far: Tensor, batch: Batch, sequence: int, span: slice, cache: KVCache, layer: int
) -> Tensor:
    """Attention of one sequence's new tokens over its blocks, [t, heads, head_dim] → [t, heads * head_dim].

    `near` is rotated by the true position, `far` by the position that sinks are seen from (see Batch).
    """
    positions = batch.positions[span].long()
    length = int(positions[-1]) + 1
    window = int(batch.windows[sequence])
    table = batch.block_tables[sequence, : (length + BLOCK - 1) // BLOCK].long()
    keys, values = cache.read(layer, table, _seat(batch, sequence), length)
    others = torch.arange(length)
    visible = others[None, :] <= positions[:, None]  # [t, length]
    sinks = others[None, :] < SINKS
    if window:
        visible &= sinks | (positions[:, None] - others[None, :] < window - SINKS)
    group = near.shape[1] // keys.shape[0]
    seen = visible
    if batch.sparse_from is not None and length > batch.sparse_from[sequence]:
        seen = _sparse_mask(near, keys, positions, visible, int(batch.sparse_from[sequence]), batch.budget)
    keys, values = keys.repeat_interleave(group, 0), values.repeat_interleave(group, 0)
    scores = torch.einsum("thd,hkd->htk", near, keys)
    if window:
        scores = torch.where(sinks, torch.einsum("thd,hkd->htk", far, keys), scores)
    scores = (scores / near.shape[2] ** 0.5).masked_fill(~seen, float("-inf"))
    hidden_values = torch.where((table.repeat_interleave(BLOCK)[:length] >= 0)[None, :, None], values, 0.0)
    return torch.einsum("htk,hkd->thd", scores.softmax(-1), hidden_values).flatten(1)


def _sparse_mask(
    queries: Tensor, keys: Tensor, positions: Tensor, visible: Tensor, sparse_from: int, budget: SparseBudget
) -> Tensor:
    """Which positions each row and head sees, [heads, t, length]; rows before `sparse_from` see what is visible."""
    kv_heads, group = len(keys), queries.shape[1] // len(keys)
    mask = visible.repeat(queries.shape[1], 1, 1)
    scaled = queries / queries.shape[2] ** 0.5
    for head in range(kv_heads):
        bounds, own = span_bounds(keys[head]), slice(head * group, (head + 1) * group)
        for row, position in enumerate(positions.tolist()):
            if position < sparse_from:
                continue
            blocks = visible_blocks(scaled[row, own], keys[head], bounds, position, budget)
            seen = torch.zeros(-(-mask.shape[2] // BLOCK), dtype=torch.bool)
            seen[blocks] = True
            mask[own, row] &= seen.repeat_interleave(BLOCK)[: mask.shape[2]]
    return mask
