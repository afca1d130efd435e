"""Requests drawn from the server's own OpenAPI document: none of them may end in a 500.

TEST_FUZZ_REQUESTS=10000 sends as many as that in all, TEST_FUZZ_SEED draws others.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.ui.conftest import Server

REQUESTS = int(os.environ.get("TEST_FUZZ_REQUESTS", "400"))
SEED = int(os.environ.get("TEST_FUZZ_SEED", "1"))
ALWAYS = ("max_tokens", "n_predict")
MOST = {"max_tokens": 2, "max_completion_tokens": 2, "n_predict": 2, "n": 2, "best_of": 2}
_STRINGS = (
    "", " ", "a", "hello", "Where is my order W1234567?", "python", "cpp", "java", "klingon", "duet-code",
    "duet-support",
    "smollm2-135m-instruct", "user", "assistant", "def f(x):\n", "anna.keller@example.com", "[" * 3_000, "f(" * 900,
    "\x00", "\ud800", "\u202e", "你好", "🏳️‍🌈" * 20, "%s%n", "'; --", "<|im_start|>", "../../etc/passwd", "a" * 5_000,
    "2026-02-30", "1e999", "NaN", "\n" * 900, "```python\n", "{", "null",
)  # fmt: skip
_NUMBERS = (0, 1, -1, 2, 7, 0.5, -0.0, 1e308, -1e308, 2**31, 2**63, 2**64, 10**30)


class Drawing:
    """Values for schemas: mostly as they ask for, now and then anything."""

    def __init__(self, document: dict[str, Any], seed: int) -> None:
        self._document = document
        self._random = random.Random(seed)

    def request(self) -> tuple[str, str, dict[str, Any]]:
        """(method, path, what else `httpx` takes)."""
        draw = self._random
        path, methods = draw.choice(sorted(self._document["paths"].items()))
        method, operation = draw.choice(sorted(methods.items()))
        options: dict[str, Any] = {"params": {}, "headers": {}}
        for parameter in operation.get("parameters", []):
            if not parameter.get("required") and draw.random() < 0.5:
                continue
            text = _text(self.value(parameter["schema"]))
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", quote(text, safe="") or "x")
            elif parameter["in"] == "query":
                options["params"][parameter["name"]] = text
            elif text.isascii() and text.isprintable():
                options["headers"][parameter["name"]] = text
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None:
            schema = self._resolved(content["schema"])
            body = self.value(schema)
            if isinstance(body, dict):
                self._keep_short(body, schema.get("properties", {}))
            options["content"] = self._damaged(json.dumps(body).encode())
            options["headers"]["Content-Type"] = "application/json"
        return method.upper(), path, options

    def value(self, schema: dict[str, Any], depth: int = 0) -> Any:
        draw = self._random
        if depth > 6 or draw.random() < 0.04:
            return draw.choice([None, True, [], {}, draw.choice(_STRINGS), draw.choice(_NUMBERS)])
        if "$ref" in schema:
            return self.value(self._resolved(schema), depth)
        for choice in ("anyOf", "oneOf", "allOf"):
            if choice in schema:
                return self.value(draw.choice(schema[choice]), depth + 1)
        if "const" in schema or "enum" in schema:
            return draw.choice(schema.get("enum") or [schema["const"]])
        match schema.get("type"):
            case "object":
                return {
                    name: self.value(kind, depth + 1)
                    for name, kind in schema.get("properties", {}).items()
                    if name in schema.get("required", ()) or draw.random() < 0.4
                }
            case "array":
                return [
                    self.value(schema.get("items", {}), depth + 1)
                    for _ in range(draw.choice((0, 1, 1, 2, 40)))
                ]
            case "string":
                return draw.choice(_STRINGS)
            case "integer":
                return draw.choice([number for number in _NUMBERS if isinstance(number, int)])
            case "number":
                return draw.choice(_NUMBERS)
            case "boolean":
                return draw.random() < 0.5
        return draw.choice(_STRINGS)

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        name = schema.get("$ref", "").rpartition("/")[2]
        return self._document["components"]["schemas"][name] if name else schema

    def _keep_short(self, body: dict[str, Any], known: dict[str, Any]) -> None:
        """Few tokens and little effort: what is tried is how requests are read, not how long answers get."""
        for name, most in MOST.items():
            value = body.get(name)
            if value is None and name in known and name in ALWAYS:
                body[name] = most
            elif isinstance(value, int | float):
                body[name] = min(value, most)
        if "effort" in body:
            body["effort"] = "quick"

    def _damaged(self, body: bytes) -> bytes:
        if self._random.random() > 0.05:
            return body
        at = self._random.randrange(len(body) + 1)
        return body[:at] + self._random.choice([b"", b"\xff", b"\x00", b"]", b"[" * 2_000]) + body[at:]


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode()[:500]


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=120) as client:
        yield client


@pytest.mark.slow
@pytest.mark.timeout(0 if REQUESTS > 1_000 else 600)
def test_no_request_breaks_the_server(client: httpx.Client) -> None:
    drawing = Drawing(client.get("/openapi.json").json(), SEED)
    broken, statuses = [], set()
    for _ in range(REQUESTS):
        method, path, options = drawing.request()
        answer = client.request(method, path, **options)
        statuses.add(answer.status_code)
        if answer.status_code == 500:
            broken.append((method, path, options, answer.text))
    assert not broken, f"{len(broken)} of {REQUESTS}, the first: {broken[0]}"
    assert {200, 400} <= statuses
    assert client.get("/ready").status_code == 200
