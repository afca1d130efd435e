"""LoRA adapters in PEFT's format: low-rank pairs that are added to the base's linear layers."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from core_model.config import ModelConfig
from core_model.errors import AdapterError

MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_KEY = re.compile(r"((?:\w+\.)*layers\.(\d+)\.(?:self_attn|mlp)\.(\w+))\.lora_([AB])\.weight$")
_PREFIX = "base_model.model."
_HEAD = "score."
"""A classifier's head, the one part beside low-rank pairs that is served (see classifier.py)."""

_SERVED = {
    # followed by what is served
    *(
        "peft_type",
        "r",
        "lora_alpha",
        "rank_pattern",
        "alpha_pattern",
        "use_rslora",
        "modules_to_save",
        "bias",
    ),
    # what was trained where: the tensors themselves say it
    *("target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "task_type"),
    # how the training began, which init_lora_weights says, and how it went on
    *("init_lora_weights", "eva_config", "corda_config", "lora_ga_config", "loftq_config", "lora_dropout"),
    *("base_model_name_or_path", "revision", "auto_mapping", "inference_mode", "peft_version"),
    *("megatron_config", "megatron_core", "runtime_config", "qalora_group_size"),
}
"""Settings of PEFT's LoraConfig; any other that is set means something beside plain low-rank pairs."""

_UNCHANGED_BASE = ("gaussian", "eva", "orthogonal", "true")
"""Values of init_lora_weights that leave the base's weights as they were; others subtract from them."""

_DEFAULT_ALPHA = 8  # PEFT's


@dataclass(frozen=True)
class LoraAdapter:
    """y += B (A x) for the modules in `weights` (arXiv 2106.09685)."""

    name: str
    rank: int
    weights: dict[tuple[int, str], tuple[Tensor, Tensor]]
    """(layer, module) → A [rank, in] and B [out, rank], B already scaled; float32."""
    heads: dict[str, Tensor] = field(default_factory=dict)
    """Tensors of a classification head saved with the adapter (PEFT's modules_to_save)."""

    @property
    def parameters(self) -> int:
        """Number of weights in the low-rank pairs."""
        return sum(a.numel() + b.numel() for a, b in self.weights.values())


def module_shape(config: ModelConfig, module: str) -> tuple[int, int]:
    """(out, in) of a linear layer of the decoder."""
    q, kv = config.heads * config.head_dim, config.kv_heads * config.head_dim
    return {
        "q_proj": (q, config.hidden),
        "k_proj": (kv, config.hidden),
        "v_proj": (kv, config.hidden),
        "o_proj": (config.hidden, q),
        "gate_proj": (config.intermediate, config.hidden),
        "up_proj": (config.intermediate, config.hidden),
        "down_proj": (config.hidden, config.intermediate),
    }[module]


def base_of(path: Path) -> str:
    """The base model that a PEFT folder names; "" for none. Raises AdapterError."""
    return str(_read_settings(path).get("base_model_name_or_path") or "")


def load_adapter(path: Path, config: ModelConfig, name: str | None = None) -> LoraAdapter:
    """Read a PEFT folder (adapter_config.json, adapter_model.safetensors) and check it against the base.

    Raises AdapterError naming the file, the tensor and both shapes.
    """
    settings = _read_settings(path)
    file = own_file(path, "adapter_model.safetensors")
    if not file.exists() and (path / "adapter_model.bin").exists():
        raise AdapterError(
            f"{path}: adapter_model.bin is a pickle, which may run code: save it as safetensors"
        )
    tensors = _read_tensors(file)
    pairs: dict[tuple[int, str], dict[str, Tensor]] = {}
    heads: dict[str, Tensor] = {}
    names: dict[tuple[int, str], str] = {}
    for key, tensor in tensors.items():
        own = key.removeprefix(_PREFIX)
        match = _KEY.fullmatch(own)
        if match and match[3] in MODULES:
            place = (int(match[2]), match[3])
            names[place] = match[1]
            pairs.setdefault(place, {})[match[4]] = tensor.float().contiguous()
        elif own.startswith(_HEAD):
            heads[own] = tensor.float()
        else:
            raise AdapterError(f"{path}: {key} changes a part of the model that Duet serves without adapters")
    weights = {}
    for (layer, module), pair in sorted(pairs.items()):
        if pair.keys() != {"A", "B"}:
            raise AdapterError(f"{path}: layer {layer} {module} has only lora_{next(iter(pair))}")
        a, b = pair["A"], pair["B"]
        outputs, inputs = module_shape(config, module)
        if (
            layer >= config.layers
            or a.dim() != 2
            or b.dim() != 2
            or not a.shape[0]
            or a.shape[1] != inputs
            or b.shape[0] != outputs
            or a.shape[0] != b.shape[1]
        ):
            raise AdapterError(
                f"{path}: layer {layer} {module} has shapes A {list(a.shape)}, B {list(b.shape)}; "
                f"{config.name} wants A [r, {inputs}], B [{outputs}, r] in {config.layers} layers: "
                "the adapter was trained on another base"
            )
        weights[layer, module] = (a, b * _scale(settings, names[layer, module], a.shape[0]))
    if not weights:
        raise AdapterError(f"{path}: no LoRA weights found in adapter_model.safetensors")
    rank = max(a.shape[0] for a, _ in weights.values())
    return LoraAdapter(name or path.name, rank, weights, heads)


def _scale(settings: dict[str, Any], module: str, rank: int) -> float:
    """alpha / rank; a module may have an alpha of its own, and its rank is its tensors'. Raises AdapterError."""
    patterns = settings.get("alpha_pattern") or {}
    try:
        matching = (key for key in patterns if re.fullmatch(rf"(.*\.)?({key})", module))
        alpha = float(patterns.get(next(matching, ""), settings.get("lora_alpha", _DEFAULT_ALPHA)))
    except (AttributeError, TypeError, ValueError, OverflowError, re.error) as error:
        raise AdapterError(
            f"lora_alpha or alpha_pattern in adapter_config.json cannot be read: {error}"
        ) from error
    if not math.isfinite(alpha):
        raise AdapterError(f"the alpha of {module} in adapter_config.json is {alpha}: no finite number")
    return alpha / (rank**0.5 if settings.get("use_rslora") else rank)


def own_file(folder: Path, name: str) -> Path:
    """A file of an adapter's folder. Raises AdapterError for what would be read of elsewhere, or waited for."""
    file = folder / name
    try:
        inside = file.resolve().is_relative_to(folder.resolve())
        other = file.exists() and not file.is_file()  # to open a pipe would wait for ever
    except (OSError, RuntimeError, ValueError) as error:  # too long, a circle of links, a zero byte
        raise AdapterError(f"no adapter can be at this path: {error}") from error
    if not inside:
        raise AdapterError(f"{file} is a link out of its folder: copy the file there")
    if other:
        raise AdapterError(f"{file} is no file; a PEFT folder is wanted")
    return file


def _read_settings(path: Path) -> dict[str, Any]:
    file = own_file(path, "adapter_config.json")
    try:
        settings: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise AdapterError(f"{file} cannot be read ({error.strerror}); a PEFT folder is wanted") from error
    except ValueError as error:
        raise AdapterError(f"{file} is not JSON: {error}") from error
    if not isinstance(settings, dict) or settings.get("peft_type") != "LORA":
        kind = settings.get("peft_type") if isinstance(settings, dict) else None
        raise AdapterError(f"{file}: peft_type is {kind!r}; only LORA is served")
    unsupported = sorted(key for key, value in settings.items() if value and key not in _SERVED)
    if (settings.get("bias") or "none") != "none":
        unsupported.append("bias")
    init = str(settings.get("init_lora_weights") or True).lower()
    if init not in _UNCHANGED_BASE:
        unsupported.append(f"init_lora_weights '{init}' (save it converted to plain LoRA)")
    if unsupported:
        raise AdapterError(f"{file}: not served: {', '.join(unsupported)}")
    return settings


def _read_tensors(file: Path) -> dict[str, Tensor]:
    try:
        tensors: dict[str, Tensor] = load_file(file)
    except (OSError, SafetensorError) as error:
        raise AdapterError(f"{file} cannot be read: {error}") from error
    if any(not torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise AdapterError(f"{file} holds NaN or infinite weights")
    return tensors
