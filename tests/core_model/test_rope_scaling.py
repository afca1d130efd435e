"""What a config.json says about stretched positions, where it is malformed."""

from __future__ import annotations

from typing import Any

import pytest

from core_model.errors import CheckpointError
from core_model.rope_scaling import rope_scaling


@pytest.mark.parametrize(
    "settings",
    [
        {"partial_rotary_factor": "half"},
        {"partial_rotary_factor": [1.0]},
        {"original_max_position_embeddings": "many"},
        {"original_max_position_embeddings": float("inf")},
        {"rope_type": "linear"},
        {"rope_type": "linear", "factor": None},
        {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 1},
        {"rope_type": "longrope", "short_factor": [1.0]},
    ],
)
def test_a_malformed_number_is_refused_with_the_file(settings: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match=r"model/config\.json"):
        rope_scaling(settings, 10_000.0, 64, 2048, "model/config.json")
