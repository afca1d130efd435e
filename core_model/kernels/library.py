"""The compiled kernels as Python sees them: C structures and functions."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_float, c_int32, c_int64, c_void_p
from pathlib import Path

import torch
from torch import Tensor

from core_model.kernels.build import KernelsUnavailableError


class Weight(Structure):
    """kernels/linear.h: Weight."""

    _fields_ = (
        ("codes", c_void_p),
        ("scales", c_void_p),
        ("bias", c_void_p),
        ("bits", c_int32),
        ("tiles", c_int32),
        ("groups", c_int32),
    )


class Layer(Structure):
    """kernels/model.h: Layer."""

    _fields_ = (
        ("qkv", Weight),
        ("output", Weight),
        ("gate_up", Weight),
        ("down", Weight),
        ("input_norm", c_void_p),
        ("post_attention_norm", c_void_p),
    )


class Model(Structure):
    """kernels/model.h: Model."""

    _fields_ = (
        *(
            (name, c_int32)
            for name in ("layers", "hidden", "intermediate", "heads", "kv_heads", "head_dim", "vocab")
        ),
        ("rms_eps", c_float),
        ("layer", POINTER(Layer)),
        ("norm", c_void_p),
        ("head", Weight),
        ("embedding", c_void_p),
        ("embedding_scales", c_void_p),
        ("embedding_groups", c_int32),
    )


class Cache(Structure):
    """kernels/model.h: Cache."""

    _fields_ = (
        ("form", c_int32),
        ("seats", c_int32),
        ("blocks", c_int64),
        *(
            (name, c_void_p)
            for name in ("keys", "values", "key_scales", "value_scales", "tail_keys", "tail_values")
        ),
    )


class SparseBudget(Structure):
    """kernels/model.h: SparseBudget."""

    _fields_ = (
        *((name, c_int32) for name in ("local", "chosen", "beam", "channels")),
        ("spread", c_float),
    )


class Batch(Structure):
    """kernels/model.h: Batch."""

    _fields_ = (
        *((name, c_int32) for name in ("rows", "sequences", "blocks_per_sequence", "outputs")),
        *(
            (name, c_void_p)
            for name in (
                "tokens",
                "positions",
                "row_sequence",
                "slots",
                "block_tables",
                "windows",
                "adapters",
                "output_rows",
                "cos",
                "sin",
                "seats",
                "sparse_from",
                "trees",
                "capacities",
                "summarised",
            )
        ),
        ("budget", SparseBudget),
        ("cache", Cache),
    )


def load(path: Path) -> ctypes.CDLL:
    """Open the library and declare its functions. Raises KernelsUnavailableError."""
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise KernelsUnavailableError(
            f"{path} cannot be loaded ({error}); delete it to have it rebuilt"
        ) from error
    library.duet_backend.restype = c_char_p
    library.duet_create.restype = c_void_p
    library.duet_create.argtypes = [POINTER(Model), c_int32]
    library.duet_destroy.argtypes = [c_void_p]
    library.duet_forward.argtypes = [c_void_p, POINTER(Batch), c_void_p]
    library.duet_logits.argtypes = [c_void_p, c_void_p, c_int32, c_void_p]
    library.duet_set_adapter.argtypes = [c_void_p, *[c_int32] * 6, c_void_p, c_void_p]
    library.duet_remove_adapter.argtypes = [c_void_p, c_int32]
    for name in ("duet_destroy", "duet_forward", "duet_logits", "duet_set_adapter", "duet_remove_adapter"):
        getattr(library, name).restype = None
    return library


def address(tensor: Tensor | None, dtype: torch.dtype | None = None) -> int | None:
    """Where the numbers of a contiguous tensor lie; the caller keeps the tensor alive."""
    if tensor is None:
        return None
    if not tensor.is_contiguous() or (dtype is not None and tensor.dtype != dtype):
        raise ValueError(
            f"the kernels need a contiguous {dtype} tensor, not {tensor.dtype} {tensor.stride()}"
        )
    return tensor.data_ptr()
