"""Who suggests: servers that speak llama.cpp's protocol, its own among them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from evaluation.errors import EvaluationError

MAX_TOKENS = 128


@dataclass(frozen=True)
class Suggested:
    """A suggestion, and the seconds from asking to having it."""

    text: str
    seconds: float


class Contestant(Protocol):
    """Somebody who suggests what belongs at a cursor."""

    name: str

    def suggest(self, prefix: str, suffix: str, block: bool) -> Suggested:
        """Raises EvaluationError."""


class Server:
    """Asked as llama.vim asks, but for the likeliest text: lines before, the line up to the cursor, what follows."""

    def __init__(self, name: str, url: str, ends_lines: bool, key: str | None = None) -> None:
        """`ends_lines`: it ends a single line by itself; another is told to, or it would write on for seconds."""
        self.name = name
        self._ends_lines = ends_lines
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=300)

    def suggest(self, prefix: str, suffix: str, block: bool) -> Suggested:
        line = prefix.rfind("\n") + 1
        body = {
            "id_slot": 0,
            "input_prefix": prefix[:line],
            "prompt": prefix[line:],
            "input_suffix": suffix,
            "input_extra": [],
            "n_predict": MAX_TOKENS,
            "n_indent": len(prefix[line:]) - len(prefix[line:].lstrip()),
            "stop": [] if block or self._ends_lines else ["\n"],
            "temperature": 0.0,
            "stream": False,
            "cache_prompt": True,
            "response_fields": ["content"],
        }
        started = time.perf_counter()
        try:
            answer = self._client.post("/infill", json=body)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise EvaluationError(f"{self.name} gave no suggestion: {error}") from error
        return Suggested(answer.json()["content"], time.perf_counter() - started)


@contextmanager
def llama_cpp(model: Path, threads: int) -> Iterator[Server]:
    """llama.cpp's own server on the same file, in a process of its own: what brings it down ends only its part.

    Raises EvaluationError where it is not installed, or cannot read the model.
    """
    command = [sys.executable, "-m", "evaluation.editor.llama_process", str(model), str(threads)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise EvaluationError(f"llama.cpp's process ended with status {process.wait()}")
            said: dict[str, str] = json.loads(line)
            if "error" in said:
                raise EvaluationError(said["error"])
            yield Server("llama_cpp", said["url"], ends_lines=False)
        finally:
            process.stdin.close()
