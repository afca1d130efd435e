"""Adapters that change nothing, to see which ones are taken into service."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from core_model import Engine
from core_model.lora import module_shape


def write_silent_adapter(folder: Path, engine: Engine, base: str) -> Path:
    folder.mkdir(parents=True)
    outputs, inputs = module_shape(engine.config, "q_proj")
    name = "base_model.model.model.layers.0.self_attn.q_proj"
    weights = {
        f"{name}.lora_A.weight": torch.ones(1, inputs),
        f"{name}.lora_B.weight": torch.zeros(outputs, 1),
    }
    save_file(weights, folder / "adapter_model.safetensors")
    content = {"peft_type": "LORA", "r": 1, "lora_alpha": 1, "base_model_name_or_path": base}
    (folder / "adapter_config.json").write_text(json.dumps(content), encoding="utf-8")
    return folder
