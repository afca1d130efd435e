"""Adapters that prefer: of two replies to one conversation the better is made likelier than the worse (DPO,
Rafailov et al. 2023, arXiv 2305.18290)."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from core_model.tokenizer import Message, Tokenizer
from core_model.training.batches import Batch, Row, pad
from core_model.training.errors import TrainingDataError
from core_model.training.examples import Examples, read_examples
from core_model.training.lora_training import Validation
from core_model.training.losses import token_losses
from core_model.training.recipe import Recipe
from core_model.training.replies import encode_reply, numbered_lines, reply_tokens


@dataclass(frozen=True)
class Preference:
    """Two replies to one conversation."""

    chosen: Row
    rejected: Row

    @property
    def longest(self) -> int:
        return max(len(self.chosen.tokens), len(self.rejected.tokens))

    @property
    def key(self) -> tuple[int, ...]:
        return (*self.chosen.tokens, -1, *self.rejected.tokens)


@dataclass(frozen=True)
class PreferenceBatch(Batch):
    """The chosen replies in the first half of the rows, the rejected ones in the second."""

    margins: Tensor
    """[pairs]: log-probability of the chosen less that of the rejected before the training."""


def read_preference_data(
    recipe: Recipe, folder: Path, data_dir: Path | None, tokenizer: Tokenizer
) -> Examples[Preference]:
    """Read JSONL files of {"messages", "chosen", "rejected"}. Raises RecipeError and TrainingDataError."""
    return read_examples(
        recipe,
        folder,
        data_dir,
        read=lambda path: read_preferences(path, tokenizer),
        key=lambda pair: pair.key,
        length=lambda pair: pair.longest,
    )


def read_preferences(path: Path, tokenizer: Tokenizer) -> list[Preference]:
    """The pairs of a JSONL file. Raises TrainingDataError naming the line."""
    pairs = []
    for number, line in numbered_lines(path):
        try:
            content = json.loads(line)
            messages, replies = content["messages"], (content["chosen"], content["rejected"])
            valid = messages and all(isinstance(reply, str) and reply.strip() for reply in replies)
        except (ValueError, TypeError, KeyError) as error:
            raise TrainingDataError(
                f'{path}, line {number}: not {{"messages": [...], "chosen": "...", "rejected": "..."}}'
            ) from error
        if not valid or replies[0] == replies[1]:
            raise TrainingDataError(
                f"{path}, line {number}: chosen and rejected must be two different replies to messages"
            )
        chosen, rejected = (encode_reply(tokenizer, [*messages, _said(reply)]) for reply in replies)
        pairs.append(Preference(chosen, rejected))
    return pairs


class PreferenceObjective:
    """-log sigmoid(beta (margin now - margin before)); a margin is the log-probability of the chosen reply less
    that of the rejected one."""

    def __init__(self, data: Examples[Preference], beta: float, tokens_per_batch: int) -> None:
        self._data, self._beta, self._tokens_per_batch = data, beta, tokens_per_batch
        self._before: dict[tuple[int, ...], float] = {}

    def prepare(self, model: Any) -> None:
        """Margins of the model as it is before the training: the reference, which need not be kept in memory."""
        pairs = {
            pair.key: pair
            for pairs in (self._data.training, self._data.held_out, *self._data.tests.values())
            for pair in pairs
        }
        with torch.inference_mode():
            for pair in pairs.values():
                self._before[pair.key] = float(_margins(model, _batch([pair], [0.0])))

    def batches(self, rng: random.Random) -> list[PreferenceBatch]:
        """As many pairs together as fit, in random order."""
        order = list(self._data.training)
        rng.shuffle(order)
        return self._cut(order)

    def loss(self, model: Any, batch: PreferenceBatch) -> Tensor:
        return -F.logsigmoid(self._beta * (_margins(model, batch) - batch.margins)).mean()

    def validate(self, model: Any) -> Validation:
        figures = self.scores(model, self._data.held_out)
        kept = {f"held_out_{name}": value for name, value in figures.items()}
        return Validation(figures["loss"], (-figures["loss"],), kept)

    def scores(self, model: Any, pairs: Sequence[Preference]) -> dict[str, float]:
        """loss; preferred: pairs whose chosen reply gained on the rejected one; likelier: those in which it is now
        the likelier one; gain: by how much, in nats."""
        gains: list[float] = []
        margins: list[float] = []
        for batch in self._cut(pairs):
            now = _margins(model, batch)
            margins += now.tolist()
            gains += (now - batch.margins).tolist()
        gained = torch.tensor(gains)
        return {
            "loss": float(-F.logsigmoid(self._beta * gained).mean()),
            "preferred": float((gained > 0).float().mean()),
            "likelier": sum(margin > 0 for margin in margins) / len(margins),
            "gain": float(gained.mean()),
        }

    def _cut(self, pairs: Sequence[Preference]) -> list[PreferenceBatch]:
        groups: list[list[Preference]] = []
        for pair in pairs:
            longest = max(pair.longest, *(other.longest for other in groups[-1])) if groups else 0
            if groups and 2 * longest * (len(groups[-1]) + 1) <= self._tokens_per_batch:
                groups[-1].append(pair)
            else:
                groups.append([pair])
        return [_batch(group, [self._before[pair.key] for pair in group]) for group in groups]


def _margins(model: Any, batch: PreferenceBatch) -> Tensor:
    """[pairs]: log-probability of the chosen reply less that of the rejected one."""
    wanted = reply_tokens(batch)
    losses = token_losses(model, batch.tokens, wanted)
    rows = torch.arange(len(wanted))[:, None].expand_as(wanted)[wanted]
    likelihoods = torch.zeros(len(wanted)).index_add(0, rows, -losses)
    chosen, rejected = likelihoods.chunk(2)
    return chosen - rejected


def _batch(pairs: Sequence[Preference], margins: Sequence[float]) -> PreferenceBatch:
    padded = pad([*(pair.chosen for pair in pairs), *(pair.rejected for pair in pairs)])
    return PreferenceBatch(padded.tokens, padded.lengths, padded.targets, torch.tensor(margins))


def _said(reply: str) -> Message:
    return {"role": "assistant", "content": reply}
