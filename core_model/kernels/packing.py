"""A checkpoint's weights in the kernels' layout: quantised once into a file, memory-mapped afterwards.

What is quantised goes to the file at once, so that no more than a layer of it is in memory.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from core_model.calibration import calibrated_layers
from core_model.checkpoint import Checkpoint
from core_model.config import ModelConfig
from core_model.kernels.build import KernelsUnavailableError
from core_model.lora import MODULES, module_shape
from core_model.quantization import GROUP, QuantizedWeight, module_bits, pack, quantize
from core_model.tensors import linear_name

FORMAT_VERSION = 4
ALIGNMENT = 64
"""Bytes; the kernels read whole cache lines."""

HEAD_BITS = 8

PARTS = {"qkv": "q_proj", "output": "o_proj", "gate_up": "gate_proj", "down": "down_proj"}
"""The packed weights of a layer, and a module of each: those of one part have the same bits."""

Progress = Callable[[int, int], None]
"""Called with the number of layers that are quantised and of all."""

_DTYPES = {"U8": torch.uint8, "I8": torch.int8, "F16": torch.float16, "F32": torch.float32}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_HEADER_BYTES = 1 << 18
"""Room for the header, which is written last: some 100 bytes for each of a model's tensors."""


def packed_weights(
    checkpoint: Checkpoint,
    weights: str,
    folder: Path,
    progress: Progress | None = None,
    calibrated: bool = True,
) -> dict[str, Tensor]:
    """The packed tensors of a model with "int4" or "int8" weights, from `folder` if they were packed before.

    4 bits are calibrated (see `calibration`), or each weight is rounded by itself: without a tokenizer.

    Names: layers.{i}.{qkv,output,gate_up,down}.{codes,scales} and, where there is one, .bias, the norms,
    norm, head.{codes,scales}, embedding.{codes,scales}.
    """
    path = packed_path(checkpoint, weights, folder, calibrated)
    if not path.is_file():
        pack_file(checkpoint, weights, path, progress, calibrated)
    return _read(path)


def packed_path(checkpoint: Checkpoint, weights: str, folder: Path, calibrated: bool = True) -> Path:
    """Where the packed tensors are kept."""
    kind = f"{weights}-calibrated" if _calibrates(weights, calibrated) else weights
    return folder / f"{checkpoint.fingerprint}-{kind}-{FORMAT_VERSION}.safetensors"


