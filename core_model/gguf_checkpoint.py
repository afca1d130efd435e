"""Reads GGUF files (github.com/ggml-org/ggml/blob/master/docs/gguf.md) with the `gguf` package."""

from __future__ import annotations

import dataclasses
import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core_model.checkpoint import fingerprint
from core_model.config import ModelConfig
from core_model.errors import CheckpointError
from core_model.tokenizer import TokenizerSpec

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
HEADER_VERSION = 1


class GGUFCheckpoint:
    """A GGUF file. Its parsed header is cached, since the vocabulary takes the reader seconds."""

    def __init__(self, path: Path, cache: Path | None = None) -> None:
        self._path = path
        with path.open("rb") as stream:
            if stream.read(4) != b"GGUF":
                raise CheckpointError(f"{path} is not a GGUF file (its first four bytes are not 'GGUF')")
        self.fingerprint = fingerprint([path])
        header = self._cached_header(cache)
        self.config = ModelConfig(
            **{**header["config"], "rope_factors": tuple(header["config"]["rope_factors"])}
        )
        self.tokenizer = TokenizerSpec(**header["tokenizer"])

    def has(self, name: str) -> bool:
        return _gguf_name(name) in self._tensors

    def tensor(self, name: str) -> Tensor:
        from gguf import dequantize

        stored = self._tensors.get(_gguf_name(name))
        if stored is None:
            raise CheckpointError(f"{self._path} has no tensor {name} ({_gguf_name(name)})")
        values = torch.from_numpy(dequantize(stored.data, stored.tensor_type).copy()).float()
        if self.config.family == "llama" and name.endswith(("q_proj.weight", "k_proj.weight")):
            heads = self.config.heads if "q_proj" in name else self.config.kv_heads
            values = _unpermute(values, heads)
        return values

    @cached_property
    def _reader(self) -> Any:
        from gguf import GGUFReader

        try:
            return GGUFReader(self._path)
        except (ValueError, IndexError, KeyError, OSError) as error:
            raise CheckpointError(
                f"{self._path} cannot be read as GGUF: {error}; download it again"
            ) from error

    @cached_property
    def _tensors(self) -> dict[str, Any]:
        return {tensor.name: tensor for tensor in self._reader.tensors}

    def _cached_header(self, cache: Path | None) -> dict[str, Any]:
        stored = cache / f"{self.fingerprint}.header-{HEADER_VERSION}.json" if cache else None
        if stored and stored.is_file():
            header: dict[str, Any] = json.loads(stored.read_text(encoding="utf-8"))
            return header
        header = {
            "config": dataclasses.asdict(self._parse_config()),
            "tokenizer": dataclasses.asdict(self._parse_tokenizer()),
        }
        if stored:
            stored.parent.mkdir(parents=True, exist_ok=True)
            partial = stored.with_suffix(f".{os.getpid()}.partial")
            partial.write_text(json.dumps(header), encoding="utf-8")
            partial.replace(stored)
        return header

    def _field(self, key: str, default: Any = None) -> Any:
        field = self._reader.fields.get(key)
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
            return self._field(f"{architecture}.{key}", default)

        hidden, heads = field("embedding_length"), field("attention.head_count")
        factors: tuple[float, ...] = ()
        if "rope_freqs.weight" in self._tensors:
            factors = tuple(float(value) for value in self._tensors["rope_freqs.weight"].data)
        return ModelConfig(
            name=self._field("general.name", self._path.stem),
            family=FAMILIES[architecture],
            layers=field("block_count"),
            hidden=hidden,
            intermediate=field("feed_forward_length"),
            heads=heads,
            kv_heads=field("attention.head_count_kv", heads),
            head_dim=field("attention.key_length", hidden // heads),
            vocab=int(self._tensors["token_embd.weight"].shape[1]),
            context=field("context_length"),
            rope_theta=float(field("rope.freq_base", 10000.0)),
            rms_eps=float(field("attention.layer_norm_rms_epsilon")),
            qkv_bias="blk.0.attn_q.bias" in self._tensors,
            tied_head="output.weight" not in self._tensors,
            rope_factors=factors,
        )

    def _parse_tokenizer(self) -> TokenizerSpec:
        model = self._field("tokenizer.ggml.model")
        if model != "gpt2":
            raise CheckpointError(
                f"{self._path} has a '{model}' tokenizer; only byte-level BPE ('gpt2') is read from GGUF. "
                "Give the model's safetensors folder (with tokenizer.json) instead"
            )
        return TokenizerSpec.from_bpe(
            tokens=self._field("tokenizer.ggml.tokens"),
            token_types=self._field("tokenizer.ggml.token_type"),
            merges=self._field("tokenizer.ggml.merges"),
            pre_tokenizer=self._field("tokenizer.ggml.pre", "default"),
            eos_id=self._field("tokenizer.ggml.eos_token_id"),
            chat_template=self._field("tokenizer.chat_template", ""),
        )


def _gguf_name(name: str) -> str:
    if name in TOP:
        return TOP[name]
    prefix, layer, rest = name.split(".", 3)[1:] if name.startswith("model.layers.") else ("", "", name)
    module, _, kind = rest.rpartition(".")
    if prefix != "layers" or module not in GGUF_MODULES:
        raise CheckpointError(f"'{name}' is no tensor of the Llama or Qwen2 family")
    return f"blk.{layer}.{GGUF_MODULES[module]}.{kind}"


def _unpermute(weight: Tensor, heads: int) -> Tensor:
    """GGUF stores Llama's rotary pairs side by side; the decoder rotates halves, as Hugging Face does."""
    rows, columns = weight.shape
    return weight.view(heads, rows // heads // 2, 2, columns).transpose(1, 2).reshape(rows, columns)
