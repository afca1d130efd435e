"""A base model of ours as transformers' and PEFT's own classes, ready for training."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core_model.checkpoint import Checkpoint
from core_model.config import ModelConfig
from core_model.lora import MODULES
from core_model.quantization import dequantize, module_bits, quantize
from core_model.tensors import ATTENTION
from core_model.training.errors import RecipeError
from core_model.training.recipe import LoraShape

MAX_SHARE = 0.037
"""Most that an adapter may have of its base's parameters."""


def base_model(checkpoint: Checkpoint, weights: str, labels: int | None) -> Any:
    """A transformers model in bfloat16 with the checkpoint's weights: with a classification head, or causal.

    The decoder's linear weights have the bits of `weights` ("int4", "int8", "bf16"). The weights
    come from our own reader: transformers' GGUF reader keeps them packed and computes in float32, and is
    several times slower.
    """
    import transformers

    config = checkpoint.config
    config_class, causal, classifier = {
        "llama": (
            transformers.LlamaConfig,
            transformers.LlamaForCausalLM,
            transformers.LlamaForSequenceClassification,
        ),
        "qwen2": (
            transformers.Qwen2Config,
            transformers.Qwen2ForCausalLM,
            transformers.Qwen2ForSequenceClassification,
        ),
    }[config.family]
    settings = config_class(**_settings(config, labels))
    with torch.device("meta"):
        model = (causal if labels is None else classifier)(settings)
    model.load_state_dict(
        {
            name: _weight(checkpoint, name, weights, tuple(parameter.shape))
            for name, parameter in model.named_parameters()
        },
        strict=False,  # a tied head is the embedding itself
        assign=True,
    )
    model.tie_weights()
    # Buffers (the rotary frequencies) are computed, not stored: make them anew, off the meta device.
    rotary = type(model.model.rotary_emb)(settings)
    rotary.inv_freq, rotary.attention_scaling = config.inverse_frequencies().float(), config.rope_attention
    model.model.rotary_emb = rotary
    return model


def _settings(config: ModelConfig, labels: int | None) -> dict[str, Any]:
    return {
        "vocab_size": config.vocab,
        "hidden_size": config.hidden,
        "intermediate_size": config.intermediate,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_dim,
        "max_position_embeddings": config.context,
        "rms_norm_eps": config.rms_eps,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "tie_word_embeddings": config.tied_head,
        **({} if config.family == "qwen2" else _llama_biases(config)),
        # For rows of a few tokens plain attention is faster on a CPU than the fused one's backward pass.
        "attn_implementation": "eager",
        "use_cache": False,
        **({} if labels is None else {"num_labels": labels}),
    }


def _llama_biases(config: ModelConfig) -> dict[str, bool]:
    return {
        "attention_bias": any(module in ATTENTION for module in config.biases),
        "mlp_bias": any(module not in ATTENTION for module in config.biases),
    }


def _weight(checkpoint: Checkpoint, name: str, weights: str, shape: tuple[int, ...]) -> Tensor:
    if name == "score.weight":
        return torch.zeros(shape)
    module = name.split(".")[-2]
    if name.endswith(".bias") and module not in checkpoint.config.biases:
        return torch.zeros(shape, dtype=torch.bfloat16)
    values = checkpoint.tensor(name)
    if weights in ("int4", "int8") and module in MODULES and values.dim() == 2:
        # Each weight by itself, unlike what is served: calibrating takes a minute.
        values = dequantize(quantize(values, module_bits(weights, module)))
    return values.to(torch.bfloat16)


def adapt(model: Any, shape: LoraShape, classification: bool) -> Any:
    """The model with PEFT's low-rank pairs, in bfloat16 (float32 pairs train at half the speed).

    Raises RecipeError if they are more than 3.7 % of the base, saying which rank fits.
    """
    from peft import LoraConfig, TaskType, get_peft_model

    layers = model.config.num_hidden_layers
    if shape.first_layer >= layers:
        raise RecipeError(f"lora.first_layer is {shape.first_layer}; the base has {layers} layers, from 0")
    adapted = get_peft_model(
        model,
        LoraConfig(
            task_type=TaskType.SEQ_CLS if classification else TaskType.CAUSAL_LM,
            r=shape.rank,
            lora_alpha=shape.alpha,
            target_modules=list(shape.modules),
            layers_to_transform=list(range(shape.first_layer, layers)) if shape.first_layer else None,
        ),
        autocast_adapter_dtype=False,
    )
    refuse_too_many_pairs(adapted)
    return adapted


def refuse_too_many_pairs(adapted: Any) -> None:
    """Raises RecipeError if the pairs are more than 3.7 % of the base's parameters, saying which rank fits."""
    sizes = {name: tensor.numel() for name, tensor in adapted.get_base_model().model.named_parameters()}
    pairs = sum(size for name, size in sizes.items() if ".lora_" in name)
    base = sum(sizes.values()) - pairs
    if pairs > MAX_SHARE * base:
        rank = max(settings.r for settings in adapted.peft_config.values())
        raise RecipeError(
            f"rank {rank} makes an adapter of {pairs / base:.1%} of the base; at most {MAX_SHARE:.1%} are "
            f"allowed: use rank {int(rank * MAX_SHARE * base / pairs)} or fewer modules"
        )


def recompute(adapted: Any, every: int) -> None:
    """Of every so many layers let one keep no activations: less memory, and its forward pass runs twice
    (arXiv 1604.06174). Layers without a gradient keep none anyway.
    """
    base = adapted.get_base_model()
    base.gradient_checkpointing_enable({"use_reentrant": False})
    for number, layer in enumerate(base.model.layers):
        layer.gradient_checkpointing = number % every == 0


def begin_with(adapted: Any, folder: Path) -> str:
    """Take over the low-rank pairs of a stored adapter; the sha256 of its file.

    Raises RecipeError where they are not of the same shape.
    """
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    try:
        stored = load_file(folder / "adapter_model.safetensors")
    except (OSError, ValueError) as error:
        raise RecipeError(f"begin_with: {folder} has no adapter that can be read: {error}") from error
    own = {name: tensor for name, tensor in adapted.named_parameters() if ".lora_" in name}
    shapes = {name.replace(".default.", "."): tuple(tensor.shape) for name, tensor in own.items()}
    if {name: tuple(tensor.shape) for name, tensor in stored.items() if ".lora_" in name} != shapes:
        raise RecipeError(
            f"begin_with: the adapter in {folder} has another shape than this recipe's lora section"
        )
    set_peft_model_state_dict(adapted, {name: tensor for name, tensor in stored.items() if ".lora_" in name})
    return hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()


def save(adapted: Any, folder: Path, base: str) -> None:
    """Write adapter_config.json and adapter_model.safetensors as PEFT does, naming the base by `base`."""
    for settings in adapted.peft_config.values():
        settings.base_model_name_or_path = base
        settings.inference_mode = True
    with warnings.catch_warnings():
        # PEFT looks on the hub whether the base's vocabulary was resized; ours has no place there.
        warnings.simplefilter("ignore")
        adapted.save_pretrained(folder, save_embedding_layers=False)
    # PEFT writes an empty model card; ours is written at the end.
    (folder / "README.md").unlink(missing_ok=True)


def lora_share(adapted: Any) -> float:
    """Low-rank parameters as a part of the base's parameters."""
    pairs = sum(tensor.numel() for name, tensor in adapted.named_parameters() if ".lora_" in name)
    base = sum(
        tensor.numel()
        for name, tensor in adapted.named_parameters()
        if ".lora_" not in name and "score" not in name
    )
    return pairs / base
