"""How published models stretch their rotary positions, as transformers computes it (modeling_rope_utils.py)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core_model.errors import CheckpointError

KINDS = ("default", "linear", "dynamic", "yarn", "longrope", "llama3")


@dataclass(frozen=True)
class RopeScaling:
    """What a scaling comes to."""

    factors: tuple[float, ...]  # divisors of the rotary frequencies, [head_dim / 2]; empty: all 1
    attention: float  # multiplies cos and sin
    context: int  # positions for which this holds


def rope_scaling(
    settings: Mapping[str, Any], theta: float, head_dim: int, context: int, source: str
) -> RopeScaling:
    """Read `rope_parameters` (`rope_scaling` before transformers 5) of a config.json.

    "dynamic" and "longrope" have other frequencies for a text that outgrows the trained length, those of its first
    tokens too; keys in a cache cannot follow, so such models are served up to that length, where they agree.
    Raises CheckpointError, naming `source`, for a kind that is unknown or lacks a number.
    """
    kind = settings.get("rope_type") or settings.get("type") or "default"
    if kind not in KINDS:
        raise CheckpointError(f"{source} uses rope scaling '{kind}'; supported are {', '.join(KINDS)}")
    try:
        if float(settings.get("partial_rotary_factor") or 1.0) != 1.0:
            raise CheckpointError(
                f"{source} rotates a part of each head (partial_rotary_factor), which is not supported"
            )
        original = int(settings.get("original_max_position_embeddings") or context)
        if kind == "linear":
            return RopeScaling((float(settings["factor"]),) * (head_dim // 2), 1.0, context)
        if kind == "yarn":
            return _yarn(settings, theta, head_dim, original, context)
        if kind == "llama3":
            return RopeScaling(_llama3(settings, theta, head_dim, original), 1.0, context)
        if kind == "longrope":
            return _longrope(settings, head_dim, original, context)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise CheckpointError(f"{source}: rope scaling '{kind}' cannot be read: {error!r}") from error
    return RopeScaling((), 1.0, context)


def _llama3(settings: Mapping[str, Any], theta: float, head_dim: int, original: int) -> tuple[float, ...]:
    factor, low, high = (float(settings[key]) for key in ("factor", "low_freq_factor", "high_freq_factor"))
    factors = []
    for index in range(0, head_dim, 2):
        wavelength = 2 * math.pi * theta ** (index / head_dim)
        share = min(1.0, max(0.0, (original / wavelength - low) / (high - low)))
        factors.append(1.0 / ((1 - share) / factor + share))
    return tuple(factors)


def _yarn(
    settings: Mapping[str, Any], theta: float, head_dim: int, original: int, context: int
) -> RopeScaling:
    """YaRN (arXiv 2309.00071): low frequencies are divided, high ones kept, a ramp between them."""
    factor = float(settings.get("factor") or context / original)
    attention = settings.get("attention_factor")
    if attention is None:
        mscale, all_dim = settings.get("mscale"), settings.get("mscale_all_dim")
        if mscale and all_dim:
            attention = _mscale(factor, mscale) / _mscale(factor, all_dim)
        else:
            attention = _mscale(factor)

    def turning(rotations: float) -> float:
        """The dimension that turns so often within the trained length."""
        return head_dim * math.log(original / (rotations * 2 * math.pi)) / (2 * math.log(theta))

    low = turning(float(settings.get("beta_fast") or 32))
    high = turning(float(settings.get("beta_slow") or 1))
    if settings.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, head_dim - 1)
    if low == high:
        high += 0.001
    factors = []
    for index in range(head_dim // 2):
        interpolated = min(1.0, max(0.0, (index - low) / (high - low)))
        factors.append(1.0 / (interpolated / factor + 1 - interpolated))
    return RopeScaling(tuple(factors), float(attention), context)


def _mscale(factor: float, weight: float = 1.0) -> float:
    return 1.0 if factor <= 1 else 0.1 * float(weight) * math.log(factor) + 1.0


def _longrope(settings: Mapping[str, Any], head_dim: int, original: int, context: int) -> RopeScaling:
    """LongRoPE (arXiv 2402.13753) with its factors for texts within the trained length."""
    factors = tuple(float(factor) for factor in settings["short_factor"])
    if len(factors) != head_dim // 2:
        raise ValueError(f"{len(factors)} short factors for {head_dim // 2} frequencies")
    attention = settings.get("attention_factor")
    if attention is None:
        factor = float(settings.get("factor") or context / original)
        attention = 1.0 if factor <= 1 else math.sqrt(1 + math.log(factor) / math.log(original))
    return RopeScaling(factors, float(attention), min(context, original))
