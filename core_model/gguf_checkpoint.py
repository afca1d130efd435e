"""Reads GGUF files (github.com/ggml-org/ggml/blob/master/docs/gguf.md) with the `gguf` package."""

from __future__ import annotations

import dataclasses
import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core_model.checkpoint import fingerprint
from core_model.config import ModelConfig
from core_model.errors import CheckpointError
from core_model.gguf_parts import open_parts, parts_of
from core_model.lora import MODULES as LINEAR
from core_model.rope_scaling import rope_scaling
from core_model.tensors import check_tensors, linear_name
from core_model.tokenizer_spec import TokenizerSpec

FAMILIES = {"llama": "llama", "qwen2": "qwen2"}
MODULES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
TOP = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
GGUF_MODULES = {hf: gguf for gguf, hf in MODULES.items()}
HF_NAMES = {gguf: hf for hf, gguf in TOP.items()}
ROPE_FREQUENCIES = "rope_freqs.weight"
HEADER_VERSION = 2
DEQUANTIZED_AT_ONCE = 1 << 22
"""Numbers: 16 MiB of float32."""

_SCALES = ("attention.scale", "embedding_scale", "logit_scale", "residual_scale")
_UNSUPPORTED = ("attention.sliding_window", "attention.clamp_kqv", "expert_count", *_SCALES)
"""Header fields that change the arithmetic where they are not 0."""
_SCALING = {
    "factor": "factor",
    "original_context_length": "original_max_position_embeddings",
    "yarn_beta_fast": "beta_fast",
    "yarn_beta_slow": "beta_slow",
}
"""llama.cpp's names of rope.scaling's numbers, and transformers'."""
_NO_NUMBERS = ("type", "finetuned")