def pack_file(
    checkpoint: Checkpoint,
    weights: str,
    path: Path,
    progress: Progress | None = None,
    calibrated: bool = True,
) -> None:
    """Write the packed tensors to `path`, atomically. Raises KernelsUnavailableError where they cannot be kept."""
    total = checkpoint.config.layers + 2
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            writer = _Writer(file)
            parts = _parts(checkpoint, weights, _calibrates(weights, calibrated))
            for done, part in enumerate(parts, start=1):
                writer.add(part)
                if progress:
                    progress(done, total)
            writer.finish()
        partial.replace(path)
    except OSError as error:
        raise KernelsUnavailableError(
            f"the packed weights cannot be kept in {path.parent} ({error}); make room there, or set DUET_HOME"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _calibrates(weights: str, wanted: bool) -> bool:
    return wanted and weights == "int4"  # what 8 bits lose is not worth the time


def _parts(checkpoint: Checkpoint, weights: str, calibrated: bool) -> Iterator[dict[str, Tensor]]:
    """The embedding, the layers, the head: what is packed at once."""
    config = checkpoint.config
    embedding = quantize(checkpoint.tensor("model.embed_tokens.weight"), 8)
    signed = (embedding.codes ^ 128).view(torch.int8)
    yield {"embedding.codes": signed, "embedding.scales": embedding.scales}
    layers = calibrated_layers(checkpoint) if calibrated else _plain_layers(checkpoint, weights)
    for index, rounded in enumerate(layers):
        layer = _layer(checkpoint, index, rounded)
        yield {f"layers.{index}.{name}": tensor for name, tensor in layer.items()}
    head = "model.embed_tokens.weight" if config.tied_head else "lm_head.weight"
    yield {
        "norm": checkpoint.tensor("model.norm.weight"),
        **_linear("head", quantize(checkpoint.tensor(head), HEAD_BITS)),
    }


def _plain_layers(checkpoint: Checkpoint, weights: str) -> Iterator[dict[str, QuantizedWeight]]:
    for index in range(checkpoint.config.layers):
        yield {
            module: quantize(
                checkpoint.tensor(f"{linear_name(index, module)}.weight"), module_bits(weights, module)
            )
            for module in MODULES
        }


def _layer(checkpoint: Checkpoint, index: int, rounded: dict[str, QuantizedWeight]) -> dict[str, Tensor]:
    def tensor(name: str) -> Tensor:
        return checkpoint.tensor(f"model.layers.{index}.{name}")

    qkv = [f"{name}_proj" for name in "qkv"]
    tensors = {
        **_linear("qkv", _rows_of(torch.cat, [rounded[name] for name in qkv])),
        **_linear("output", rounded["o_proj"]),
        **_linear("gate_up", _rows_of(interleave, [rounded["gate_proj"], rounded["up_proj"]])),
        **_linear("down", rounded["down_proj"]),
        "input_norm": tensor("input_layernorm.weight"),
        "post_attention_norm": tensor("post_attention_layernorm.weight"),
    }
    biases = {module: _bias(checkpoint, index, module) for module in MODULES}
    joined = {
        "qkv": torch.cat([biases[name] for name in qkv]),
        "output": biases["o_proj"],
        "gate_up": interleave([biases["gate_proj"][:, None], biases["up_proj"][:, None]]).flatten(),
        "down": biases["down_proj"],
    }
    return tensors | {f"{part}.bias": bias for part, bias in joined.items() if bias.any()}


def _bias(checkpoint: Checkpoint, layer: int, module: str) -> Tensor:
    """[outputs] float32; zeros for a module without."""
    if module in checkpoint.config.biases:
        return checkpoint.tensor(f"{linear_name(layer, module)}.bias")
    return torch.zeros(module_shape(checkpoint.config, module)[0])


def _linear(name: str, weight: QuantizedWeight) -> dict[str, Tensor]:
    codes, scales = pack(weight)
    return {f"{name}.codes": codes, f"{name}.scales": scales}


def _rows_of(join: Callable[[list[Tensor]], Tensor], weights: list[QuantizedWeight]) -> QuantizedWeight:
    """One weight with the output channels of several, in the order in which `join` puts rows."""
    first = weights[0]
    minimums = [weight.minimums for weight in weights if weight.minimums is not None]
    return QuantizedWeight(
        first.bits,
        first.inputs,
        join([weight.codes for weight in weights]),
        join([weight.scales for weight in weights]),
        join(minimums) if minimums else None,
    )


def interleave(gate_and_up: list[Tensor]) -> Tensor:
    """64 rows of gate, 64 rows of up, and so on: what fills one group of the next product."""
    padding = (0, 0, 0, -gate_and_up[0].shape[0] % GROUP)
    pair = [
        torch.nn.functional.pad(weight, padding).view(-1, GROUP, weight.shape[1]) for weight in gate_and_up
    ]
    return torch.stack(pair, 1).flatten(0, 2)


def supports(config: ModelConfig) -> bool:
    """Whether the kernels' vectors fit the model's sizes."""
    return config.hidden % 16 == 0 and config.head_dim % 32 == 0 and config.group <= 32


class _Writer:
    """A safetensors file whose tensors begin at multiples of ALIGNMENT, written as they come."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._header: dict[str, Any] = {}
        self._offset = 0
        file.seek(_HEADER_BYTES)

    def add(self, tensors: dict[str, Tensor]) -> None:
        for name, tensor in tensors.items():
            self._entry(name, _NAMES[tensor.dtype], list(tensor.shape), tensor.nbytes)
            self._file.write(tensor.contiguous().numpy().data)
            if gap := -tensor.nbytes % ALIGNMENT:
                # safetensors forbids gaps between tensors, so the gap is a tensor too.
                self._entry(f"padding.{self._offset}", "U8", [gap], gap)
                self._file.write(bytes(gap))

    def finish(self) -> None:
        """Write the header, padded with spaces."""
        encoded = json.dumps(self._header).encode().ljust(_HEADER_BYTES - 8)
        if len(encoded) > _HEADER_BYTES - 8:
            raise ValueError(f"{len(self._header)} tensors need a larger header than {_HEADER_BYTES} bytes")
        self._file.seek(0)
        self._file.write(len(encoded).to_bytes(8, "little") + encoded)

    def _entry(self, name: str, dtype: str, shape: list[int], size: int) -> None:
        offsets = [self._offset, self._offset + size]
        self._header[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
        self._offset += size


def _read(path: Path) -> dict[str, Tensor]:
    """Map the file; only the pages that are used become resident."""
    with path.open("rb") as file:
        # Copy-on-write, since torch has no read-only tensors.
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    length = int.from_bytes(mapping[:8], "little")
    header = json.loads(mapping[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype = _DTYPES[entry["dtype"]]
        count = (end - begin) // dtype.itemsize
        values = torch.frombuffer(mapping, dtype=dtype, count=count, offset=8 + length + begin)
        tensors[name] = values.view(entry["shape"])
    return tensors
