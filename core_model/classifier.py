"""A trained classification adapter at work: a text → its label, how sure, and whether it is in scope."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core_model.engine import Engine
from core_model.errors import AdapterError
from core_model.lora import LoraAdapter, load_adapter
from core_model.tokenizer import Tokenizer

FILE_NAME = "classifier.json"
WEIGHT, BIAS = "score.weight", "score.bias"
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class ClassifierSettings:
    """What is stored beside the adapter's weights; everything that turns logits into an answer."""

    labels: tuple[str, ...]
    """In the order of the head's rows."""
    suffix: str
    """Follows each text and asks for its class; the head reads the hidden state of its last token."""
    max_tokens: int
    """Of a text and the suffix."""
    temperature: float = 1.0
    """Logits are divided by it (arXiv 1706.04599)."""
    threshold: float = 0.0
    """A text whose best label has less probability is out of scope."""
    out_of_scope: str = "out_of_scope"
    """The label of rows that belong nowhere; the head has a row for it if it was trained with such rows."""

    def write(self, folder: Path) -> None:
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> ClassifierSettings:
        """Raises AdapterError for a folder without the file, or with one of another make."""
        file = folder / FILE_NAME
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            return cls(**{**content, "labels": tuple(content["labels"])})
        except FileNotFoundError as error:
            raise AdapterError(f"{folder} is no classification adapter: it has no {FILE_NAME}") from error
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise AdapterError(f"{file} cannot be read: {error}") from error

    def encode(self, tokenizer: Tokenizer, text: str) -> list[int]:
        """The tokens of a text and the suffix; of a long text, its beginning and its end."""
        tokens, suffix = tokenizer.encode(_SPACES.sub(" ", text).strip()), tokenizer.encode(self.suffix)
        room = self.max_tokens - len(suffix)
        if len(tokens) > room:
            tokens = tokens[: room - room // 3] + tokens[len(tokens) - room // 3 :]
        return [*tokens, *suffix]

    def decide(self, logits: NDArray[np.float32]) -> Classification:
        """The answer that `logits` [labels] stand for."""
        probabilities = softmax(logits / self.temperature)
        order = np.argsort(-probabilities, kind="stable")
        ranked = tuple((self.labels[i], float(probabilities[i])) for i in order)
        best, confidence = next(entry for entry in ranked if entry[0] != self.out_of_scope)
        if confidence < self.threshold:
            return Classification(self.out_of_scope, 1.0 - confidence, False, best, confidence, ranked)
        return Classification(best, confidence, True, best, confidence, ranked)


@dataclass(frozen=True)
class Classification:
    """What a text was taken for."""

    label: str
    """The answer: a class, or the out-of-scope label."""
    confidence: float
    in_scope: bool
    best: str
    """The likeliest class, whatever the out-of-scope decision."""
    best_probability: float
    ranked: tuple[tuple[str, float], ...]
    """All labels with their probabilities, likeliest first."""

    @property
    def others(self) -> list[tuple[str, float]]:
        """What else it could have been, likeliest first."""
        return [entry for entry in self.ranked if entry[0] != self.label]


class Classifier:
    """Classifies texts on an engine in which the adapter is loaded. As thread-safe as the engine."""

    def __init__(self, engine: Engine, adapter: LoraAdapter, settings: ClassifierSettings) -> None:
        """Raises AdapterError if the head's tensors do not fit the labels or the base."""
        weight = adapter.heads.get(WEIGHT)
        expected = (len(settings.labels), engine.config.hidden)
        if weight is None or tuple(weight.shape) != expected:
            found = "none" if weight is None else list(weight.shape)
            raise AdapterError(
                f"adapter '{adapter.name}': the head {WEIGHT} must be {list(expected)}, found {found}"
            )
        self.engine = engine
        self.adapter = adapter.name
        self.settings = settings
        self._weight: NDArray[np.float32] = weight.float().numpy()  # [labels, hidden]
        bias = adapter.heads.get(BIAS)
        self._bias: NDArray[np.float32] | float = 0.0 if bias is None else bias.float().numpy()

    @classmethod
    def load(cls, engine: Engine, folder: Path, name: str | None = None) -> Classifier:
        """Read an adapter's folder; load it into the engine unless one of its name is there already.

        Raises AdapterError.
        """
        settings = ClassifierSettings.read(folder)
        name = name or folder.name
        loaded = engine.adapters.get(name)
        adapter = loaded or load_adapter(folder, engine.config, name)
        classifier = cls(engine, adapter, settings)
        if loaded is None:
            engine.add_adapter(adapter)
        return classifier

    def encode(self, text: str) -> list[int]:
        """The tokens that the model reads for a text."""
        return self.settings.encode(self.engine.tokenizer, text)

    def logits(self, prompts: Sequence[list[int]]) -> NDArray[np.float32]:
        """[prompts, labels], before the temperature."""
        hidden = self.engine.encode(list(prompts), adapter=self.adapter)
        result: NDArray[np.float32] = hidden @ self._weight.T + self._bias
        return result

    def classify(self, text: str) -> Classification:
        """The class of one text."""
        return self.settings.decide(self.logits([self.encode(text)])[0])

    def classify_all(self, texts: Sequence[str]) -> list[Classification]:
        """The classes of several texts, computed together."""
        if not texts:
            return []
        return [self.settings.decide(row) for row in self.logits([self.encode(text) for text in texts])]


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Along the last axis."""
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    result: NDArray[np.float32] = shifted / shifted.sum(-1, keepdims=True)
    return result
