"""What the customer wants: one of 27 shop intents, or none of them."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from apps.support.replies.language import Language

INTENTS = (
    "cancel_order",
    "change_order",
    "change_shipping_address",
    "check_cancellation_fee",
    "check_invoice",
    "check_payment_methods",
    "check_refund_policy",
    "complaint",
    "contact_customer_service",
    "contact_human_agent",
    "create_account",
    "delete_account",
    "delivery_options",
    "delivery_period",
    "edit_account",
    "get_invoice",
    "get_refund",
    "newsletter_subscription",
    "payment_issue",
    "place_order",
    "recover_password",
    "registration_problems",
    "review",
    "set_up_shipping_address",
    "switch_account",
    "track_order",
    "track_refund",
)
OUT_OF_SCOPE = "out_of_scope"
EXAMPLES = files("apps.support.reading") / "intent_examples.json"
ALTERNATIVES = 3

_RIDGE = 0.3
_TEMPERATURES = (0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2)
_FAMILIAR = 0.12
"""A message less like every example than this (cosine) is about something else."""
_FIGURE = re.compile(r"[!-~]*\d[!-~]*")  # ASCII: Chinese is written around figures without spaces
_WORD = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+")
_DELEGATED = re.compile(
    r"\b(?:(?:can|could|would) (?:yo)?u )?(?:please )?ask (?:an? |the )?(?:agents?|someone|somebody)"
    r"(?: if| whether)?\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class IntentGuess:
    """`confidence` is the probability of `name`; `alternatives` are the next likely intents with theirs."""

    name: str
    confidence: float
    alternatives: tuple[tuple[str, float], ...] = field(default=())


class IntentRecognizer(Protocol):
    """Anything that finds the intent of one message."""

    def recognize(self, text: str) -> IntentGuess: ...


class ExampleIntents:
    """Finds the intent whose examples a message resembles most.

    Words, pairs of words and fragments of 2 to 4 characters (typing errors and Chinese cost little), weighted
    by rarity, and a ridge regression from them to the intents over the packaged examples. The probabilities
    are a softmax whose temperature fits the examples when each is left out in turn. It takes about a
    millisecond and no model; a trained adapter can stand in its place.
    """

    def __init__(self, examples: dict[str, list[str]] | None = None) -> None:
        examples = examples if examples is not None else packaged_examples()
        self._names = list(examples)
        texts = [text for name in self._names for text in examples[name]]
        labels = np.repeat(np.arange(len(self._names)), [len(examples[name]) for name in self._names])
        counts = [_counts(text) for text in texts]
        documents = Counter(feature for count in counts for feature in count)
        self._index = {feature: place for place, feature in enumerate(documents)}
        self._rarity = np.array(
            [math.log((1 + len(texts)) / (1 + found)) + 1 for found in documents.values()], dtype=np.float32
        )
        self._examples = np.stack([self._vector(count) for count in counts])  # [examples, features]
        target = np.eye(len(self._names), dtype=np.float32)[labels] - 1 / len(self._names)
        gram = self._examples @ self._examples.T
        inverse = np.linalg.inv(gram + _RIDGE * np.eye(len(texts), dtype=np.float32))
        dual = inverse @ target
        self._weights = self._examples.T @ dual  # [features, intents]
        left_out = target - dual / np.diag(inverse)[:, None]  # each example's scores without itself
        self._temperature = min(_TEMPERATURES, key=lambda t: _surprise(left_out / t, labels))

    def recognize(self, text: str) -> IntentGuess:
        vector = self._vector(_counts(text))
        present = np.flatnonzero(vector)  # a message has a hundred features of seven thousand
        chances = _softmax((vector[present] @ self._weights[present]) / self._temperature)
        order = [int(place) for place in np.argsort(-chances)]
        familiar = float((self._examples[:, present] @ vector[present]).max(initial=0.0))
        if familiar < _FAMILIAR and self._names[order[0]] != OUT_OF_SCOPE and OUT_OF_SCOPE in self._names:
            order.insert(0, order.pop(order.index(self._names.index(OUT_OF_SCOPE))))
            chances[order[0]] = 1 - familiar
        ranked = [(self._names[place], float(chances[place])) for place in order[: ALTERNATIVES + 1]]
        return IntentGuess(*ranked[0], tuple(ranked[1:]))

    def _vector(self, counts: Counter[str]) -> NDArray[np.float32]:
        """[features]; words and fragments weigh the same, and the whole has length 1."""
        vector = np.zeros(len(self._index), dtype=np.float32)
        for kind in ("word", "part"):
            places = [self._index[f] for f in counts if f in self._index and f.startswith(kind)]
            if not places:
                continue
            known = [count for f, count in counts.items() if f in self._index and f.startswith(kind)]
            values = (1 + np.log(np.array(known, dtype=np.float32))) * self._rarity[places]
            vector[places] = values / np.linalg.norm(values)
        length = float(np.linalg.norm(vector))
        return vector / length if length else vector


def packaged_examples() -> dict[str, list[str]]:
    """Intent → example messages in every language, as shipped."""
    return {
        name: [text for texts in languages.values() for text in texts]
        for name, languages in _stored_examples().items()
    }


def example_messages(intent: str, language: Language) -> list[str]:
    """The packaged messages of one intent in one language."""
    return _stored_examples()[intent][language]


@cache
def _stored_examples() -> dict[str, dict[str, list[str]]]:
    """Intent → language → messages."""
    stored: dict[str, dict[str, list[str]]] = json.loads(EXAMPLES.read_text("utf-8"))
    return stored


def _counts(text: str) -> Counter[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    # "Ask an agent how…" is a way to ask, not a wish to speak to one.
    undelegated = _DELEGATED.sub(" ", folded)
    if len(undelegated.split()) > 2:
        folded = undelegated
    words = _WORD.findall(_FIGURE.sub(" ", folded))
    counts = Counter(f"word {word}" for word in words)
    counts.update(f"word {first} {second}" for first, second in pairwise(words))
    counts.update(f"part {part}" for word in words for part in _parts(f" {word} "))
    return counts


def _parts(word: str) -> Iterable[str]:
    return (word[at : at + size] for size in (2, 3, 4) for at in range(len(word) - size + 1))


def _softmax(scores: NDArray[np.floating]) -> NDArray[np.float32]:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True), dtype=np.float32)
    result: NDArray[np.float32] = powers / powers.sum(axis=-1, keepdims=True)
    return result


def _surprise(scores: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Mean negative log-likelihood of the labels."""
    chances = _softmax(scores)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chances, 1e-9)).mean())
