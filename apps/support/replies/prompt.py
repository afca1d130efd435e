"""The prompt of a reply: the same opening for every customer, then the turn.

The opening is long and the turn short: the engine keeps the opening's keys and values in its prefix cache, so
that its examples cost nothing per turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from apps.support.replies.sentences import Note
from apps.support.words import Language, words_of

MOST_QUOTED_CHARACTERS = 300  # of the customer's message: its meaning is in the notes already


class Exchange(Protocol):
    """An earlier turn of the conversation as the model saw it."""

    @property
    def prompt(self) -> str: ...
    @property
    def reply(self) -> str: ...


def opening_messages(language: Language) -> list[BaseMessage]:
    """What stands before every conversation: the rules and how they are followed."""
    words = words_of(language).prompt
    messages: list[BaseMessage] = [SystemMessage(words.system)]
    for example in words.examples:
        messages.append(HumanMessage(words.turn.format(message=example.message, facts=example.facts)))
        messages.append(AIMessage(example.reply))
    return messages


def adapter_opening(language: Language) -> list[BaseMessage]:
    """What a trained adapter needs in place of rules and examples; the same in training and in service."""
    return [SystemMessage(words_of(language).prompt.adapter_system)]


def turn_prompt(notes: Sequence[Note], message: str, language: Language) -> str:
    """The user message of a turn. Line breaks go: no note or message can look like another part of it."""
    facts = " ".join(" ".join(note.text for note in notes).split())
    quoted = " ".join(message[:MOST_QUOTED_CHARACTERS].split())
    return words_of(language).prompt.turn.format(facts=facts, message=quoted)
