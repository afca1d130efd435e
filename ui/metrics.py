"""What the server counts, in Prometheus' format at /metrics."""

from __future__ import annotations

import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core_model.engine import Engine
from core_model.requests import Completion

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1, 2, 5, 10, 30, 60)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()

        self._requests = Counter(
            "duet_http_requests", "Requests", ["path", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "duet_http_request_seconds",
            "From the request to the end of its answer",
            ["path"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._first_token = Histogram(
            "duet_first_token_seconds",
            "From submission to the first token",
            ["model"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._tokens = Counter(
            "duet_tokens",
            "Tokens by kind: prompt, cached, completion",
            ["model", "kind"],
            registry=self._registry,
        )

        self._suggestions = Counter(
            "duet_suggestions",
            "Suggestions in editors by what became of them: shown, accepted, dismissed",
            ["model", "event"],
            registry=self._registry,
        )

    def watch(self, engine: Engine) -> None:
        """Show the engine's load at every scrape."""
        for name, text in (
            ("running", "Requests being generated"),
            ("waiting", "Requests that wait for room"),
            ("cancelled", "Requests whose client went away, since the start"),
            ("free_blocks", "Blocks of the KV cache that nobody holds"),
        ):
            gauge = Gauge(f"duet_engine_{name}", text, registry=self._registry)
            gauge.set_function(lambda name=name: getattr(engine.statistics, name))  # type: ignore[misc]

    def requested(self, path: str, status: int, seconds: float) -> None:
        """An HTTP request has been answered."""
        self._requests.labels(path, status).inc()
        self._seconds.labels(path).observe(seconds)

    def answered(self, model: str, ends: Sequence[Completion]) -> None:
        """Generations for one request have ended."""
        for end in ends:
            if end.tokens:  # none where the context was only read, or time was up before
                self._first_token.labels(model).observe(end.first_token_s)
            self._tokens.labels(model, "prompt").inc(end.prompt_tokens)
            self._tokens.labels(model, "cached").inc(end.cached_tokens)
            self._tokens.labels(model, "completion").inc(len(end.tokens))

    def suggestion(self, model: str, event: str) -> None:
        """An editor tells what became of a suggestion."""
        self._suggestions.labels(model, event).inc()

    def page(self) -> bytes:
        """The page that Prometheus scrapes."""
        return generate_latest(self._registry)


class CountRequests:
    """ASGI middleware: counts and times requests by route (paths would be without number)."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 499  # the client left before an answer began

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        except Exception:
            status = 500
            raise
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requested(route, status, time.perf_counter() - started)
