"""Paged keys and values: memory in blocks of 16 positions that sequences own or share."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core_model.config import ModelConfig
from core_model.requests import Precision

BLOCK = 16
SINKS = 4
"""First positions of a sequence that a windowed request always sees (StreamingLLM, arXiv 2309.17453)."""
"""Of keys and values: as they are, in 8 bits, or keys in 8 and values in 4 (KIVI, arXiv 2402.02750)."""
PRECISIONS: tuple[Precision, ...] = ("bf16", "int8", "int4")
_SCALE8_BASE = 112 << 23  # the exponent of the smallest 8-bit scale, 2^-15
_SMALLEST_SCALE = 1e-20


@dataclass
class SpanTree:
    """Bounds of a running sequence's keys, which the kernels choose blocks by (see sparse_attention)."""

    bounds: Tensor  # bf16 [layers, kv_heads, groups, head_dim, 2 (minimum, maximum), 16]
    capacity: int  # blocks that it has room for
    summarised: int = 0  # blocks that it holds


class KVCache:
    """The storage that a decoder reads and writes; who owns which block is the block manager's business.

    Keys lie transposed inside a block, so that one instruction scores 16 positions:
    keys   [layers, blocks, kv_heads, head_dim, BLOCK]  (rotated by their absolute position)
    values [layers, blocks, kv_heads, BLOCK, head_dim]

    In 8 bits, keys have a scale for each channel of a block and values one for each position (4 bits: and a
    minimum). A block is rounded when it is full; until then it is exact and lies in a tail of its sequence,
    of which each seat has two in turn, so that a block can be reopened when its last tokens are taken back.
    """

    def __init__(
        self,
        config: ModelConfig,
        blocks: int,
        dtype: torch.dtype = torch.bfloat16,
        precision: Precision = "bf16",
        seats: int = 16,
    ) -> None:
        """`dtype` is that of exact keys and values; `seats` is how many sequences run at once."""
        self.blocks = blocks
        self.dtype = dtype
        self.precision = precision
        self.seats = seats
        self._trees: dict[int, SpanTree] = {}
        self._tree_shape = (config.layers, config.kv_heads, config.head_dim)
        # Zeros, not garbage: a masked position is still multiplied by its weight of 0.
        layers, heads, width = config.layers, config.kv_heads, config.head_dim

        def blank(count: int, *shape: int, dtype: torch.dtype = dtype) -> Tensor:
            return torch.zeros(layers, count, heads, *shape, dtype=dtype)

        if precision == "bf16":
            self.keys = blank(blocks, width, BLOCK)
            self.values = blank(blocks, BLOCK, width)
            return
        four = precision == "int4"
        self.keys = blank(blocks, width, BLOCK, dtype=torch.int8)
        self.key_scales = blank(blocks, width, dtype=torch.uint8)
        self.values = (
            blank(blocks, BLOCK, width // 2, dtype=torch.uint8)
            if four
            else blank(blocks, BLOCK, width, dtype=torch.int8)
        )
        self.value_scales = blank(blocks, 2 if four else 1, BLOCK, dtype=torch.bfloat16)
        self.tail_keys = blank(2 * seats, width, BLOCK)
        self.tail_values = blank(2 * seats, BLOCK, width)

    @property
    def nbytes(self) -> int:
        """Of all blocks, without tails and trees, which do not grow with the number of blocks."""
        parts = [self.keys, self.values]
        if self.precision != "bf16":
            parts += [self.key_scales, self.value_scales]
        return sum(part.nbytes for part in parts)

    @property
    def tree_nbytes(self) -> int:
        """Of a tree over as many blocks as there are."""
        layers, heads, width = self._tree_shape
        return layers * heads * _groups(self.blocks) * width * 2 * BLOCK * torch.bfloat16.itemsize

    def tree(self, seat: int, blocks: int) -> SpanTree:
        """The tree of the sequence on that seat, with room for `blocks`; one that is too small begins anew."""
        tree = self._trees.get(seat)
        if tree is None or tree.capacity < blocks:
            layers, heads, width = self._tree_shape
            capacity = min(self.blocks, 1 << (blocks - 1).bit_length())
            capacity = max(capacity, blocks)
            shape = (layers, heads, _groups(capacity), width, 2, BLOCK)
            tree = SpanTree(torch.zeros(shape, dtype=torch.bfloat16), capacity)
            self._trees[seat] = tree
        return tree

    def vacate(self, seat: int) -> None:
        """Forget what belonged to the sequence that left this seat."""
        self._trees.pop(seat, None)

    def write(
        self, layer: int, table: Tensor, seat: int, positions: Tensor, keys: Tensor, values: Tensor
    ) -> None:
        """One sequence's new keys and values, [t, kv_heads, head_dim], at ascending `positions` [t]."""
        index, offsets = positions // BLOCK, positions % BLOCK
        if self.precision == "bf16":
            self.keys[layer][table[index], :, :, offsets] = keys.to(self.dtype)
            self.values[layer][table[index], :, offsets] = values.to(self.dtype)
            return
        for block in index.unique().tolist():
            rows, tail = index == block, 2 * seat + block % 2
            self.tail_keys[layer, tail][:, :, offsets[rows]] = keys[rows].permute(1, 2, 0).to(self.dtype)
            self.tail_values[layer, tail][:, offsets[rows]] = values[rows].transpose(0, 1).to(self.dtype)
            if int(offsets[rows][-1]) == BLOCK - 1:
                self._round(layer, int(table[block]), tail)

    def read(self, layer: int, table: Tensor, seat: int, length: int) -> tuple[Tensor, Tensor]:
        """Keys and values of one sequence's first `length` positions, float32 [kv_heads, length, head_dim].

        Blocks that slid out of the window are -1 in `table`: what is read there is arbitrary.
        """
        places = table[: -(-length // BLOCK)].clamp(min=0)
        keys, values = self.keys[layer][places].float(), self.values[layer][places]
        if self.precision == "bf16":
            values = values.float()
        else:
            keys *= from_scale8(self.key_scales[layer][places])[..., None]
            scales = self.value_scales[layer][places].float()[..., None]
            if self.precision == "int4":
                values = torch.cat([values & 15, values >> 4], -1).unflatten(-1, (2, -1, BLOCK // 2))
                values = values.transpose(-3, -2).flatten(-3) * scales[:, :, 0] + scales[:, :, 1]
            else:
                values = values * scales[:, :, 0]
            if length % BLOCK:
                tail = 2 * seat + length // BLOCK % 2
                keys[-1], values[-1] = self.tail_keys[layer, tail], self.tail_values[layer, tail]
        keys = keys.permute(1, 0, 3, 2).flatten(1, 2)[:, :length]
        return keys, values.transpose(0, 1).flatten(1, 2)[:, :length]

    def _round(self, layer: int, block: int, tail: int) -> None:
        keys, values = self.tail_keys[layer, tail].float(), self.tail_values[layer, tail].float()
        codes = to_scale8(keys.abs().amax(-1) / 127)  # [kv_heads, head_dim]
        self.key_scales[layer, block] = codes
        self.keys[layer, block] = (keys / from_scale8(codes)[..., None]).round().to(torch.int8)
        if self.precision == "int8":
            scale = (values.abs().amax(-1) / 127).clamp(min=_SMALLEST_SCALE).bfloat16()  # [kv_heads, BLOCK]
            self.value_scales[layer, block, :, 0] = scale
            codes = (values / scale.float()[..., None]).clamp(-127, 127).round()
            self.values[layer, block] = codes.to(torch.int8)
            return
        lowest = values.amin(-1).bfloat16()
        scale = ((values.amax(-1) - lowest.float()) / 15).clamp(min=_SMALLEST_SCALE).bfloat16()
        self.value_scales[layer, block, :, 0], self.value_scales[layer, block, :, 1] = scale, lowest
        codes = (values - lowest.float()[..., None]) / scale.float()[..., None]
        # Channel i of 16 in the low half of byte i, channel i + 8 in its high half.
        halves = codes.clamp(0, 15).round().to(torch.uint8).unflatten(-1, (-1, 2, BLOCK // 2))
        self.values[layer, block] = (halves[..., 0, :] | halves[..., 1, :] << 4).flatten(-2)


def to_scale8(values: Tensor) -> Tensor:
    """The smallest scales of 8 bits (5 of exponent, 3 of mantissa, no sign) that are not below `values`."""
    codes = (values.float().contiguous().view(torch.int32) - _SCALE8_BASE + (1 << 20) - 1) >> 20
    return codes.clamp(0, 255).to(torch.uint8)


def from_scale8(codes: Tensor) -> Tensor:
    """What scales of 8 bits stand for, float32."""
    return ((codes.to(torch.int32) << 20) + _SCALE8_BASE).view(torch.float32)


def _groups(blocks: int) -> int:
    """Groups of 16 siblings on all levels of a tree over so many blocks."""
    total, nodes = 0, blocks
    while total == 0 or nodes > 1:
        nodes = -(-nodes // BLOCK)
        total += nodes
    return total
