"""Pairs from a larger model: it answers under the grounding constraint, and what is not true is thrown away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from langchain_core.messages import HumanMessage

from apps.support.replies.allowed_figures import AllowedFigures
from apps.support.replies.grounding import Grounding
from apps.support.replies.prompt import opening_messages, turn_prompt
from core_model import DuetChatModel
from evaluation.reply_pairs.pairs import Pair, is_true
from evaluation.reply_pairs.situations import Situation

TEMPERATURE = 0.6
MOST_TOKENS = 130
MOST_LONGER = 1.6
"""A reply of more than so many times the notes' length adds something."""


def teacher_pairs(
    found: Iterable[Situation],
    teacher: DuetChatModel,
    seconds: float,
    together: int,
    on_answer: Callable[[Pair | None], None] = lambda pair: None,
) -> list[Pair]:
    """What `teacher` says in these situations, `together` at a time, begun within `seconds`; the true ones only.

    `on_answer` is told each pair, or None for a reply that was thrown away.
    """
    begun = time.monotonic()

    def answer(situation: Situation) -> Pair | None:
        if time.monotonic() - begun > seconds:
            return None
        pair = _answer(situation, teacher)
        on_answer(pair)
        return pair

    with ThreadPoolExecutor(together) as pool:
        return [pair for pair in pool.map(answer, found) if pair is not None]


def _answer(situation: Situation, teacher: DuetChatModel) -> Pair | None:
    allowed = AllowedFigures.of(situation.notes)
    tokens = teacher.engine.tokenizer
    prompt = turn_prompt(situation.notes, situation.message, situation.language)
    reply = teacher.bind(
        temperature=TEMPERATURE, max_tokens=MOST_TOKENS, constraint=lambda: Grounding(allowed, tokens)
    ).invoke([*opening_messages(situation.language), HumanMessage(prompt)])
    text = " ".join(str(reply.text).split())
    longest = MOST_LONGER * sum(len(note.text) for note in situation.notes)
    ended = text[-1:] in tuple(".!?。！？")
    return (
        Pair(situation, text) if ended and len(text) <= longest and is_true(text, situation.notes) else None
    )
