"""The loss of a language model on the tokens that are to be learnt, in little memory."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

ROWS_AT_ONCE = 64
"""Rows of logits in memory at a time: one of a vocabulary of 152,000 tokens is 0.6 MB in float32."""


class ChunkedCrossEntropy(torch.autograd.Function):
    """Cross-entropy of each row of a frozen head, without ever holding the logits of all of them.

    The gradient towards the hidden states is known as soon as a chunk's logits are (softmax minus one-hot, times
    the head), so it is computed in the forward pass, and nothing is computed twice.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, head: Tensor, targets: Tensor, rows: int) -> Tensor:
        """`hidden` [n, h], `head` [vocab, h], `targets` [n]; [n] float32."""
        losses = torch.empty(len(targets))
        gradient = torch.empty_like(hidden)
        for start in range(0, len(targets), rows):
            part, wanted = hidden[start : start + rows], targets[start : start + rows, None]
            logits = (part @ head.T).float()  # [rows, vocab]
            normalisers = logits.logsumexp(-1, keepdim=True)
            losses[start : start + rows] = (normalisers - logits.gather(1, wanted))[:, 0]
            slope = logits.sub_(normalisers).exp_()
            slope.scatter_add_(1, wanted, torch.full(wanted.shape, -1.0))
            gradient[start : start + rows] = slope.to(head.dtype) @ head
        ctx.save_for_backward(gradient)
        return losses

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * outer[0].to(gradient.dtype)[:, None], None, None, None


def predictions(model: Any, tokens: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """(hidden states [n, h], tokens [n]): what the wanted tokens are predicted from, and they themselves.

    `tokens` and `wanted` are [rows, longest]. Only these states go on to the head: of a small model with a large
    vocabulary it is a third of the work.
    """
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = causal.model(input_ids=tokens).last_hidden_state
    following = wanted[:, 1:]
    return hidden[:, :-1][following], tokens[:, 1:][following]


def token_losses(model: Any, tokens: Tensor, wanted: Tensor, rows_at_once: int = ROWS_AT_ONCE) -> Tensor:
    """Cross-entropy of each wanted token, in nats: [n]. Nothing flows into the head's own weights."""
    hidden, targets = predictions(model, tokens, wanted)
    head = model.get_output_embeddings().weight.detach()
    if hidden.requires_grad:
        losses: Tensor = ChunkedCrossEntropy.apply(hidden, head, targets, rows_at_once)
        return losses
    parts = zip(hidden.split(rows_at_once), targets.split(rows_at_once), strict=True)
    return torch.cat(
        [F.cross_entropy((part @ head.T).float(), there, reduction="none") for part, there in parts]
    )
