"""The conversation that the speed of the assistant is measured on: a customer asks about their own orders."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle

from sqlalchemy import select

from apps.support.conversations import records
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.turn import Token, TurnResult
from apps.support.shop import models
from apps.support.shop.database import Database
from core_model.engine import Engine
from evaluation.errors import DataError
from evaluation.support.answers import GENERATED

TURNS = (
    "Hello, where is my order {order}?",
    "what did I order?",
    "how much was it in total?",
    "which address is it going to?",
    "how did I pay for it?",
    "how long does delivery take?",
    "can I still cancel it?",
    "how long does a refund take?",
    "what is the status of order {other}?",
    "what was its total?",
)


@dataclass(frozen=True)
class Customer:
    """Somebody with two orders."""

    email: str
    order: str
    other: str


@dataclass
class Answered:
    """One turn: what was said and what it cost. Tokens are those that the model computed."""

    text: str
    prompt: str  # the message with the facts that answer it, as another model would be given it
    reply: str
    generated: bool  # by the model, not a written sentence
    first_token_s: float
    first_token_cpu_s: float  # of all threads: what it cost, however busy the machine was
    seconds: float
    cpu_s: float
    prompt_tokens: int
    generated_tokens: int
    cached_tokens: int
    read_ms: float  # until it was known what the message wants


def customers_with_two_orders(database: Database, count: int) -> list[Customer]:
    """The first ones of the shop, again from the start where there are too few. Raises DataError for none."""
    with database.read() as session:
        rows = session.scalars(select(models.Customer).order_by(models.Customer.id).limit(20 * count))
        found = [
            Customer(row.email, row.orders[0].number, row.orders[1].number)
            for row in rows
            if len(row.orders) >= 2
        ]
    if not found:
        raise DataError("the shop has no customer with two orders to talk about")
    return [customer for customer, _ in zip(cycle(found), range(count), strict=False)]


def converse(
    pipeline: SupportPipeline, engine: Engine, customer: Customer, turns: Iterable[str]
) -> Iterator[Answered]:
    """A conversation of a customer whom a trusted caller names, turn by turn."""
    with pipeline.database.write() as session:
        conversation = records.open_conversation(
            session, channel="benchmark", language=None, trusted_email=customer.email
        ).id
    for turn in turns:
        yield answer(pipeline, engine, conversation, turn.format(order=customer.order, other=customer.other))


def answer(pipeline: SupportPipeline, engine: Engine, conversation: str, text: str) -> Answered:
    """One turn of the served assistant, measured; nothing else may use the engine meanwhile."""
    before, cpu, started = engine.statistics, time.process_time(), time.perf_counter()
    first: float | None = None
    first_cpu = 0.0
    reply, facts = "", ""
    for event in pipeline.stream(conversation, text):
        if isinstance(event, Token) and first is None:
            first, first_cpu = time.perf_counter() - started, time.process_time() - cpu
        if isinstance(event, TurnResult):
            reply = event.reply
            facts = "; ".join(f"{name}: {value}" for name, value in event.facts.items())
    seconds, cpu_s, after = time.perf_counter() - started, time.process_time() - cpu, engine.statistics
    with pipeline.database.read() as session:
        trace = records.traces_of(session, conversation)[-1]
    return Answered(
        text=text,
        reply=reply,
        generated=trace.said["source"] in GENERATED,
        prompt=f"{text}\nFacts: {facts or 'none'}",
        first_token_s=first if first is not None else seconds,
        first_token_cpu_s=first_cpu if first is not None else cpu_s,
        seconds=seconds,
        cpu_s=cpu_s,
        prompt_tokens=after.prompt_tokens - before.prompt_tokens,
        generated_tokens=after.generated_tokens - before.generated_tokens,
        cached_tokens=after.cached_tokens - before.cached_tokens,
        read_ms=trace.milliseconds.get("read", 0.0),
    )
