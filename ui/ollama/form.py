"""The form of Ollama's answers: `{"error": "…"}` for what went wrong, times as text."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from ui.llama_cpp import compact_json
from ui.openai.errors import APIError, as_api_error, error_response


class OllamaRoute(APIRoute):
    """Lets every error of its route leave in Ollama's form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:  # noqa: BLE001 - as_api_error logs what nobody foresaw
                found = as_api_error(error)
                response = error_response(found)
                headers = {name: response.headers[name] for name in _KEPT if name in response.headers}
                return Response(_told(found), found.status, headers, media_type="application/json")

        return answer


_KEPT = ("www-authenticate", "retry-after")


def error_line(error: APIError) -> bytes:
    """The last line of a stream that went wrong."""
    return _told(error) + b"\n"


def _told(error: APIError) -> bytes:
    return compact_json({"error": error.message})


def now() -> str:
    """This moment, as Ollama writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
