"""The transformer over quantised weights in C++: a whole forward pass is one call (see docs/kernels.md)."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from core_model.batch import Batch
from core_model.checkpoint import Checkpoint
from core_model.kernels import library
from core_model.kernels.build import KernelsUnavailableError, build
from core_model.kernels.library import address
from core_model.kernels.packing import HEAD_BITS, PARTS, Progress, packed_weights, supports
from core_model.kv_cache import BLOCK, PRECISIONS, KVCache, SpanTree
from core_model.lora import MODULES, LoraAdapter, module_shape
from core_model.quantization import GROUP, module_bits
from core_model.sparse_attention import NEVER

FIRST_POSITIONS = 4096
"""Positions whose rotation is computed at the start; more when a sequence grows beyond."""


class FusedDecoder:
    """The decoder that serves: int4 or int8 weights, an int8 head, keys and values in bfloat16 or fewer bits.

    One forward pass runs at a time, on `threads` threads that sleep between passes.
    """

    cache_dtype = torch.bfloat16
    rows_alike = True

    def __init__(
        self,
        checkpoint: Checkpoint,
        weights: Literal["int4", "int8"],
        threads: int,
        home: Path,
        progress: Progress | None = None,
        backend: str | None = None,
        calibrated: bool = True,
    ) -> None:
        """Compile the kernels and pack the weights, unless `home` has both already.

        `calibrated=False` rounds int4 weights without the calibration text, which needs the tokenizer.
        `backend` forces "avx512-vnni", "avx2" or "portable". Raises KernelsUnavailableError.
        """
        self.config = checkpoint.config
        if not supports(self.config):
            raise KernelsUnavailableError(f"the kernels do not support the sizes of {self.config.name}")
        self._library = library.load(build(home / "kernels", backend))
        self.backend: str = self._library.duet_backend().decode()
        self._tensors = packed_weights(checkpoint, weights, home / "packed", progress, calibrated)
        self._weights = weights
        self._layers = (library.Layer * self.config.layers)(*map(self._layer, range(self.config.layers)))
        model = self._model()
        self._handle = ctypes.c_void_p(self._library.duet_create(ctypes.byref(model), threads))
        self._vocab_padded = model.head.tiles * 16
        self._adapters: dict[str, tuple[int, list[Tensor]]] = {}
        self._next_adapter = 0
        self._rotation = self._rotations(FIRST_POSITIONS)

    def __del__(self) -> None:
        if hasattr(self, "_handle"):
            self._library.duet_destroy(self._handle)

    def hidden(self, batch: Batch, cache: KVCache) -> Tensor:
        if cache.dtype != torch.bfloat16:
            raise ValueError(f"the fused decoder needs exact keys and values in bfloat16, not {cache.dtype}")
        if not len(batch.tokens):
            return torch.empty(0, self.config.hidden)
        while len(self._rotation[0]) <= int(batch.positions.max()):
            self._rotation = self._rotations(2 * len(self._rotation[0]))
        trees = _trees(batch, cache)
        adapters = [-1 if name is None else self._adapters[name][0] for name in batch.adapters]
        tensors = {
            "tokens": batch.tokens.int().contiguous(),
            "positions": batch.positions.int().contiguous(),
            "row_sequence": batch.sequences.int().contiguous(),
            "slots": batch.slots.int().contiguous(),
            "block_tables": batch.block_tables.int().contiguous(),
            "windows": batch.windows.int().contiguous(),
            "adapters": torch.tensor(adapters, dtype=torch.int32),
            "output_rows": batch.outputs.long().contiguous(),
            "cos": self._rotation[0],
            "sin": self._rotation[1],
            "seats": _seats(batch),
            "sparse_from": _sparse_from(batch),
            "trees": torch.tensor([0 if tree is None else tree.bounds.data_ptr() for tree in trees]),
            "capacities": _int32([0 if tree is None else tree.capacity for tree in trees]),
            "summarised": _int32([0 if tree is None else tree.summarised for tree in trees]),
        }
        fields = library.Batch(
            rows=len(batch.tokens),
            sequences=len(adapters),
            blocks_per_sequence=batch.block_tables.shape[1],
            outputs=len(batch.outputs),
            budget=library.SparseBudget(**vars(batch.budget)),
            cache=_cache(cache),
            **{name: address(tensor) for name, tensor in tensors.items()},
        )
        out = torch.empty(len(batch.outputs), self.config.hidden)
        self._library.duet_forward(self._handle, ctypes.byref(fields), address(out))
        for tree, summarised in zip(trees, tensors["summarised"].tolist(), strict=True):
            if tree is not None:
                tree.summarised = summarised
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        rows = hidden.float().contiguous()
        out = torch.empty(len(rows), self._vocab_padded)
        self._library.duet_logits(self._handle, address(rows), len(rows), address(out))
        return out[:, : self.config.vocab]

    def add_adapter(self, adapter: LoraAdapter) -> None:
        if adapter.name in self._adapters:
            self.remove_adapter(adapter.name)
        index = self._next_adapter
        self._next_adapter += 1
        kept = []
        for (layer, module), (a, b) in adapter.weights.items():
            outputs, inputs = module_shape(self.config, module)
            # The kernels add whole groups: gate and up have as many channels as the next product has inputs.
            pad_inputs, pad_outputs = -inputs % 16, -outputs % GROUP
            down = torch.nn.functional.pad(a.float(), (0, pad_inputs)).contiguous()
            up = torch.nn.functional.pad(b.float().T, (0, pad_outputs)).contiguous()
            kept += [down, up]
            self._library.duet_set_adapter(
                self._handle,
                index,
                layer,
                MODULES.index(module),
                a.shape[0],
                down.shape[1],
                up.shape[1],
                address(down),
                address(up),
            )
        self._adapters[adapter.name] = (index, kept)

    def remove_adapter(self, name: str) -> None:
        index, _ = self._adapters[name]
        self._library.duet_remove_adapter(self._handle, index)
        del self._adapters[name]

    def _rotations(self, positions: int) -> tuple[Tensor, Tensor]:
        """cos and sin of the first positions, each [positions, head_dim / 2]."""
        return self.config.rotations(torch.arange(positions, dtype=torch.float64))

    def _weight(self, name: str, bits: int) -> library.Weight:
        codes, scales = self._tensors[f"{name}.codes"], self._tensors[f"{name}.scales"]
        return library.Weight(
            codes=address(codes),
            scales=address(scales),
            bias=address(self._tensors.get(f"{name}.bias")),
            bits=bits,
            tiles=codes.shape[0],
            groups=codes.shape[1],
        )

    def _layer(self, index: int) -> library.Layer:
        name = f"layers.{index}"
        return library.Layer(
            *(
                self._weight(f"{name}.{part}", module_bits(self._weights, module))
                for part, module in PARTS.items()
            ),
            address(self._tensors[f"{name}.input_norm"]),
            address(self._tensors[f"{name}.post_attention_norm"]),
        )

    def _model(self) -> library.Model:
        config = self.config
        return library.Model(
            layers=config.layers,
            hidden=config.hidden,
            intermediate=config.intermediate,
            heads=config.heads,
            kv_heads=config.kv_heads,
            head_dim=config.head_dim,
            vocab=config.vocab,
            rms_eps=config.rms_eps,
            layer=self._layers,
            norm=address(self._tensors["norm"]),
            head=self._weight("head", HEAD_BITS),
            embedding=address(self._tensors["embedding.codes"]),
            embedding_scales=address(self._tensors["embedding.scales"]),
            embedding_groups=self._tensors["embedding.scales"].shape[1],
        )


def _cache(cache: KVCache) -> library.Cache:
    names = ["keys", "values"]
    if cache.precision != "bf16":
        names += ["key_scales", "value_scales", "tail_keys", "tail_values"]
    return library.Cache(
        form=PRECISIONS.index(cache.precision),
        seats=cache.seats,
        blocks=cache.blocks,
        **{name: address(getattr(cache, name)) for name in names},
    )


def _int32(values: list[int]) -> Tensor:
    return torch.tensor(values, dtype=torch.int32)


def _seats(batch: Batch) -> Tensor:
    count = len(batch.adapters)
    return torch.arange(count, dtype=torch.int32) if batch.seats is None else batch.seats.int().contiguous()


def _sparse_from(batch: Batch) -> Tensor:
    if batch.sparse_from is None:
        return torch.full((len(batch.adapters),), NEVER, dtype=torch.int32)
    return batch.sparse_from.int().contiguous()


def _trees(batch: Batch, cache: KVCache) -> list[SpanTree | None]:
    """The tree of each sequence that has a row which attends sparsely, as far as it is still true."""
    trees: list[SpanTree | None] = [None] * len(batch.adapters)
    if batch.sparse_from is None or int(batch.sparse_from.min()) > int(batch.positions.max()):
        return trees
    seats, sparse_from = _seats(batch).tolist(), batch.sparse_from.tolist()
    for sequence, seat in enumerate(seats):
        positions = batch.positions[batch.sequences == sequence].tolist()
        if not positions or positions[-1] < sparse_from[sequence]:
            continue
        if batch.budget.first_local(positions[-1]) - 1 > batch.budget.chosen:
            tree = trees[sequence] = cache.tree(seat, positions[-1] // BLOCK + 1)
            tree.summarised = min(tree.summarised, positions[0] // BLOCK)
    return trees
