"""Weights in int8 and int4, groups of 64 inputs; the reference of what the kernels compute with.

int8 is symmetric: w = scale * (code - 128). int4 has a minimum: w = scale * code + minimum. Scales and
minimums are fp16.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

GROUP = 64
LANES = 16
"""Output channels that lie side by side in a packed weight."""

CHUNK = 1 << 14
"""Groups that are quantised at once: 4 MiB of float32, so that the search stays in the cache."""

SHRINKAGES = (1.0, 0.9, 0.8)
"""Starting points of the int4 search: parts of the group's range that the 16 codes span."""

REFINEMENTS = 2


def module_bits(weights: str, module: str) -> int:
    """How many bits a linear module has when a decoder is served as `weights`, "int4" or "int8".

    Attention keeps 8 bits in both: of the default model's layers it is only an eighth. So does down_proj, whose
    inputs have outliers; GGUF's mixed formats give it more bits, too.
    """
    return 4 if weights == "int4" and module in ("gate_proj", "up_proj") else 8


@dataclass(frozen=True)
class QuantizedWeight:
    """A linear weight [outputs, inputs] in groups of 64 inputs."""

    bits: int  # 4 or 8
    inputs: int  # without padding
    codes: Tensor  # [outputs, groups * 64] uint8
    scales: Tensor  # [outputs, groups] float16
    minimums: Tensor | None  # [outputs, groups] float16; None where symmetric


def quantize(weight: Tensor, bits: int) -> QuantizedWeight:
    """Round a weight [outputs, inputs] to 8 or 4 bits; a last incomplete group is padded with zeros."""
    outputs, inputs = weight.shape
    padding = -inputs % GROUP
    padded = torch.nn.functional.pad(weight.float(), (0, padding)) if padding else weight.float()
    grouped = padded.reshape(-1, GROUP)
    round_groups = {4: quantize_group, 8: _round_int8}[bits]
    parts = [round_groups(chunk) for chunk in grouped.split(CHUNK)]
    codes = torch.cat([part[0] for part in parts]).view(outputs, -1)
    scales = torch.cat([part[1] for part in parts]).view(outputs, -1)
    minimums = torch.cat([part[2] for part in parts]).view(outputs, -1) if bits == 4 else None
    return QuantizedWeight(bits, inputs, codes, scales, minimums)


def dequantize(weight: QuantizedWeight) -> Tensor:
    """The float32 weight [outputs, inputs] that the codes stand for."""
    outputs, groups = weight.scales.shape
    codes = weight.codes.view(outputs, groups, GROUP).float()
    scales = weight.scales.float()[:, :, None]
    if weight.minimums is None:
        values = (codes - 128) * scales
    else:
        values = codes * scales + weight.minimums.float()[:, :, None]
    return values.view(outputs, -1)[:, : weight.inputs]


def _round_int8(groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """[n, 64] float32 → codes [n, 64], scales [n], no minimums."""
    scales = _to_half(groups.abs().amax(1) / 127)
    codes = (groups * _inverse(scales)[:, None]).round().clamp(-127, 127) + 128
    return codes.to(torch.uint8), scales, torch.empty(0)


def quantize_group(groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """[n, 64] float32 → codes [n, 64], scales [n], minimums [n] of little squared error.

    From several starting ranges: round, then take the scale and minimum that fit these codes best (least
    squares), and again; the best of all wins.
    """
    low, high = groups.amin(1), groups.amax(1)
    middle, reach = (low + high) / 2, (high - low) / 2
    best_error = torch.full_like(low, float("inf"))
    best_scales, best_minimums = torch.zeros_like(low, dtype=torch.float16), _to_half(middle)
    for shrinkage in SHRINKAGES:
        scales, minimums = _to_half(reach * (2 * shrinkage / 15)), _to_half(middle - reach * shrinkage)
        for refinement in range(REFINEMENTS + 1):
            codes = _codes(groups, scales, minimums)
            error = _squared_error(groups, codes, scales, minimums)
            better = error < best_error
            best_error = torch.where(better, error, best_error)
            best_scales = torch.where(better, scales, best_scales)
            best_minimums = torch.where(better, minimums, best_minimums)
            if refinement < REFINEMENTS:
                scales, minimums = _fit(groups, codes, scales)
    codes = _codes(groups, best_scales, best_minimums)
    return codes.to(torch.uint8), best_scales, best_minimums


def _codes(groups: Tensor, scales: Tensor, minimums: Tensor) -> Tensor:
    shifted = groups - minimums.float()[:, None]
    return shifted.mul_(_inverse(scales)[:, None]).round_().clamp_(0, 15)


def _squared_error(groups: Tensor, codes: Tensor, scales: Tensor, minimums: Tensor) -> Tensor:
    error = torch.addcmul(minimums.float()[:, None], codes, scales.float()[:, None]).sub_(groups)
    return error.square_().sum(1)


def _fit(groups: Tensor, codes: Tensor, scales: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and minimum of the least squares line through (code, weight), per group."""
    code_mean, weight_mean = codes.mean(1), groups.mean(1)
    centered = codes - code_mean[:, None]
    spread = centered.square().sum(1)
    slope = (centered * groups).sum(1) / spread.clamp(min=1e-12)
    slope = torch.where(spread > 0, slope, scales.float())
    return _to_half(slope), _to_half(weight_mean - slope * code_mean)


def _to_half(values: Tensor) -> Tensor:
    return values.clamp(-65504, 65504).to(torch.float16)


def _inverse(scales: Tensor) -> Tensor:
    """1 / scale, and 0 for groups whose weights are all equal (or too small for fp16)."""
    scales = scales.float()
    return torch.where(scales != 0, 1 / scales, 0.0)


def pack(weight: QuantizedWeight) -> tuple[Tensor, Tensor]:
    """Lay codes and scales out as the kernels read them (see kernels/linear.h).

    Codes: 8 bit [tiles, groups, 16 quads, 16 channels, 4]; 4 bit [tiles, groups, 8, 16 channels, 4], a byte
    holding the codes of quads 2 i (low) and 2 i + 1 (high). Scales: [tiles, groups, 1 or 2, 16], scale and
    minimum. Channels are padded to 16 with zeros.
    """
    outputs, groups = weight.scales.shape
    padding = -outputs % LANES
    codes = torch.nn.functional.pad(weight.codes, (0, 0, 0, padding))
    tiles = codes.view(-1, LANES, groups, GROUP // 4, 4).permute(0, 2, 3, 1, 4)
    if weight.bits == 4:
        packed = tiles[:, :, 0::2] | (tiles[:, :, 1::2] << 4)
    else:
        packed = tiles.contiguous()
    kinds = [weight.scales] if weight.minimums is None else [weight.scales, weight.minimums]
    scales = torch.stack([torch.nn.functional.pad(kind, (0, 0, 0, padding)) for kind in kinds], -1)
    return packed, scales.view(-1, LANES, groups, len(kinds)).permute(0, 2, 3, 1).contiguous()
