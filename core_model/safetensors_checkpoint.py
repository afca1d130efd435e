"""Reads a Hugging Face model folder: config.json, tokenizer.json and safetensors files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from core_model.checkpoint import fingerprint
from core_model.config import ModelConfig
from core_model.errors import CheckpointError
from core_model.rope_scaling import rope_scaling
from core_model.tensors import check_tensors
from core_model.tokenizer_spec import TokenizerSpec

FAMILIES = {"llama": "llama", "qwen2": "qwen2"}
WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
_FLOATS = ("F64", "F32", "F16", "BF16")


class SafetensorsCheckpoint:
    """A folder as `save_pretrained` writes it, in one file or several."""

    def __init__(self, path: Path) -> None:
        self._path = path
        files = self._files()
        self._file_of: dict[str, Path] = {}
        shapes: dict[str, tuple[int, ...]] = {}
        config = self._json("config.json")
        _refuse_quantised(config, path)
        for file in files:
            try:
                with safe_open(file, framework="pt") as tensors:
                    for name in tensors.keys():  # noqa: SIM118 - safe_open is no mapping
                        part = tensors.get_slice(name)
                        if part.get_dtype() not in _FLOATS:
                            raise CheckpointError(
                                f"{file}: {name} is stored as {part.get_dtype()}; only unquantised weights are read "
                                "from safetensors. Give a GGUF file, or the folder of the unquantised model"
                            )
                        self._file_of[name], shapes[name] = file, tuple(part.get_shape())
            except (SafetensorError, OSError) as error:
                raise CheckpointError(f"{file} is broken: {error}") from error
        self.fingerprint = fingerprint([path / "config.json", *files])
        self.config = self._parse_config(config)
        check_tensors(self.config, shapes, str(path))
        self.tokenizer = TokenizerSpec.from_tokenizer_json(
            self._json("tokenizer.json"),
            {**self._json("special_tokens_map.json", {}), **self._json("tokenizer_config.json")},
            self._chat_template(),
        )

    def has(self, name: str) -> bool:
        return name in self._file_of

    def tensor(self, name: str) -> Tensor:
        if name not in self._file_of:
            raise CheckpointError(f"{self._path} has no tensor {name}")
        with safe_open(self._file_of[name], framework="pt") as tensors:
            values: Tensor = tensors.get_tensor(name)
        return values.float()

    def _files(self) -> list[Path]:
        """The files with the weights. Raises CheckpointError naming those that are missing."""
        if (self._path / WHOLE).is_file():
            return [self._path / WHOLE]
        if not (self._path / INDEX).is_file():
            raise CheckpointError(
                f"{self._path} holds neither {WHOLE} nor {INDEX}; only models in safetensors files are read"
            )
        shards = self._json(INDEX).get("weight_map")
        if not isinstance(shards, dict) or not shards:
            raise CheckpointError(f"{self._path / INDEX} names no files (weight_map)")
        files = [self._path / name for name in sorted(set(map(str, shards.values())))]
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise CheckpointError(
                f"{self._path} is incomplete: {', '.join(missing)}, named by {INDEX}, is missing; "
                "download it too"
            )
        return files

    def _json(self, name: str, default: dict[str, Any] | None = None) -> dict[str, Any]:
        file = self._path / name
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            if default is not None:
                return default
            raise CheckpointError(f"{self._path} has no {name}") from error
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{file} is not JSON: {error}") from error
        if not isinstance(content, dict):
            raise CheckpointError(f"{file} holds no JSON object")
        return content

    def _chat_template(self) -> str:
        file = self._path / "chat_template.jinja"
        if file.is_file():
            return file.read_text(encoding="utf-8")
        template = self._json("tokenizer_config.json").get("chat_template") or ""
        if isinstance(template, list):
            # Several by name, as [{"name": …, "template": …}]; transformers takes the default, too.
            template = {entry["name"]: entry["template"] for entry in template}.get("default", "")
        if not isinstance(template, str):
            raise CheckpointError(f"{self._path / 'tokenizer_config.json'}: chat_template is no text")
        return template

    def _parse_config(self, raw: dict[str, Any]) -> ModelConfig:
        """Raises CheckpointError for what is absent or not supported."""
        family = raw.get("model_type")
        if family not in FAMILIES:
            raise CheckpointError(
                f"{self._path} holds a '{family}' model; supported are {', '.join(sorted(FAMILIES))}"
            )

        def size(key: str, default: int | None = None) -> int:
            value = raw.get(key)
            value = default if value is None else value
            if not isinstance(value, int) or value < 1:
                raise CheckpointError(
                    f"{self._path / 'config.json'}: {key} is {value}, not a positive number"
                )
            return value

        layers, context = size("num_hidden_layers"), size("max_position_embeddings")
        _refuse_other_arithmetic(raw, layers, context, self._path)
        rope = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
        theta = float(rope.get("rope_theta") or raw.get("rope_theta") or 10000.0)
        hidden, heads = size("hidden_size"), size("num_attention_heads")
        head_dim = size("head_dim", hidden // heads)
        # transformers prefers the length that stands beside the scaling's settings to the one among them.
        outside = {
            key: raw[key]
            for key in ("original_max_position_embeddings", "partial_rotary_factor")
            if raw.get(key)
        }
        scaling = rope_scaling({**rope, **outside}, theta, head_dim, context, str(self._path))
        tied = bool(raw.get("tie_word_embeddings")) and not self.has("lm_head.weight")
        return ModelConfig(
            name=raw.get("_name_or_path") or self._path.name,
            family=FAMILIES[family],
            layers=layers,
            hidden=hidden,
            intermediate=size("intermediate_size"),
            heads=heads,
            kv_heads=size("num_key_value_heads", heads),
            head_dim=head_dim,
            vocab=size("vocab_size"),
            context=scaling.context,
            rope_theta=theta,
            rms_eps=float(raw.get("rms_norm_eps") or 1e-6),  # transformers' default
            biases=_biases(raw),
            tied_head=tied,
            rope_factors=scaling.factors,
            rope_attention=scaling.attention,
        )


def _biases(raw: dict[str, Any]) -> tuple[str, ...]:
    """The linear modules that have a bias, in transformers' own classes."""
    if raw["model_type"] == "qwen2":
        return ("q_proj", "k_proj", "v_proj")
    attention = ("q_proj", "k_proj", "v_proj", "o_proj") if raw.get("attention_bias") else ()
    mlp = ("gate_proj", "up_proj", "down_proj") if raw.get("mlp_bias") else ()
    return (*attention, *mlp)


