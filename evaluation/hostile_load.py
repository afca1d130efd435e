"""What one hostile request costs everybody else: how long the server is silent, and how long a plain answer pauses."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

_WRITE, _INFILL, _COMPLETIONS = "/api/code/write", "/infill", "/v1/completions"
_PLAIN = {
    "model": "duet-code",
    "prompt": "def mean(xs):\n",
    "max_tokens": 24,
    "temperature": 0,
    "stream": True,
}
_TIMEOUT_S = 120.0
_BETWEEN_LOOKS_S = 0.02


def _write(task: str) -> tuple[str, dict[str, Any]]:
    return _WRITE, {"task": task, "language": "python", "max_tokens": 5, "effort": "quick"}


def _infill(language: str, prefix: str, suffix: str = "") -> tuple[str, dict[str, Any]]:
    return _INFILL, {"input_prefix": prefix, "input_suffix": suffix, "language": language, "n_predict": 8}


REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("/health", {}),
    "spaces after a call": _write("f(1)" + " " * 16_000 + "x"),
    "blank lines after an input": _write("Input: a" + "\n" * 16_000),
    "calls of calls": _write("f(" * 4_000),
    "lists of lists": _write("f(" + "[" * 8_000),
    "Java, 3,000 parentheses": _infill("java", "class A{int x = " + "(" * 3_000),
    "Python, 3,000 parentheses, closed": _infill("python", "x = " + "(" * 3_000, ")" * 3_000),
    "C++, 2,000 casts or calls": _infill("cpp", "int x = " + "(a)" * 2_000),
    "C++, 2,000 calls of calls": _infill("cpp", "int x = " + "(a)(" * 2_000),
    "Python, 1,000 format strings": _infill("python", "x = " + "f'{" * 1_000),
    "a prefix of 3 MB": _infill("python", "x = 1\n" * 500_000),
    "a prompt of 3 MB": (
        _COMPLETIONS,
        {"model": "duet-code", "prompt": "word " * 600_000, "language": "cpp"},
    ),
}


def hostile_load(url: str, key: str | None, on_case: Callable[[str], None]) -> dict[str, float]:
    """For each request: the longest wait for /health, and the longest pause of a plain answer, in seconds.

    `url` is a running server, of which nothing else asks anything meanwhile.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    found: dict[str, float] = {}
    with httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S) as client:
        _longest_pause(client)  # what the first answer loads is not counted
        for name, (path, body) in REQUESTS.items():
            on_case(name)
            silence_s, pause_s, taken_s, status = _beside(client, path, body)
            found[f"{name}: health s"] = silence_s
            found[f"{name}: pause s"] = pause_s
            found[f"{name}: answered after s"] = taken_s
            found[f"{name}: status"] = status
    return found


def _beside(client: httpx.Client, path: str, body: dict[str, Any]) -> tuple[float, float, float, int]:
    waits: list[float] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            started = time.perf_counter()
            client.get("/health")
            waits.append(time.perf_counter() - started)
            time.sleep(_BETWEEN_LOOKS_S)

    pauses: list[float] = []
    ended: list[tuple[float, int]] = []

    def attack() -> None:
        started = time.perf_counter()
        answer = client.post(path, json=body) if body else client.get(path)
        ended.append((time.perf_counter() - started, answer.status_code))

    threads = [threading.Thread(target=work) for work in (look, attack)]
    for thread in threads:
        thread.start()
    while True:
        pauses.append(_longest_pause(client))
        if not threads[1].is_alive():
            break
    done.set()
    for thread in threads:
        thread.join()
    taken_s, status = ended[0]
    return max(waits, default=0.0), max(pauses), taken_s, status


def _longest_pause(client: httpx.Client) -> float:
    """Of one streamed answer, the time to its first piece included."""
    last, longest = time.perf_counter(), 0.0
    with client.stream("POST", _COMPLETIONS, json=_PLAIN) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: {") and json.loads(line[6:]).get("choices"):
                now = time.perf_counter()
                longest, last = max(longest, now - last), now
    return longest
