"""What speculation brings: the same requests with it and without, alternately: `duet bench speculation`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from langchain_core.messages import HumanMessage

from apps.code.constraints import Constraints
from apps.code.prompts import END_OF_BLOCK, LANGUAGE_NAMES, TRANSLATE, fence
from apps.support.replies.allowed_figures import AllowedFigures
from apps.support.replies.grounding import Grounding
from apps.support.replies.prompt import adapter_opening, opening_messages, turn_prompt
from core_model.chat_model import DuetChatModel
from core_model.engine import Engine
from core_model.requests import Completion, GenerationRequest
from evaluation import humaneval, translation
from evaluation.problems import Problem
from evaluation.reply_pairs.shops import turns_for_test
from evaluation.reply_pairs.situations import Situation

MAX_TOKENS = 320
REPLY_TOKENS = 120
REPLY_WINDOW = 512
PLAIN = (
    "Tell a story of a fisherman and a storm.",
    "Why is the sky blue? Explain it to a child.",
    "Write a letter to a friend who has moved to another town.",
    "Describe a market in the morning.",
    "What should one think of before buying a house?",
    "How do bees make honey?",
)


@dataclass(frozen=True)
class Case:
    """A request of one kind."""

    kind: str
    request: GenerationRequest


@dataclass
class Tally:
    """What the requests of one kind took, with speculation and without."""

    tokens: int = 0
    on_s: float = 0.0
    off_s: float = 0.0
    same: bool = True


def cases(engine: Engine, data: Path, reply_adapter: str | None, limit: int) -> Iterator[Case]:
    """`limit` requests of each kind. `data` is a folder of HumanEval-X. Raises DataError."""
    chat = DuetChatModel(engine=engine)
    for problem in translation.load(data, "python", "java")[:limit]:
        yield Case("translation", _translation(chat, problem))
    programs = humaneval.load(data / "humaneval_python.jsonl.gz", "python")[:limit]
    for problem in programs:
        yield Case("edit", _greedy(chat, _edit(problem)))
    for turn in islice(turns_for_test(), limit):
        yield Case("grounded_reply", _reply(chat, turn, reply_adapter))
    for text in islice(cycle(PLAIN), limit):
        yield Case("plain_text", _greedy(chat, text))
    for problem in programs:
        asked = f"Write this function in {LANGUAGE_NAMES['python']}.\n{problem.task}"
        yield Case("code_grammar_on", _program(chat, asked, "python"))
        yield Case("code_grammar_off", _greedy(chat, asked, prefill=fence("python"), stop=(END_OF_BLOCK,)))


def speculation_speed(
    engine: Engine, asked: list[Case], on_request: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """By kind: tokens a second without and with, their ratio, and whether every text was the same.

    The prompt is in the cache before. Which of the two comes first changes from request to request.
    """
    tallies: dict[str, Tally] = {}
    for number, case in enumerate(asked):
        tally = tallies.setdefault(case.kind, Tally())
        _run(
            engine,
            replace(case.request, sampling=replace(case.request.sampling, max_tokens=1), constraint=None),
        )
        found: dict[bool, Completion] = {}
        for speculate in (False, True) if number % 2 else (True, False):
            started = time.perf_counter()
            found[speculate] = _run(engine, replace(case.request, speculate=speculate))
            seconds = time.perf_counter() - started
            tally.on_s, tally.off_s = (
                tally.on_s + seconds * speculate,
                tally.off_s + seconds * (not speculate),
            )
            on_request()
        tally.tokens += len(found[True].tokens)
        tally.same &= found[True].tokens == found[False].tokens
    metrics: dict[str, float] = {}
    for kind, tally in tallies.items():
        metrics[f"{kind}_off_tokens_per_second"] = tally.tokens / tally.off_s
        metrics[f"{kind}_on_tokens_per_second"] = tally.tokens / tally.on_s
        metrics[f"{kind}_gain"] = tally.off_s / tally.on_s
        metrics[f"{kind}_same_text"] = float(tally.same)
    on, off = (metrics.get(f"code_grammar_{name}_on_tokens_per_second") for name in ("on", "off"))
    if on and off:
        metrics["grammar_on_against_off"] = on / off
    return metrics


def _run(engine: Engine, request: GenerationRequest) -> Completion:
    constraint = request.constraint.fork() if request.constraint else None
    return engine.submit(replace(request, constraint=constraint)).result()


def _greedy(chat: DuetChatModel, text: str, **options: Any) -> GenerationRequest:
    return chat.request([HumanMessage(text)], temperature=0, max_tokens=MAX_TOKENS, **options)


def _program(chat: DuetChatModel, text: str, language: str, start: str = "") -> GenerationRequest:
    """The answer is a program that begins with `start`."""
    block = Constraints(chat.engine.tokenizer).block(language, start)
    return _greedy(
        chat, text, prefill=block.opening + start, stop=[block.end], constraint=lambda: block.constraint
    )


def _translation(chat: DuetChatModel, problem: Problem) -> GenerationRequest:
    inputs = {
        "source_name": LANGUAGE_NAMES["python"],
        "target_name": LANGUAGE_NAMES["java"],
        "source": "python",
        "code": problem.task,
    }
    asked = str(TRANSLATE.format_messages(**inputs)[0].content)
    return _program(chat, asked, "java", problem.start)


def _reply(chat: DuetChatModel, turn: Situation, adapter: str | None) -> GenerationRequest:
    opening = adapter_opening(turn.language) if adapter else opening_messages(turn.language)
    allowed = AllowedFigures.of(turn.notes)
    return chat.request(
        [*opening, HumanMessage(turn_prompt(turn.notes, turn.message, turn.language))],
        temperature=0,
        max_tokens=REPLY_TOKENS,
        window=REPLY_WINDOW,
        adapter=adapter,
        constraint=lambda: Grounding(allowed, chat.engine.tokenizer),
    )


def _edit(problem: Problem) -> str:
    """A change that leaves most of a file as it is."""
    program = problem.reference or problem.start
    parameter = re.search(r"def \w+\((\w+)", program)
    change = (
        f"Rename the parameter `{parameter[1]}` to `given`"
        if parameter
        else "Remove the docstring's examples"
    )
    return (
        f"{change} in this file, and answer with the whole file in one code block.\n```python\n{program}\n```"
    )
