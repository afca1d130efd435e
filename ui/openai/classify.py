"""POST /v1/classify: the labels that a classification adapter gives texts, in vLLM's form."""

from __future__ import annotations

import time
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from apps.auth import Scope
from apps.permissions import needs
from core_model.classifier import Classification, Classifier
from ui.openai.schemas import ClassifyRequest
from ui.runtime import Runtime, runtime_when_ready

ALTERNATIVES = 3

router = APIRouter(dependencies=[needs(Scope.MODELS)])


@router.post("/v1/classify", tags=["vLLM"])
def classify(
    body: ClassifyRequest, runtime: Annotated[Runtime, Depends(runtime_when_ready)]
) -> dict[str, Any]:
    """Classify one or several texts, computed together. Duet adds `confidence` and `alternatives`."""
    classifier = runtime.models.classifier(body.model)
    prompt_tokens = sum(len(classifier.encode(text)) for text in body.texts)
    return {
        "id": f"classify-{uuid.uuid4().hex}",
        "object": "list",
        "created": int(time.time()),
        "model": body.model,
        "data": [
            _row(number, found, classifier)
            for number, found in enumerate(classifier.classify_all(body.texts))
        ],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": 0, "total_tokens": prompt_tokens},
    }


def _row(number: int, found: Classification, classifier: Classifier) -> dict[str, Any]:
    chances = dict(found.ranked)
    labels = classifier.settings.labels
    return {
        "index": number,
        "label": found.label,
        "probs": [chances[label] for label in labels],
        "num_classes": len(labels),
        "confidence": found.confidence,
        "alternatives": [
            {"label": label, "confidence": chance} for label, chance in found.others[:ALTERNATIVES]
        ],
    }
