"""Prompts that are only read: how likely their tokens are, or their last hidden state."""

from __future__ import annotations

from collections.abc import Sequence as Tokens
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core_model.sequence import Sequence


@dataclass(eq=False)
class Measuring(Sequence):
    """A sequence that is only read: for its tokens' likelihood, or for its last hidden state."""

    score_from: int | None = None  # position of the first token whose log-probability is wanted
    logprobs: list[float] = field(default_factory=list)
    hidden: NDArray[np.float32] | None = None
    result: Future[Measuring] = field(default_factory=Future)

    @property
    def reads_logits(self) -> bool:
        return self.score_from is not None

    @property
    def reusable(self) -> int:
        return (self.score_from or len(self.tokens)) - 1

    def receive(self, hidden: Tensor, logits: Tensor, draft: Tokens[int]) -> int:
        if self.score_from is None:
            self.finished = len(hidden) > 0
        else:
            done = self.score_from + len(self.logprobs)
            targets = self.tokens[done : done + len(logits)]
            logprobs = logits[: len(targets)].log_softmax(-1)
            self.logprobs += logprobs[torch.arange(len(targets)), targets].tolist()
            self.finished = done + len(targets) == len(self.tokens)
        if self.finished:
            self.hidden = hidden[-1].numpy().copy()
        return 0

    def end(self, error: Exception | None = None) -> None:
        if error:
            self.result.set_exception(error)
        else:
            self.result.set_result(self)
