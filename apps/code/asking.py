"""Whether a text asks for code at all: a greeting or a question about the weather does not."""

from __future__ import annotations

from core_model.engine import Engine

# Examples in a plain text, since small models answer a question about a text worse: qwen2.5-coder-0.5b-instruct tells
# 48 of 50 short texts apart like this, 44 when it is asked for yes or no.
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
_SURE = 0.7
"""Nats that OTHER must be likelier: a task that is refused is worse than a greeting that gets a program."""
_MOST_CHARACTERS = 300
"""Whoever writes more describes something to be made."""


def asks_for_code(text: str, engine: Engine) -> bool:
    """The model's judgement, of short texts only; in doubt they do."""
    if len(text) > _MOST_CHARACTERS:
        return True
    tokenizer = engine.tokenizer
    prompt = tokenizer.encode(_PROMPT.format(text=" ".join(text.split())))
    code, other = engine.score(prompt, [tokenizer.encode(label) for label in _LABELS])
    return other - code < _SURE
