"""Names of models: Ollama's have a tag behind a colon, `latest` where nothing else is said."""

from __future__ import annotations

from ui.runtime import Runtime
from ui.served_models import ServedModel

LATEST = ":latest"


def tagged(name: str) -> str:
    """A model's name with its tag."""
    return name if ":" in name else name + LATEST


def model_named(name: str, runtime: Runtime) -> ServedModel:
    """The model of a name with or without its tag; the code assistant where there is none.

    Raises ModelNotFoundError.
    """
    return runtime.models.get(name.removesuffix(LATEST))
