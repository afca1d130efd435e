"""Logits → a token, exactly and without a mask over the vocabulary.

Adding Gumbel noise to logit / temperature and taking the largest sum is a draw from the softmax. Walking
down the sums and taking the first token that a constraint allows is therefore an exact draw from the masked,
renormalised distribution (Gumbel-max trick; Maddison et al., arXiv 1411.0030).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from core_model.constraint import Constraint
from core_model.requests import SamplingParams, TokenLogprob

Logits = NDArray[np.float32]

_REACH = 12.0
"""Nats below the best logit within which every token gets its own noise at once."""
_PATIENCE = 64
"""Refusals after which the constraint is asked to search by itself."""


def draw(
    logits: Logits,
    params: SamplingParams,
    rng: np.random.Generator,
    *,
    seen: list[int],
    end_ids: frozenset[int],
    constraint: Constraint | None = None,
) -> int | None:
    """One token drawn from `logits` [vocab], or None if the constraint allows no token at all.

    `seen` are the tokens that the repetition penalty (arXiv 1909.05858) applies to. With top-k, top-p or
    min-p the vocabulary is truncated first; only when the constraint refuses all that is left does the walk
    go on past it, in the order of the noisy sums. An end token is taken where the text is complete, and where
    the constraint knows no way to complete it.
    """
    if params.repetition_penalty != 1.0:
        logits = _penalised(logits, seen, params.repetition_penalty)
    if params.ignore_end:
        logits = logits.copy()
        logits[list(end_ids)] = -np.inf
    order = _greedy_order(logits) if params.temperature == 0 else _noisy_order(logits, params, rng)
    if constraint is None:
        return next(order)
    for token in islice(order, _PATIENCE):
        if _lets_end(constraint) if token in end_ids else constraint.allows(token):
            return token
    return _first_allowed(list(order), end_ids, constraint)


def logprob_of(logits: Logits, token: int, top: int) -> TokenLogprob:
    """The log-probability of `token` and of the `top` most likely tokens."""
    peak = logits.max()
    normaliser = peak + np.log(np.exp(logits - peak, dtype=np.float64).sum())
    best = np.argpartition(logits, -top)[-top:] if top else np.empty(0, dtype=np.int64)
    best = best[np.argsort(-logits[best], kind="stable")]
    alternatives = [(int(index), float(logits[index] - normaliser)) for index in best]
    return TokenLogprob(token, float(logits[token] - normaliser), alternatives)


def _penalised(logits: Logits, seen: list[int], penalty: float) -> Logits:
    ids = np.unique(np.asarray(seen, dtype=np.int64))
    logits = logits.copy()
    values = logits[ids]
    logits[ids] = np.where(values > 0, values / penalty, values * penalty)
    return logits


def _greedy_order(logits: Logits) -> Iterator[int]:
    best = int(logits.argmax())
    yield best  # nearly always enough
    others = np.delete(np.arange(len(logits)), best)
    yield from _descending(logits[others], others)


def _noisy_order(logits: Logits, params: SamplingParams, rng: np.random.Generator) -> Iterator[int]:
    """Token ids in falling order of logit / temperature + Gumbel noise."""
    scaled = (logits - logits.max()) / np.float32(params.temperature)
    weights = np.exp(scaled)
    head = np.flatnonzero(scaled > -_REACH)
    truncating = bool(params.top_k or params.top_p < 1 or params.min_p)
    if truncating:
        head = _truncated(scaled, weights, head, params)
    sums = scaled[head] + rng.gumbel(size=len(head))
    weights[head] = 0
    tail_mass = float(weights.sum(dtype=np.float64))
    # The largest noisy sum among all other tokens is itself Gumbel-distributed, about the log of their mass:
    # one draw for it, and their own noise only if they turn out to be in the running.
    best_of_tail = -np.inf if truncating or not tail_mass else np.log(tail_mass) + rng.gumbel()
    taken = 0
    order = np.argsort(-sums, kind="stable")
    for position in order.tolist():
        if sums[position] < best_of_tail:
            break
        taken += 1
        yield int(head[position])
    left = order[taken:]
    tail = np.setdiff1d(np.arange(len(logits)), head, assume_unique=True)
    tail_sums = _sums_below(best_of_tail, scaled[tail], weights[tail], rng)
    yield from _descending(np.concatenate([sums[left], tail_sums]), np.concatenate([head[left], tail]))


def _sums_below(
    best: float, scaled: Logits, weights: Logits, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Noisy sums given that the largest is `best`; -inf: nothing is known of them.

    Top-down construction (Maddison et al., appendix): the largest belongs to a token drawn by weight, the
    others are Gumbels truncated at it.
    """
    sums = scaled + rng.gumbel(size=len(scaled))
    if best > -np.inf:
        winner = rng.choice(len(weights), p=weights / weights.sum(dtype=np.float64))
        sums = -np.logaddexp(-best, -sums)
        sums[winner] = best
    return sums


def _truncated(
    scaled: Logits, weights: Logits, near: NDArray[np.int64], params: SamplingParams
) -> NDArray[np.int64]:
    """Ids that survive top-k, then top-p (arXiv 1904.09751), then min-p (arXiv 2407.01082).

    `near` are the likely ids: the whole vocabulary is sorted only when they do not settle it.
    """
    settled = len(near) >= params.top_k if params.top_k else True
    if not params.top_k and params.top_p < 1:
        settled = weights[near].sum(dtype=np.float64) >= params.top_p * weights.sum(dtype=np.float64)
    if params.min_p and not params.top_k and params.top_p == 1:
        settled = params.min_p >= np.exp(-_REACH)
    pool = near if settled else np.arange(len(scaled))
    kept = pool[np.argsort(-scaled[pool], kind="stable")]
    whole = weights.sum(dtype=np.float64)
    if params.top_k:
        kept = kept[: params.top_k]
        whole = weights[kept].sum(dtype=np.float64)
    if params.top_p < 1:
        probabilities = weights[kept].astype(np.float64) / whole
        kept = kept[np.cumsum(probabilities) - probabilities < params.top_p]
    if params.min_p:
        kept = kept[weights[kept] >= params.min_p * weights[kept[0]]]
    return kept


def _descending(keys: NDArray[np.floating], ids: NDArray[np.int64]) -> Iterator[int]:
    """`ids` by falling key; sorts the first few at once and the rest only when they are wanted."""
    if len(keys) > 4 * _PATIENCE:
        parted = np.argpartition(-keys, _PATIENCE)
        top = parted[:_PATIENCE]
        yield from ids[top[np.argsort(-keys[top], kind="stable")]].tolist()
        keys, ids = keys[parted[_PATIENCE:]], ids[parted[_PATIENCE:]]
    yield from ids[np.argsort(-keys, kind="stable")].tolist()


def _lets_end(constraint: Constraint) -> bool:
    return constraint.may_end() or not constraint.closing()


def _first_allowed(tokens: list[int], end_ids: frozenset[int], constraint: Constraint) -> int | None:
    """The first allowed of many tokens: the constraint's own search beats asking one by one."""
    ends = [position for position, token in enumerate(tokens) if token in end_ids]
    if not constraint.may_end():
        return constraint.first_allowed([token for token in tokens if token not in end_ids])
    end = ends[0] if ends else len(tokens)
    found = constraint.first_allowed(tokens[:end])
    return found if found is not None or not ends else tokens[end]
