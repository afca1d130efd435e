"""Adapters as PEFT saves them: the effect of PEFT's own forward pass, or refused by name."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from core_model.checkpoint import Checkpoint, load_checkpoint
from core_model.decoder import TorchDecoder
from core_model.errors import AdapterError
from core_model.lora import load_adapter
from tests.core_model.published import random_model, write_folder, write_gguf
from tests.core_model.test_decoder import full_logits

TOKENS = list(range(60, 110))


class Base:
    """A model with biases and stretched positions, in transformers and as we read it."""

    def __init__(self, family: str, folder: Path) -> None:
        self.model = random_model(family, "yarn", bias="attention mlp")
        write = write_gguf if family == "llama" else write_folder
        self.checkpoint: Checkpoint = load_checkpoint(write(self.model, folder / f"{family}.gguf"))

    def adapted(self, folder: Path, **settings: Any) -> torch.Tensor:
        """Save an adapter of random weights; the logits with it by PEFT."""
        from peft import LoraConfig, get_peft_model

        torch.manual_seed(4)
        defaults = {"r": 4, "lora_alpha": 12, "target_modules": "all-linear", "init_lora_weights": False}
        adapted = get_peft_model(copy.deepcopy(self.model), LoraConfig(**(defaults | settings))).eval()
        with torch.no_grad():
            for parameter in adapted.parameters():
                if parameter.requires_grad and parameter.dim() > 1:
                    parameter.add_(torch.randn_like(parameter) / 10)
            logits: torch.Tensor = adapted(torch.tensor([TOKENS])).logits[0]
        adapted.save_pretrained(folder)
        return logits


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Base:
    return Base(request.param, tmp_path_factory.mktemp("base"))


SERVED: dict[str, dict[str, Any]] = {
    "plain": {},
    "some modules of the second layer": {
        "target_modules": ["v_proj", "down_proj"],
        "layers_to_transform": [1],
    },
    "rank-stabilised": {"use_rslora": True},
    "ranks and alphas of their own": {
        "rank_pattern": {"q_proj": 2, "layers.1.mlp.up_proj": 7},
        "alpha_pattern": {"^model.layers.0.self_attn.v_proj": 3, "down_proj": 40},
    },
    "Gaussian": {"init_lora_weights": "gaussian"},
}


@pytest.mark.parametrize("kind", SERVED)
def test_logits_equal_those_of_peft(base: Base, kind: str, tmp_path: Path) -> None:
    expected = base.adapted(tmp_path / "adapter", **SERVED[kind])
    decoder = TorchDecoder(base.checkpoint)
    decoder.add_adapter(load_adapter(tmp_path / "adapter", decoder.config))
    actual = full_logits(decoder, TOKENS, adapter="adapter")
    assert float((actual - expected).norm() / expected.norm()) < 1e-4
    assert float((full_logits(decoder, TOKENS) - expected).norm() / expected.norm()) > 0.01


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "trained embeddings": ({"modules_to_save": ["embed_tokens"]}, r"embed_tokens\.weight"),
    "a trained head": ({"modules_to_save": ["lm_head"]}, r"lm_head\.weight"),
    "a trained norm": ({"modules_to_save": ["input_layernorm"]}, r"input_layernorm\.weight"),
    "trained tokens": ({"trainable_token_indices": [65, 66]}, "trainable_token_indices"),
    "a low-rank head": ({"target_modules": ["q_proj", "lm_head"]}, "lm_head"),
    "low-rank embeddings": ({"target_modules": ["q_proj", "embed_tokens"]}, "embed_tokens"),
    "DoRA": ({"use_dora": True}, "use_dora"),
    "biases": ({"bias": "lora_only"}, "bias"),
    "low-rank biases": ({"lora_bias": True}, "lora_bias"),
    "activated LoRA": ({"alora_invocation_tokens": [65]}, "alora_invocation_tokens"),
    "repeated layers": ({"layer_replication": [[0, 2], [1, 2]]}, "layer_replication"),
    "PiSSA, not converted": ({"init_lora_weights": "pissa"}, "init_lora_weights 'pissa'"),
    "OLoRA, not converted": ({"init_lora_weights": "olora"}, "init_lora_weights 'olora'"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_more_than_low_rank_pairs_is_refused_by_name(base: Base, kind: str, tmp_path: Path) -> None:
    settings, message = REFUSED[kind]
    if kind == "repeated layers" and base.checkpoint.config.family == "qwen2":
        return  # PEFT repeats layers of no Qwen2: its list of layer types stays as long as it was
    base.adapted(tmp_path / "adapter", **settings)
    with pytest.raises(AdapterError, match=message):
        load_adapter(tmp_path / "adapter", base.checkpoint.config)
