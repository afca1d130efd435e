"""Reads a Hugging Face model folder: config.json, tokenizer.json and safetensors files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from core_model.checkpoint import fingerprint
from core_model.config import ModelConfig
from core_model.errors import CheckpointError
from core_model.tokenizer import TokenizerSpec

FAMILIES = {"llama": "llama", "qwen2": "qwen2"}


class SafetensorsCheckpoint:
    """A folder as `save_pretrained` writes it, in one file or several."""

    def __init__(self, path: Path) -> None:
        self._path = path
        files = sorted(path.glob("*.safetensors"))
        if not files:
            raise CheckpointError(f"{path} holds no .safetensors file")
        self.fingerprint = fingerprint(files)
        self._file_of: dict[str, Path] = {}
        for file in files:
            try:
                with safe_open(file, framework="pt") as tensors:
                    self._file_of.update(dict.fromkeys(tensors.keys(), file))
            except SafetensorError as error:
                raise CheckpointError(f"{file} is broken: {error}") from error
        self.config = self._parse_config(self._json("config.json"))
        self.tokenizer = TokenizerSpec.from_tokenizer_json(
            self._json("tokenizer.json"), self._json("tokenizer_config.json"), self._chat_template()
        )

    def has(self, name: str) -> bool:
        return name in self._file_of

    def tensor(self, name: str) -> Tensor:
        if name not in self._file_of:
            raise CheckpointError(f"{self._path} has no tensor {name}")
        with safe_open(self._file_of[name], framework="pt") as tensors:
            values: Tensor = tensors.get_tensor(name)
        return values.float()

    def _json(self, name: str) -> dict[str, Any]:
        file = self._path / name
        try:
            content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise CheckpointError(f"{self._path} has no {name}") from error
        except ValueError as error:
            raise CheckpointError(f"{file} is not JSON: {error}") from error
        return content

    def _chat_template(self) -> str:
        file = self._path / "chat_template.jinja"
        if file.is_file():
            return file.read_text(encoding="utf-8")
        return str(self._json("tokenizer_config.json").get("chat_template") or "")

    def _parse_config(self, raw: dict[str, Any]) -> ModelConfig:
        family = raw.get("model_type")
        if family not in FAMILIES:
            raise CheckpointError(
                f"{self._path} holds a '{family}' model; supported are {', '.join(sorted(FAMILIES))}"
            )
        rope = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
        theta = float(rope.get("rope_theta") or raw.get("rope_theta") or 10000.0)
        head_dim = raw.get("head_dim") or raw["hidden_size"] // raw["num_attention_heads"]
        return ModelConfig(
            name=raw.get("_name_or_path") or self._path.name,
            family=FAMILIES[family],
            layers=raw["num_hidden_layers"],
            hidden=raw["hidden_size"],
            intermediate=raw["intermediate_size"],
            heads=raw["num_attention_heads"],
            kv_heads=raw.get("num_key_value_heads", raw["num_attention_heads"]),
            head_dim=head_dim,
            vocab=raw["vocab_size"],
            context=raw["max_position_embeddings"],
            rope_theta=theta,
            rms_eps=raw["rms_norm_eps"],
            qkv_bias=self.has("model.layers.0.self_attn.q_proj.bias"),
            tied_head=not self.has("lm_head.weight"),
            rope_factors=_rope_factors(rope, theta, head_dim, self._path),
        )


def _rope_factors(rope: dict[str, Any], theta: float, head_dim: int, path: Path) -> tuple[float, ...]:
    """Llama 3.1's divisors of the rotary frequencies (transformers, `_compute_llama3_parameters`)."""
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if kind == "default":
        return ()
    if kind != "llama3":
        raise CheckpointError(f"{path} uses rope scaling '{kind}'; supported are 'default' and 'llama3'")
    factor, original = rope["factor"], rope["original_max_position_embeddings"]
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    factors = []
    for index in range(0, head_dim, 2):
        wavelength = 2 * math.pi * theta ** (index / head_dim)
        smooth = (original / wavelength - low) / (high - low)
        share = min(1.0, max(0.0, smooth))
        factors.append(1.0 / ((1 - share) / factor + share))
    return tuple(factors)
