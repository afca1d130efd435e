"""Batches of rows of nearly equal length: a CPU has no time for padding."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

SORTED_TOGETHER = 40
"""Batches whose rows are sorted by length together; between these groups the order is random."""


@dataclass(frozen=True)
class Row:
    """Tokens and what is to be learnt from them."""

    tokens: list[int]
    target: int
    """The class (classification), or the position of the reply's first token (chat)."""


@dataclass(frozen=True)
class Batch:
    """Rows padded on the right. Causal attention never looks there, so no mask is needed."""

    tokens: Tensor  # [rows, longest] int64
    lengths: Tensor  # [rows] int64
    targets: Tensor  # [rows] int64

    @property
    def real_tokens(self) -> int:
        return int(self.lengths.sum())


def make_batches(rows: Sequence[Row], tokens_per_batch: int, rng: random.Random | None = None) -> list[Batch]:
    """Batches of at most `tokens_per_batch` tokens with padding (or of one longer row), in random order.

    Without `rng`, in order of length: for measuring.
    """
    order = list(range(len(rows)))
    if rng is None:
        return [pad(group) for group in _cut(sorted(rows, key=lambda row: len(row.tokens)), tokens_per_batch)]
    rng.shuffle(order)
    mean = max(1.0, sum(len(row.tokens) for row in rows) / max(1, len(rows)))
    span = max(1, round(SORTED_TOGETHER * tokens_per_batch / mean))
    groups: list[list[Row]] = []
    for start in range(0, len(order), span):
        nearby = sorted((rows[index] for index in order[start : start + span]), key=lambda r: len(r.tokens))
        groups += _cut(nearby, tokens_per_batch)
    rng.shuffle(groups)
    return [pad(group) for group in groups]


def _cut(rows: Sequence[Row], tokens_per_batch: int) -> list[list[Row]]:
    """Consecutive rows, ascending in length, in groups whose padded size fits."""
    groups: list[list[Row]] = []
    for row in rows:
        if groups and len(row.tokens) * (len(groups[-1]) + 1) <= tokens_per_batch:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def pad(rows: Sequence[Row]) -> Batch:
    """Rows of different lengths as one batch."""
    longest = max(len(row.tokens) for row in rows)
    return Batch(
        torch.tensor([row.tokens + [0] * (longest - len(row.tokens)) for row in rows]),
        torch.tensor([len(row.tokens) for row in rows]),
        torch.tensor([row.target for row in rows]),
    )