class GGUFCheckpoint:
    """A GGUF file, or all parts of a split one. Its parsed header is cached: the vocabulary takes seconds."""

    def __init__(self, path: Path, cache: Path | None = None) -> None:
        self._parts = parts_of(path)
        self._path = self._parts[0]
        self.fingerprint = fingerprint(self._parts)
        header = self._cached_header(cache)
        lists = ("rope_factors", "biases")  # JSON has no tuples
        config = header["config"]
        self.config = ModelConfig(**{**config, **{name: tuple(config[name]) for name in lists}})
        self.tokenizer = TokenizerSpec(**header["tokenizer"])

    def has(self, name: str) -> bool:
        return _gguf_name(name) in self._tensors

    def tensor(self, name: str) -> Tensor:
        stored = self._tensors.get(_gguf_name(name))
        if stored is None:
            raise CheckpointError(f"{self._path} has no tensor {name} ({_gguf_name(name)})")
        try:
            values = _dequantized(stored)
        except NotImplementedError as error:
            raise CheckpointError(
                f"{self._path}: {stored.name} is stored in {stored.tensor_type.name}, which is not read"
            ) from error
        module = name.split(".")[-2]
        if self.config.family == "llama" and module in ("q_proj", "k_proj"):
            values = _unpermute(values, self.config.heads if module == "q_proj" else self.config.kv_heads)
        return values

    @cached_property
    def _readers(self) -> list[Any]:
        return open_parts(self._parts)

    @cached_property
    def _tensors(self) -> dict[str, Any]:
        return {tensor.name: tensor for reader in self._readers for tensor in reader.tensors}

    def _cached_header(self, cache: Path | None) -> dict[str, Any]:
        stored = cache / f"{self.fingerprint}.header-{HEADER_VERSION}.json" if cache else None
        if stored and stored.is_file():
            header: dict[str, Any] = json.loads(stored.read_text(encoding="utf-8"))
            return header
        config = self._parse_config()
        shapes = {_hf_name(name): _shape(tensor) for name, tensor in self._tensors.items()}
        check_tensors(config, shapes, str(self._path))
        header = {
            "config": dataclasses.asdict(config),
            "tokenizer": dataclasses.asdict(TokenizerSpec.from_gguf(self._field)),
        }
        if stored:
            stored.parent.mkdir(parents=True, exist_ok=True)
            partial = stored.with_suffix(f".{os.getpid()}.partial")
            partial.write_text(json.dumps(header), encoding="utf-8")
            partial.replace(stored)
        return header

    def _field(self, key: str, default: Any = None) -> Any:
        field = self._readers[0].fields.get(key)
        if field is None:
            if default is None:
                raise CheckpointError(f"{self._path} has no header field {key}")
            return default
        return field.contents()

    def _parse_config(self) -> ModelConfig:
        architecture = self._field("general.architecture")
        if architecture not in FAMILIES:
            known = ", ".join(sorted(FAMILIES))
            raise CheckpointError(f"{self._path} holds a '{architecture}' model; supported are {known}")

        def field(key: str, default: Any = None) -> Any:
            value = self._field(f"{architecture}.{key}", default)
            if isinstance(value, list):
                if len(set(value)) != 1:
                    raise CheckpointError(
                        f"{self._path}: {architecture}.{key} differs from layer to layer, not supported"
                    )
                value = value[0]
            return value

        hidden, heads, context = (
            field(key) for key in ("embedding_length", "attention.head_count", "context_length")
        )
        head_dim = field("attention.key_length", hidden // heads)
        for key in _UNSUPPORTED:
            value = field(key, 0)
            if value and not (key == "attention.sliding_window" and value >= context):
                raise CheckpointError(
                    f"{self._path} has {architecture}.{key} = {value}, which is not supported"
                )
        for key in ("attention.value_length", "rope.dimension_count"):
            if field(key, head_dim) != head_dim:
                raise CheckpointError(
                    f"{self._path} has {architecture}.{key} = {field(key)} beside heads of {head_dim}, not supported"
                )
        theta = float(field("rope.freq_base", 10000.0))
        scaling = rope_scaling(
            self._rope_settings(f"{architecture}.rope."), theta, head_dim, context, str(self._path)
        )
        factors = scaling.factors
        if ROPE_FREQUENCIES in self._tensors:
            if factors:
                raise CheckpointError(
                    f"{self._path} has both rope.scaling and {ROPE_FREQUENCIES}, not supported"
                )
            factors = tuple(float(value) for value in self._tensors[ROPE_FREQUENCIES].data)
            if len(factors) != head_dim // 2:
                raise CheckpointError(
                    f"{self._path}: {ROPE_FREQUENCIES} has {len(factors)} factors for {head_dim // 2}"
                )
        biases = (
            module for module in LINEAR if _gguf_name(f"{linear_name(0, module)}.bias") in self._tensors
        )
        if "token_embd.weight" not in self._tensors:
            raise CheckpointError(f"{self._path} has no tensor token_embd.weight")
        return ModelConfig(
            name=self._field("general.name", self._path.stem),
            family=FAMILIES[architecture],
            layers=field("block_count"),
            hidden=hidden,
            intermediate=field("feed_forward_length"),
            heads=heads,
            kv_heads=field("attention.head_count_kv", heads),
            head_dim=head_dim,
            vocab=_shape(self._tensors["token_embd.weight"])[0],
            context=scaling.context,
            rope_theta=theta,
            rms_eps=float(field("attention.layer_norm_rms_epsilon")),
            biases=tuple(biases),
            tied_head="output.weight" not in self._tensors,
            rope_factors=factors,
            rope_attention=scaling.attention,
        )

    def _rope_settings(self, prefix: str) -> dict[str, Any]:
        """The header's rope scaling in transformers' terms. Raises CheckpointError for fields that we do not follow."""
        fields = [key.removeprefix(prefix) for key in self._readers[0].fields if key.startswith(prefix)]
        if "scale_linear" in fields:  # before GGUF had rope.scaling
            return {"rope_type": "linear", "factor": self._field(f"{prefix}scale_linear")}
        kind = self._field(f"{prefix}scaling.type", "none")
        if kind == "none":
            return {}
        settings = {"rope_type": kind}
        names = [key.removeprefix("scaling.") for key in fields if key.startswith("scaling.")]
        for name in names:
            if name in _SCALING:
                settings[_SCALING[name]] = self._field(f"{prefix}scaling.{name}")
            elif name not in _NO_NUMBERS:
                raise CheckpointError(f"{self._path} has {prefix}scaling.{name}, which is not supported")
        if kind not in ("linear", "yarn"):
            raise CheckpointError(
                f"{self._path} uses rope scaling '{kind}'; supported in GGUF are linear and yarn"
            )
        return settings


def _gguf_name(name: str) -> str:
    if name in TOP:
        return TOP[name]
    prefix, layer, rest = name.split(".", 3)[1:] if name.startswith("model.layers.") else ("", "", name)
    module, _, kind = rest.rpartition(".")
    if prefix != "layers" or module not in GGUF_MODULES:
        raise CheckpointError(f"'{name}' is no tensor of the Llama or Qwen2 family")
    return f"blk.{layer}.{GGUF_MODULES[module]}.{kind}"


def _hf_name(name: str) -> str:
    """Hugging Face's name of a tensor; an unknown one within the decoder keeps its own there."""
    if name in HF_NAMES:
        return HF_NAMES[name]
    prefix, _, rest = name.partition(".")
    layer, _, module = rest.partition(".")
    module, _, kind = module.rpartition(".")
    if prefix != "blk":
        return name if name == ROPE_FREQUENCIES else f"model.{name}"
    return f"model.layers.{layer}.{MODULES.get(module, module)}.{kind}"


def _shape(tensor: Any) -> tuple[int, ...]:
    """GGUF counts the innermost dimension first."""
    return tuple(int(size) for size in reversed(tensor.shape))


def _unpermute(weight: Tensor, heads: int) -> Tensor:
    """GGUF stores Llama's rotary pairs side by side; the decoder rotates halves, as Hugging Face does."""
    pairs = weight.view(heads, weight.shape[0] // heads // 2, 2, *weight.shape[1:])
    return pairs.transpose(1, 2).reshape(weight.shape)


def _dequantized(stored: Any) -> Tensor:
    """Float32 values, some rows after another: what is needed in between is several times their size."""
    from gguf import dequantize

    shape = [int(size) for size in reversed(stored.shape)]
    values = np.empty(shape, dtype=np.float32)
    # [rows, columns], a vector as one row; of quantised data, a row is its bytes
    rows, data = values.reshape(-1, shape[-1]), stored.data.reshape(-1, stored.data.shape[-1])
    at_once = max(1, DEQUANTIZED_AT_ONCE // shape[-1])
    for start in range(0, len(rows), at_once):
        rows[start : start + at_once] = dequantize(data[start : start + at_once], stored.tensor_type)
    return torch.from_numpy(values)
