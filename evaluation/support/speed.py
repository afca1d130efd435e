"""How fast the assistant answers, what a conversation costs, and whether a long one slows it down."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, islice

import numpy as np
import psutil  # type: ignore[import-untyped]

from apps.support.conversations import records
from apps.support.conversations.pipeline import SupportPipeline
from core_model.engine import Engine
from evaluation.errors import EvaluationError
from evaluation.support.conversation import (
    TURNS,
    Answered,
    answer,
    converse,
    customers_with_two_orders,
)
from evaluation.support.plain_peer import PlainPipeline, PlainTurn

OnTurn = Callable[[int, int], None]
EARLY, SPAN = 10, 12
"""The turns that are compared: `SPAN` generated ones from turn 10, and the last `SPAN` generated ones."""
LONG_TURNS = (
    "where is order {order}?",
    "what was its total?",
    "thanks",
    "which address is it going to?",
    "which payment methods do you accept?",
    "where is order {other}?",
    "how much was it in total?",
    "hello",
    "how did I pay for it?",
    "I forgot my password",
)


def support_speed(
    pipeline: SupportPipeline,
    engine: Engine,
    peer: Callable[[], PlainPipeline] | None,
    conversations: int,
    on_turn: OnTurn = lambda done, total: None,
) -> dict[str, float]:
    """Reading and first token of turns in conversations under way; cost of a conversation, also through the peer."""
    customers = customers_with_two_orders(pipeline.database, conversations)
    total = len(TURNS) * conversations
    list(converse(pipeline, engine, customers[0], TURNS[:2]))  # the weights are read for the first time
    measured: list[list[Answered]] = []
    for customer in customers:
        turns = []
        for turn in converse(pipeline, engine, customer, TURNS):
            turns.append(turn)
            on_turn(len(measured) * len(TURNS) + len(turns), total)
        measured.append(turns)
    ongoing = [turn for turns in measured for turn in turns[1:]]
    generated = [turn.first_token_s for turn in ongoing if turn.generated]
    if not generated:
        raise EvaluationError("no turn was generated: nothing to measure")
    figures = {
        "turns": float(len(ongoing)),
        "generated_turns": float(len(generated)),
        "reading_p50_ms": float(np.median([turn.read_ms for turn in ongoing])),
        "first_token_p50_s": float(np.percentile(generated, 50)),
        "first_token_p95_s": float(np.percentile(generated, 95)),
        "first_token_cpu_p95_s": float(
            np.percentile([turn.first_token_cpu_s for turn in ongoing if turn.generated], 95)
        ),
        "any_turn_first_token_p95_s": float(np.percentile([turn.first_token_s for turn in ongoing], 95)),
        **_costs("duet", [turn for turns in measured for turn in turns], conversations),
    }
    if peer is not None:
        plain = peer().converse(measured[0])
        ours = _costs("", measured[0], 1)
        theirs = _costs("", plain, 1)
        figures |= _costs("plain", plain, 1)
        figures["plain_first_token_p95_s"] = float(np.percentile([turn.first_token_s for turn in plain], 95))
        figures |= {f"saved{name}": 1 - ours[name] / theirs[name] for name in ours}
        model_only = [turn.generated for turn in measured[0]]
        ours = _costs("", [t for t, kept in zip(measured[0], model_only, strict=True) if kept], 1)
        theirs = _costs("", [t for t, kept in zip(plain, model_only, strict=True) if kept], 1)
        figures |= {f"saved_on_generated_turns{name}": 1 - ours[name] / theirs[name] for name in ours}
    return figures


def window_speed(
    pipeline: SupportPipeline, engine: Engine, turns: int, on_turn: OnTurn = lambda done, total: None
) -> dict[str, float]:
    """Time per token and memory late in a conversation against early in it; the early order is still known."""
    customer = customers_with_two_orders(pipeline.database, 1)[0]
    with pipeline.database.write() as session:
        conversation = records.open_conversation(
            session, channel="benchmark", language=None, trusted_email=None
        ).id
    texts = [
        "hello",
        f"where is order {customer.order}? my email is {customer.email}",
        *(
            text.format(order=customer.order, other=customer.other)
            for text in islice(cycle(LONG_TURNS), turns - 3)
        ),
        f"what was the total of order {customer.order}?",
    ]
    measured: list[Answered] = []
    memory: list[float] = []
    for text in texts:
        measured.append(answer(pipeline, engine, conversation, text))
        gc.collect()
        memory.append(psutil.Process().memory_info().rss / 2**20)
        on_turn(len(measured), turns)
    generated = [turn for turn in measured[EARLY - 1 :] if turn.generated]
    if len(generated) < 2 * SPAN:
        raise EvaluationError(f"{turns} turns have too few generated ones to compare: take more")
    early, late = _per_token(generated[:SPAN]), _per_token(generated[-SPAN:])
    with pipeline.database.read() as session:
        state = records.get_conversation(session, conversation).state
    return {
        "turns": float(turns),
        "generated_turns": float(len(generated)),
        "early_ms_per_token": 1000 * early,
        "late_ms_per_token": 1000 * late,
        "late_to_early": late / early,
        "early_first_token_s": float(np.median([turn.first_token_s for turn in generated[:SPAN]])),
        "late_first_token_s": float(np.median([turn.first_token_s for turn in generated[-SPAN:]])),
        "early_prompt_tokens": float(np.mean([_prompt(turn) for turn in generated[:SPAN]])),
        "late_prompt_tokens": float(np.mean([_prompt(turn) for turn in generated[-SPAN:]])),
        "early_memory_mb": float(np.mean(memory[EARLY - 1 : EARLY - 1 + SPAN])),
        "late_memory_mb": float(np.mean(memory[-SPAN:])),
        "memory_late_to_early": float(
            np.mean(memory[-SPAN:]) / np.mean(memory[EARLY - 1 : EARLY - 1 + SPAN])
        ),
        "state_bytes": float(len(str(state).encode())),
        "first_order_known": float(
            customer.order in state["proven"] or state["trusted_customer_id"] is not None
        ),
    }


def _per_token(turns: Sequence[Answered]) -> float:
    """Seconds from the first to the last token of a reply, by token: the median of the turns."""
    return float(np.median([(t.seconds - t.first_token_s) / max(1, t.generated_tokens - 1) for t in turns]))


def _prompt(turn: Answered) -> int:
    return turn.prompt_tokens + turn.cached_tokens


def _costs(name: str, turns: Iterable[Answered | PlainTurn], conversations: int) -> dict[str, float]:
    """Per conversation: seconds, CPU seconds, and tokens that the model computed."""
    found = list(turns)
    return {
        f"{name}_seconds": sum(turn.seconds for turn in found) / conversations,
        f"{name}_cpu_seconds": sum(turn.cpu_s for turn in found) / conversations,
        f"{name}_tokens": sum(turn.prompt_tokens + turn.generated_tokens for turn in found) / conversations,
    }
