"""Intents from a trained classification adapter on the shared engine, in place of the examples."""

from __future__ import annotations

from apps.support.errors import SupportError
from apps.support.reading.intents import ALTERNATIVES, INTENTS, OUT_OF_SCOPE, IntentGuess
from core_model.classifier import Classifier

DATASET_NAMES = {"check_invoices": "check_invoice"}
"""Labels of the training data that have another name here."""


class UnfitIntentAdapterError(SupportError):
    """An adapter's labels are not the shop's intents."""


class AdapterIntents:
    """An `IntentRecognizer`. As thread-safe as the engine; one message takes one short forward pass."""

    def __init__(self, classifier: Classifier) -> None:
        """Raises UnfitIntentAdapterError if the adapter knows a label that is no intent of the shop."""
        self._classifier = classifier
        self.adapter = classifier.adapter
        unknown = {_intent(label) for label in classifier.settings.labels} - {*INTENTS, OUT_OF_SCOPE}
        if unknown:
            raise UnfitIntentAdapterError(
                f"adapter '{classifier.adapter}' knows labels that are no intents of the shop: "
                f"{', '.join(sorted(unknown))}; train it with the shop's intents"
            )

    def recognize(self, text: str) -> IntentGuess:
        found = self._classifier.classify(text)
        name = _intent(found.label)
        others = [(_intent(label), chance) for label, chance in found.ranked if _intent(label) != name]
        return IntentGuess(name, found.confidence, tuple(others[:ALTERNATIVES]))


def _intent(label: str) -> str:
    return DATASET_NAMES.get(label, label)
