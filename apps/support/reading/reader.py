"""The trained reader: a message and the state of its conversation in, commands out.

One adapter on the shared engine reads three things, each from a prompt of its own form: what a message wants
(view.py, commands.py), which option of a product it describes (choices.py), the parts of an address
(postal.py). Every answer is decoded under a constraint (grammar.py), so that it can only be of the language,
only about what there is, and only quote the message.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apps.support.errors import SupportError
from apps.support.reading import postal
from apps.support.reading.choices import OptionTable, Wanted
from apps.support.reading.commands import Command, parse
from apps.support.reading.grammar import WithinGrammar, address_grammar, choice_grammar, commands_grammar
from apps.support.reading.view import View
from apps.support.shop.models import Address
from core_model.engine import Engine
from core_model.lora import load_adapter
from core_model.requests import Completion, GenerationRequest, SamplingParams

MOST_COMMAND_TOKENS = 48
MOST_CHOICE_TOKENS = 24
MOST_ADDRESS_TOKENS = 120
ALTERNATIVES = 4


class NoReaderError(SupportError):
    """The base model that is served has no reader."""


@dataclass(frozen=True)
class Reading:
    """What a message wants. `confidence` is the reader's probability of exactly these commands."""

    commands: tuple[Command, ...]
    confidence: float
    alternatives: tuple[tuple[str, float], ...] = field(default=())
    """Other first commands' beginnings that were likely, with their probabilities."""

    @property
    def text(self) -> str:
        return "; ".join(map(str, self.commands))

    @property
    def first(self) -> Command:
        return self.commands[0]


class Reader:
    """As thread-safe as the engine; one reading is one short generation."""

    def __init__(self, engine: Engine, adapter: str) -> None:
        self._engine = engine
        self.adapter = adapter

    @classmethod
    def load(cls, engine: Engine, folder: Path) -> Reader:
        """With the adapter of `folder`, loaded into the engine under the folder's name. Raises CoreError."""
        if folder.name not in engine.adapters:
            engine.add_adapter(load_adapter(folder, engine.config))
        return cls(engine, folder.name)

    def read(self, view: View, message: str) -> Reading:
        """What the message wants, given the conversation's state."""
        completion = self.generate(view.render(message), commands_grammar(view, message), MOST_COMMAND_TOKENS)
        if completion.finish_reason != "stop":
            # Cut short it may lack the exclusion or the no that stood behind.
            return Reading((Command("unclear"),), 0.0)
        commands = tuple(parse(completion.text)) or (Command("unclear"),)
        return Reading(commands, probability(completion), self._alternatives(completion))

    def choose(self, table: OptionTable, message: str) -> Wanted:
        """Which of a product's options the message describes."""
        completion = self.generate(table.render(message), choice_grammar(table, message), MOST_CHOICE_TOKENS)
        return table.parse(completion.text)

    def address(self, message: str) -> Address:
        """The parts of an address that the message gives."""
        completion = self.generate(postal.render(message), address_grammar(message), MOST_ADDRESS_TOKENS)
        return postal.parse(completion.text)

    def generate(self, prompt: str, grammar: str, most_tokens: int) -> Completion:
        """One constrained, greedy answer to a reader's prompt."""
        tokenizer = self._engine.tokenizer
        request = GenerationRequest(
            prompt=tokenizer.encode(prompt),
            sampling=SamplingParams(temperature=0.0, max_tokens=most_tokens, logprobs=ALTERNATIVES),
            adapter=self.adapter,
            constraint=WithinGrammar(grammar, tokenizer),
        )
        return self._engine.submit(request).result()

    def _alternatives(self, completion: Completion) -> tuple[tuple[str, float], ...]:
        if not completion.logprobs:
            return ()
        first = completion.logprobs[0]
        others: Sequence[tuple[int, float]] = [pair for pair in first.top if pair[0] != first.token]
        decode = self._engine.tokenizer.decode
        return tuple((decode([token]), math.exp(logprob)) for token, logprob in others)


def probability(completion: Completion) -> float:
    """The model's probability of exactly this answer."""
    return math.exp(sum(entry.logprob for entry in completion.logprobs))
