"""What an assistant's reply asks for, as a customer would take it."""

from __future__ import annotations

import re
from typing import Literal

Asked = Literal["identity", "order", "item", "option", "address", "reason", "method", "more"]

_CUES: tuple[tuple[Asked, str], ...] = (
    (
        "more",
        r"anything else|something else|else (i|we) can|what (else )?can i do for you|further (wish|question|request)",
    ),
    ("reason", r"\bwhy\b|\breason\b"),
    (
        "order",
        r"\b(which|what)\b[^.?!]{0,30}\border|order number|number of (the|your) order|which one is it about",
    ),
    ("identity", r"e-?mail|postcode|postal code|\bzip\b|your name|who you are|verify"),
    (
        "method",
        r"\b(which|what|how)\b[^.?!]{0,40}\b(pay|paid|payment|refund|card|method)|pay(pal| with)[^.?!]*\?",
    ),
    (
        "option",
        r"\b(which|what)\b[^.?!]{0,30}\b(option|version|variant|model|colou?r|size|instead|kind)"
        r"|would you (like|prefer)[^.?!]* instead",
    ),
    (
        "item",
        r"\b(which|what)\b[^.?!]{0,30}\b(items?|products?|articles?|things?)"
        r"|(which|what)[^.?!]* (return|send back|exchange|change|cancel)",
    ),
    ("address", r"\baddress\b"),
    ("option", r"\bwhich (one|of)\b|choose|prefer"),
)
_ASKS = re.compile(
    r"\?|\bplease\b|\btell me\b|\blet me know\b|\bi (also |only |still )*need\b", re.IGNORECASE
)


def asked_for(reply: str) -> Asked | None:
    """What the last sentence that asks wants to know; None where nothing is asked, or nothing that is known."""
    sentences = [s for s in re.split(r"(?<=[?!])\s+|(?<=[a-z)\"']\.)\s+|\n", reply) if _ASKS.search(s)]
    for sentence in reversed(sentences):
        for asked, cue in _CUES:
            if re.search(cue, sentence, re.IGNORECASE):
                return asked
    return None
