"""What can go wrong in the core, each raised where the cause is known."""

from __future__ import annotations


class CoreError(Exception):
    """Base of the core's errors."""


class CheckpointError(CoreError):
    """A model file cannot be used; the message says why and what would do."""


class RequestError(CoreError):
    """A request cannot be served as asked; `parameter` names the culprit."""

    def __init__(self, message: str, parameter: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter


class ContextLengthError(RequestError):
    """The prompt and the room for the answer do not fit the model's context or the cache."""


class UnknownAdapterError(RequestError):
    """No adapter of that name is loaded."""


class AdapterError(CoreError):
    """An adapter's files do not fit the base model or cannot be read."""


class EngineClosedError(CoreError):
    """The engine was shut down while the request was waiting or running."""
