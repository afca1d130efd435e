"""Which tensors a decoder consists of, and what a checkpoint must and must not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from core_model.config import ModelConfig
from core_model.errors import CheckpointError
from core_model.lora import MODULES, module_shape

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
NORMS = ("input_layernorm", "post_attention_layernorm")
_DERIVED = re.compile(r"\.rotary_emb\.inv_freq$")
"""Written by old versions of transformers, computed by all."""


def linear_name(layer: int, module: str) -> str:
    """What a checkpoint calls a linear module, without ".weight"."""
    return f"model.layers.{layer}.{'self_attn' if module in ATTENTION else 'mlp'}.{module}"


def tensor_shapes(config: ModelConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of each of the decoder's tensors."""
    yield "model.embed_tokens.weight", (config.vocab, config.hidden)
    for layer in range(config.layers):
        for module in MODULES:
            shape = module_shape(config, module)
            yield f"{linear_name(layer, module)}.weight", shape
            if module in config.biases:
                yield f"{linear_name(layer, module)}.bias", shape[:1]
        for norm in NORMS:
            yield f"model.layers.{layer}.{norm}.weight", (config.hidden,)
    yield "model.norm.weight", (config.hidden,)
    if not config.tied_head:
        yield "lm_head.weight", (config.vocab, config.hidden)


def check_tensors(config: ModelConfig, found: Mapping[str, tuple[int, ...]], source: str) -> None:
    """Compare the shapes that a checkpoint holds, by Hugging Face's names, with those that its header promises.

    A tensor within the decoder that the header knows nothing of is a step of the arithmetic that we would leave out.
    Raises CheckpointError naming the first tensor that is absent, too many or of another shape.
    """
    expected = dict(tensor_shapes(config))
    for name, shape in expected.items():
        if name not in found:
            raise CheckpointError(f"{source} has no tensor {name}; its header wants it {list(shape)}")
        if found[name] != shape:
            raise CheckpointError(
                f"{source}: {name} is {list(found[name])}, but its header makes it {list(shape)}"
            )
    for name in found:
        if name not in expected and name.startswith(("model.", "lm_head.")) and not _DERIVED.search(name):
            raise CheckpointError(
                f"{source} holds {name}, which its header does not mention or the {config.family} family "
                "does not have; served without it, the model would answer noise"
            )
