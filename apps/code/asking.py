"""Whether a text asks for code at all: a greeting or a question about the weather does not."""

from __future__ import annotations

from functools import cached_property

from apps.code.examples import called_name
from core_model.engine import Engine

# Examples in a plain text, since small models answer a question about a text worse: qwen2.5-coder-0.5b-instruct told
# 48 of 50 short texts apart by such a prompt, 44 when it was asked for yes or no. Of 30 other tasks, as short as one
# word, 2 are taken for something else, and of 20 other texts 16 are seen through.
_PROMPT = """\
Classify the message as CODE (it describes a function, class, algorithm or program to be written) or OTHER (chat, a \
question, a wish).

Message: good evening
Class: OTHER

Message: the sum of a list
Class: CODE

Message: What time is it?
Class: OTHER

Message: a queue with two stacks
Class: CODE

Message: {text}
Class:"""
_LABELS = (" CODE", " OTHER")
_CODE, _OTHER = "sort a list of names", "How are you today?"
_TELLS_APART = 1.0
"""Nats between these two, at least, for a model whose judgement counts."""
_SHARE = 0.1
"""Of the way from the second to the first: a task that is refused is worse than a greeting that gets a program."""
_MOST_CHARACTERS = 300
"""Whoever writes more describes something to be made."""


class Asking:
    """The judgement of one model."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def asks_for_code(self, text: str) -> bool:
        """Whether a text asks for code; in doubt it does, as where it says what to call."""
        if len(text) > _MOST_CHARACTERS or called_name(text) is not None or self._least is None:
            return True
        return self._score(text) > self._least

    @cached_property
    def _least(self) -> float | None:
        """The score from which on a text asks for code; None for a model that cannot tell."""
        code, other = self._score(_CODE), self._score(_OTHER)
        return other + _SHARE * (code - other) if code - other >= _TELLS_APART else None

    def _score(self, text: str) -> float:
        """Log-odds, in nats, of code."""
        tokenizer = self._engine.tokenizer
        prompt = tokenizer.encode(_PROMPT.format(text=" ".join(text.split())))
        code, other = self._engine.score(prompt, [tokenizer.encode(label) for label in _LABELS])
        return code - other
