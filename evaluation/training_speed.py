"""What a training step costs in time and memory, each option on and off on the same rows."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median

MEGABYTE = 2**20


@dataclass(frozen=True)
class Options:
    """How a step is computed."""

    name: str
    bfloat16: bool = True
    chunked: bool = True  # the loss on chunks of the wanted tokens; else all positions' logits at once
    recomputed_every: int | None = None


@dataclass(frozen=True)
class Work:
    """The same for all options."""

    model: Path
    home: Path
    threads: int
    rows: int = 4
    tokens: int = 128  # of a row
    wanted: int = 32  # of a row, at its end
    steps: int = 5
    rank: int = 8


@dataclass(frozen=True)
class Cost:
    """`peak` is the process' resident memory at its highest, `loaded` that before the first step, in bytes."""

    name: str
    tokens_per_second: float
    loaded: int
    peak: int
    losses: tuple[float, ...]


def variants(every: int) -> list[Options]:
    """Plain float32, each option by itself, and all of them."""
    plain = {"bfloat16": False, "chunked": False}
    return [
        Options("plain float32", **plain),
        Options("bfloat16", bfloat16=True, chunked=False),
        Options("chunked loss", bfloat16=False, chunked=True),
        Options("layers recomputed", recomputed_every=every, **plain),
        Options("all", recomputed_every=every),
    ]


def costs(work: Work, wanted: Sequence[Options], on_cost: Callable[[Cost], None]) -> list[Cost]:
    """One after the other, each in a process of its own: a process' peak never falls."""
    found = []
    for options in wanted:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            cost = pool.submit(cost_of, work, options).result()
        on_cost(cost)
        found.append(cost)
    return found


def cost_of(work: Work, options: Options) -> Cost:
    """Steps of AdamW on low-rank pairs, with random rows of the model's vocabulary."""
    import torch

    from core_model.checkpoint import load_checkpoint
    from core_model.training import trainable
    from core_model.training.losses import token_losses
    from core_model.training.recipe import LoraShape

    torch.set_num_threads(work.threads)
    torch.manual_seed(1)
    checkpoint = load_checkpoint(work.model, work.home / "packed")
    base = trainable.base_model(checkpoint, "bf16", None)
    adapted = trainable.adapt(
        base if options.bfloat16 else base.float(), LoraShape(rank=work.rank), classification=False
    ).train()
    if options.recomputed_every is not None:
        trainable.recompute(adapted, options.recomputed_every)
    parameters = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3)
    rng = random.Random(1)
    tokens = torch.tensor(
        [[rng.randrange(checkpoint.config.vocab) for _ in range(work.tokens)] for _ in range(work.rows)]
    )
    wanted = (torch.arange(work.tokens) >= work.tokens - work.wanted).expand(work.rows, -1)
    loaded, losses, times = _peak(), [], []
    for _ in range(work.steps):
        started = time.perf_counter()
        if options.chunked:
            loss = token_losses(adapted, tokens, wanted).mean()
        else:
            logits = adapted(input_ids=tokens).logits[:, :-1].float()
            loss = torch.nn.functional.cross_entropy(logits[wanted[:, 1:]], tokens[:, 1:][wanted[:, 1:]])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - started)
        losses.append(float(loss))
    return Cost(options.name, tokens.numel() / median(times), loaded, _peak(), tuple(losses))


def _peak() -> int:
    """Bytes; Linux counts in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
