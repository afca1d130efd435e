"""Errors in OpenAI's shape, for every route: {"error": {"message", "type", "param", "code"}}."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from apps.auth import AuthError, RateLimitError, ScopeError
from apps.code.grammar.errors import GrammarError
from apps.code.sandbox.limits import SandboxError
from apps.code.toolchains import ToolchainMissingError
from apps.support.errors import (
    ConflictError,
    DatabaseNotReadyError,
    NotConfiguredError,
    NotFoundError,
    PayloadError,
    SignatureError,
    SupportError,
)
from core_model.errors import (
    AdapterError,
    ContextLengthError,
    CoreError,
    EngineClosedError,
    RequestError,
    UnknownAdapterError,
)

log = structlog.get_logger(__name__)


class APIError(Exception):
    """An answer other than success."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        retry_after_s: int = 2,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param
        self.code = code
        self.retry_after_s = retry_after_s

    @property
    def body(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


class ModelNotFoundError(APIError):
    """No model of that name is served."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        message = f"The model '{name}' does not exist; there are {', '.join(known)}."
        super().__init__(404, message, param="model", code="model_not_found")


class NotReadyError(APIError):
    """The model is still being loaded, or could not be."""

    def __init__(self, message: str) -> None:
        super().__init__(503, message, kind="server_error", code="not_ready")


class BusyError(APIError):
    """So many requests are waiting already that another one would wait in vain."""

    def __init__(self) -> None:
        message = "Too many requests are waiting; try again in a moment."
        super().__init__(429, message, kind="rate_limit_error", code="busy")


NO_ROUTE = "There is no such route; GET /openapi.json and /docs list those that there are."

# The most specific class that an error belongs to decides: status, type, code.
_OURS: dict[type[Exception], tuple[int, str, str | None]] = {
    ContextLengthError: (400, "invalid_request_error", "context_length_exceeded"),
    UnknownAdapterError: (404, "invalid_request_error", "adapter_not_found"),
    RequestError: (400, "invalid_request_error", None),
    AdapterError: (400, "invalid_request_error", "invalid_adapter"),
    EngineClosedError: (503, "server_error", "shutting_down"),
    AuthError: (401, "invalid_request_error", "invalid_api_key"),
    ScopeError: (403, "invalid_request_error", "missing_scope"),
    RateLimitError: (429, "rate_limit_error", "rate_limit_exceeded"),
    NotFoundError: (404, "invalid_request_error", "not_found"),
    NotConfiguredError: (404, "invalid_request_error", "not_configured"),
    SignatureError: (401, "invalid_request_error", "invalid_signature"),
    PayloadError: (400, "invalid_request_error", "invalid_payload"),
    ConflictError: (409, "invalid_request_error", "conflict"),
    DatabaseNotReadyError: (503, "server_error", "not_ready"),
    SupportError: (400, "invalid_request_error", None),
    GrammarError: (500, "server_error", "grammar_unusable"),
    SandboxError: (500, "server_error", "sandbox_unusable"),
    ToolchainMissingError: (500, "server_error", "toolchain_missing"),
    CoreError: (500, "server_error", None),
}


def as_api_error(error: Exception) -> APIError:
    """The answer that an error becomes. One that nobody foresaw is logged, and told without its details."""
    if isinstance(error, APIError):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, HTTPException):
        if isinstance(error.__cause__, ValueError | RecursionError):
            # What FastAPI makes of a body that breaks the parser instead of being refused by it.
            return APIError(400, "The body is not valid JSON in UTF-8.", code="invalid_json")
        kind = "invalid_request_error" if error.status_code < 500 else "server_error"
        message = NO_ROUTE if error.status_code == 404 else str(error.detail)
        return APIError(error.status_code, message, kind=kind, code=_code(error.status_code))
    for cls in type(error).__mro__:
        if cls in _OURS:
            status, kind, code = _OURS[cls]
            param = error.parameter if isinstance(error, RequestError) else None
            wait = error.retry_after_s if isinstance(error, RateLimitError) else 2
            return APIError(status, str(error), kind=kind, param=param, code=code, retry_after_s=wait)
    log.error("unforeseen error", exc_info=error)
    return APIError(500, "The server had an error; its log says more.", kind="server_error")


def _code(status: int) -> str | None:
    return {404: "not_found", 405: "method_not_allowed", 413: "request_too_large"}.get(status)


def _invalid(error: RequestValidationError) -> APIError:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return APIError(400, f"The body is not valid JSON: {first['ctx']['error']}.", code="invalid_json")
    # Of a union each member has its say; the one that went deepest into the value is the one that was meant.
    same_field = [other for other in error.errors() if other["loc"][:2] == first["loc"][:2]]
    first = max(same_field, key=lambda one: len(one["loc"]))
    path = [step for step in first["loc"] if step not in ("body", "query", "path", "header")]
    # Members of a union stand in the path under the names of their types: not for a client to see.
    param = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path if _shown(step))
    if not param:
        return APIError(400, "The body must be a JSON object, sent as application/json.", code="invalid_json")
    return APIError(400, f"{param[1:]}: {first['msg']}", param=param[1:], code=first["type"])


def _shown(step: int | str) -> bool:
    if isinstance(step, int):
        return True
    return step.isidentifier() and step not in ("str", "int", "float") and not step[:1].isupper()


def error_response(error: Exception) -> Response:
    """The HTTP answer that an error becomes."""
    answer = as_api_error(error)
    headers = {}
    if answer.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if answer.status in (429, 503):
        headers["Retry-After"] = str(answer.retry_after_s)
    content = json.dumps(answer.body, ensure_ascii=False).encode("utf-8", "replace")
    return Response(content, answer.status, headers, media_type="application/json")


def install_error_handlers(app: FastAPI) -> None:
    """Let every error of the app's routes leave in OpenAI's shape."""

    async def answer(_request: Request, error: Exception) -> Response:
        return error_response(error)

    for kind in (APIError, RequestValidationError, HTTPException, *_OURS, Exception):
        app.add_exception_handler(kind, answer)
