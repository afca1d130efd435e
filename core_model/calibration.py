"""Rounding to 4 bits that makes up for its own errors (GPTQ, arXiv 2210.17323), on a short text of ours.

A weight is rounded one input after another. What that changes in the outputs, for the inputs that the text brings,
is made up for by the inputs that are not rounded yet. Layers are rounded in order, each on what the rounded ones
before it compute.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

import torch
import torch.nn.functional as F
from torch import Tensor

from core_model.checkpoint import Checkpoint
from core_model.decoder import rms_norm, rotate, rotations
from core_model.quantization import (
    GROUP,
    QuantizedWeight,
    dequantize,
    module_bits,
    quantize,
    quantize_group,
)
from core_model.tensors import linear_name
from core_model.tokenizer import Tokenizer

TEXT = files("core_model") / "calibration.txt"
SEQUENCE = 512
"""Tokens that see each other."""
SEQUENCES = 12
SPAN = 1024
"""Inputs among which errors are made up for; more take time with their cube."""
DAMPING = 0.05
"""Part of the mean squared input added to every input's: directions that the text lacks are not relied upon."""


def calibrated_layers(checkpoint: Checkpoint) -> Iterator[dict[str, QuantizedWeight]]:
    """The decoder's linear weights as int4 serves them, layer by layer, by module name ("q_proj", …)."""
    with torch.inference_mode():
        hidden = checkpoint.tensor("model.embed_tokens.weight")[_tokens(checkpoint)].float()
        for layer in range(checkpoint.config.layers):
            rounded, hidden = _round_layer(checkpoint, layer, hidden)
            yield rounded


def compensated(weight: Tensor, inputs: Tensor) -> QuantizedWeight:
    """A weight [outputs, inputs] in 4 bits, for the inputs [n, inputs] that it meets."""
    return _Compensation(inputs).round(weight)


class _Compensation:
    """How the error of each input is spread over the later ones of its span; shared by weights of equal inputs."""

    def __init__(self, inputs: Tensor) -> None:
        padded = F.pad(inputs.flatten(0, -2), (0, -inputs.shape[-1] % GROUP))
        self._spans = [
            _spread(part) for part in padded.split(SPAN, -1)
        ]  # each [span, span], upper triangular

    def round(self, weight: Tensor) -> QuantizedWeight:
        inputs = weight.shape[1]
        padded = F.pad(weight.float(), (0, -inputs % GROUP))
        # Transposed, so that one input's weights lie together.
        groups = [
            group
            for part, spread in zip(padded.T.split(SPAN), self._spans, strict=True)
            for group in _round_span(part.clone(), spread)
        ]
        codes, scales, minimums = zip(*groups, strict=True)
        return QuantizedWeight(
            4, inputs, torch.cat(codes).T.contiguous(), torch.stack(scales, 1), torch.stack(minimums, 1)
        )


def _spread(inputs: Tensor) -> Tensor:
    """The upper Cholesky factor of the inverse of inputs' moments, [span, span]."""
    moments = inputs.T @ inputs
    moments.diagonal().add_(DAMPING * moments.diagonal().mean() + 1e-8)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(moments))
    return torch.linalg.cholesky(inverse, upper=True)


def _round_span(weight: Tensor, spread: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Rounds `weight` [span, outputs], changing it: per group codes [64, outputs], scales and minimums [outputs]."""
    for start in range(0, len(weight), GROUP):
        group, own = weight[start : start + GROUP], spread[start : start + GROUP, start : start + GROUP]
        _, scales, minimums = quantize_group(group.T)
        scale, minimum = scales.float(), minimums.float()
        inverse = torch.where(scale != 0, 1 / scale, 0.0)
        codes, errors = torch.empty_like(group), torch.empty_like(group)
        for row in range(GROUP):
            torch.mul(group[row] - minimum, inverse, out=codes[row]).round_().clamp_(0, 15)
            rounded = torch.addcmul(minimum, codes[row], scale)
            torch.div(group[row] - rounded, own[row, row], out=errors[row])
            group[row + 1 :].addr_(own[row, row + 1 :], errors[row], alpha=-1)
        weight[start + GROUP :] -= spread[start : start + GROUP, start + GROUP :].T @ errors
        yield codes.to(torch.uint8), scales, minimums


def _round_layer(
    checkpoint: Checkpoint, layer: int, hidden: Tensor
) -> tuple[dict[str, QuantizedWeight], Tensor]:
    """The layer's weights, and what it makes of `hidden` [sequences, tokens, hidden] with them."""
    config = checkpoint.config
    rounded: dict[str, QuantizedWeight] = {}

    def tensor(name: str) -> Tensor:
        return checkpoint.tensor(f"model.layers.{layer}.{name}")

    def linear(inputs: Tensor, *modules: str) -> list[Tensor]:
        compensation: _Compensation | None = None
        results = []
        for module in modules:
            name = linear_name(layer, module)
            weight = checkpoint.tensor(f"{name}.weight")
            if module_bits("int4", module) == 8:
                rounded[module] = quantize(weight, 8)
            else:
                compensation = compensation or _Compensation(inputs)
                rounded[module] = compensation.round(weight)
            bias = checkpoint.tensor(f"{name}.bias") if checkpoint.has(f"{name}.bias") else None
            results.append(F.linear(inputs, dequantize(rounded[module]), bias))
        return results

    normed = rms_norm(hidden, tensor("input_layernorm.weight"), config.rms_eps)
    turned = rotations(torch.arange(hidden.shape[1]).double(), config)
    query, key, value = (
        part.unflatten(-1, (-1, config.head_dim)) for part in linear(normed, "q_proj", "k_proj", "v_proj")
    )
    query, key, value = (part.transpose(1, 2) for part in (rotate(query, turned), rotate(key, turned), value))
    attended = F.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
    hidden = hidden + linear(attended.transpose(1, 2).flatten(2), "o_proj")[0]
    normed = rms_norm(hidden, tensor("post_attention_layernorm.weight"), config.rms_eps)
    gate, up = linear(normed, "gate_proj", "up_proj")
    hidden = hidden + linear(F.silu(gate) * up, "down_proj")[0]
    return rounded, hidden


def _tokens(checkpoint: Checkpoint) -> Tensor:
    """[sequences, tokens]: the text, as far as it is needed."""
    tokens = Tokenizer(checkpoint.tokenizer).encode(TEXT.read_text(encoding="utf-8"))
    length = min(SEQUENCE, checkpoint.config.context)
    return torch.tensor(tokens[: len(tokens) // length * length]).view(-1, length)[:SEQUENCES]
