"""Rounding to 4 bits that makes up for its own errors."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from core_model.calibration import calibrated_layers, compensated
from core_model.checkpoint import load_checkpoint
from core_model.lora import MODULES, module_shape
from core_model.quantization import QuantizedWeight, dequantize, quantize


def correlated(rows: int, inputs: int) -> Tensor:
    """Inputs as layers have them: most of what they say lies in a few directions."""
    generator = torch.Generator().manual_seed(5)
    directions = torch.randn(inputs // 8, inputs, generator=generator)
    strengths = torch.randn(rows, inputs // 8, generator=generator)
    return strengths @ directions + 0.1 * torch.randn(rows, inputs, generator=generator)


def output_error(weight: Tensor, rounded: QuantizedWeight, inputs: Tensor) -> float:
    return float((inputs @ (dequantize(rounded) - weight).T).square().mean())


@pytest.mark.parametrize("inputs", [128, 200, 1100])
def test_outputs_are_nearer_than_with_each_weight_rounded_by_itself(inputs: int) -> None:
    weight = torch.randn(96, inputs, generator=torch.Generator().manual_seed(6))
    seen, unseen = correlated(4 * inputs, inputs).split([3 * inputs, inputs])
    rounded = compensated(weight, seen)
    assert rounded.codes.max() <= 15
    assert output_error(weight, rounded, unseen) < 0.5 * output_error(weight, quantize(weight, 4), unseen)


def test_inputs_that_never_differ_from_zero_do_no_harm() -> None:
    weight = torch.randn(32, 128, generator=torch.Generator().manual_seed(7))
    rounded = compensated(weight, torch.zeros(300, 128))
    torch.testing.assert_close(dequantize(rounded), weight, atol=0.4, rtol=0)


def test_every_linear_weight_of_both_families_is_rounded(random_model: Path) -> None:
    checkpoint = load_checkpoint(random_model)
    layers = list(calibrated_layers(checkpoint))
    assert len(layers) == checkpoint.config.layers
    for layer in layers:
        shapes = {module: tuple(dequantize(weight).shape) for module, weight in layer.items()}
        assert shapes == {module: module_shape(checkpoint.config, module) for module in MODULES}
