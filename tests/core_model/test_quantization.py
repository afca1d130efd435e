"""Rounding weights to 8 and 4 bits."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from core_model.quantization import GROUP, dequantize, pack, quantize


def plain_int4(weight: Tensor) -> Tensor:
    """Rounding between each group's minimum and maximum, without any search."""
    groups = weight.view(-1, GROUP)
    low, high = groups.amin(1, keepdim=True), groups.amax(1, keepdim=True)
    scales = (high - low) / 15
    return (((groups - low) / scales).round() * scales + low).view_as(weight)


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


def test_int8_is_within_half_a_step_of_every_weight() -> None:
    weight = normal(48, 256)
    steps = weight.view(48, 4, GROUP).abs().amax(2) / 127
    error = (dequantize(quantize(weight, 8)) - weight).abs().view(48, 4, GROUP).amax(2)
    assert (error <= 0.51 * steps + 1e-3 * 127 * steps).all()


def test_int4_is_closer_than_plain_rounding() -> None:
    weight = normal(64, 512)
    searched = (dequantize(quantize(weight, 4)) - weight).square().sum()
    assert searched < 0.9 * (plain_int4(weight) - weight).square().sum()


@pytest.mark.parametrize("bits", [4, 8])
def test_groups_of_equal_weights_and_of_zeros_come_back(bits: int) -> None:
    weight = torch.zeros(16, 192)
    weight[3, 64:128] = 0.5
    # fp16 scales have 11 bits.
    torch.testing.assert_close(dequantize(quantize(weight, bits)), weight, rtol=2**-11, atol=0)


@pytest.mark.parametrize("bits", [4, 8])
def test_weights_far_below_half_precision_become_small_not_infinite(bits: int) -> None:
    restored = dequantize(quantize(torch.full((16, 64), 1e-12) * torch.arange(64), bits))
    assert torch.isfinite(restored).all()
    assert restored.abs().max() < 1e-6


@settings(max_examples=40, deadline=None)
@given(
    outputs=st.integers(1, 40),
    inputs=st.integers(1, 200),
    bits=st.sampled_from([4, 8]),
    magnitude=st.sampled_from([0.01, 1.0, 100.0]),
)
def test_any_shape_comes_back_close(outputs: int, inputs: int, bits: int, magnitude: float) -> None:
    weight = normal(outputs, inputs) * magnitude
    restored = dequantize(quantize(weight, bits))
    assert restored.shape == weight.shape
    spread = weight.abs().amax() * 2
    assert (restored - weight).abs().max() <= spread * {4: 1 / 15, 8: 1 / 200}[bits]


@pytest.mark.parametrize("bits", [4, 8])
def test_packing_puts_each_code_where_the_kernels_look_for_it(bits: int) -> None:
    quantized = quantize(normal(40, 128), bits)
    codes, scales = pack(quantized)
    assert codes.shape == ((3, 2, 8, 16, 4) if bits == 4 else (3, 2, 16, 16, 4))
    for channel, index in [(0, 0), (17, 5), (39, 127), (8, 66), (21, 93)]:
        group, quad, place = index // GROUP, index % GROUP // 4, index % 4
        tile, lane = channel // 16, channel % 16
        if bits == 4:
            code = codes[tile, group, quad // 2, lane, place] >> (4 * (quad % 2)) & 15
        else:
            code = codes[tile, group, quad, lane, place]
        assert code == quantized.codes[channel, index]
        assert scales[tile, group, 0, lane] == quantized.scales[channel, group]
    assert not scales[2, :, :, 8:].any()
