"""A text by itself through a shop's own classification adapter, in place of the reader."""

from __future__ import annotations

from apps.support.conversations.turn import IntentFound, IntentResult, entities_of
from apps.support.reading.cleaning import clean
from apps.support.reading.identifiers import find_identifiers
from apps.support.replies.language import detect_language
from core_model.classifier import Classifier

MOST_ALTERNATIVES = 3


def classify(text: str, classifier: Classifier) -> IntentFound:
    """The label that the adapter gives the text, and what the text names."""
    cleaned = clean(text)
    found = classifier.classify(cleaned)
    others = [(label, round(chance, 4)) for label, chance in found.others[:MOST_ALTERNATIVES]]
    return IntentFound(
        intent=IntentResult(name=found.label, confidence=round(found.confidence, 4), alternatives=others),
        entities=entities_of(find_identifiers(cleaned, {}, known=False)),
        language=detect_language(cleaned, None),
    )