def _refuse_quantised(raw: dict[str, Any], path: Path) -> None:
    quantization = raw.get("quantization_config") or raw.get("compression_config")
    if quantization:
        method = quantization.get("quant_method") or "an unnamed method"
        raise CheckpointError(
            f"{path} is quantised with {method}, which is not read; give a GGUF file, or the folder of the "
            "unquantised model"
        )


def _refuse_other_arithmetic(raw: dict[str, Any], layers: int, context: int, path: Path) -> None:
    """Raises CheckpointError for settings that our decoder does not follow."""
    activation = raw.get("hidden_act", "silu")
    if activation not in ("silu", "swish"):
        raise CheckpointError(f"{path} has hidden_act '{activation}'; supported is 'silu'")
    rope = raw.get("rope_parameters") or {}
    if any(isinstance(value, dict) for value in rope.values()):
        raise CheckpointError(f"{path} has rope_parameters for each kind of layer, which is not supported")
    sliding = raw.get("use_sliding_window") and raw.get("max_window_layers", 28) < layers
    kinds = set(raw.get("layer_types") or (["sliding_attention"] if sliding else []))
    window = raw.get("sliding_window")
    if window and window >= context:
        kinds.discard("sliding_attention")  # no text is longer than what these layers see
    other = sorted(kinds - {"full_attention"})
    if other:
        raise CheckpointError(
            f"{path} has layers of {', '.join(other)} (sliding_window {window}), not supported"
        )
