"""Who suggests: a server that speaks llama.cpp's protocol, and llama.cpp itself in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

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
    """Asked as llama.vim asks: text up to the line, the line up to the cursor, text after it."""

    name = "duet"

    def __init__(self, url: str, key: str | None = None) -> None:
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
            "top_k": 40,
            "top_p": 0.9,
            "samplers": ["top_k", "top_p", "infill"],
            "stream": False,
            "cache_prompt": True,
            "response_fields": ["content"],
        }
        started = time.perf_counter()
        try:
            answer = self._client.post("/infill", json=body)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise EvaluationError(f"the server gave no suggestion: {error}") from error
        return Suggested(answer.json()["content"], time.perf_counter() - started)


class LlamaCpp:
    """llama-cpp-python on the same file, behind pipes: what brings it down does not bring the run down."""

    name = "llama_cpp"

    def __init__(self, model: Path, threads: int) -> None:
        """Raises EvaluationError where it is not installed, or cannot read the model."""
        command = [sys.executable, "-m", "evaluation.editor.llama_process", str(model), str(threads)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._read()  # that it is ready

    def suggest(self, prefix: str, suffix: str, block: bool) -> Suggested:
        assert self._process.stdin is not None
        asked = {"prefix": prefix, "suffix": suffix, "block": block, "max_tokens": MAX_TOKENS}
        try:
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise EvaluationError(self._ended()) from error
        answer = self._read()
        return Suggested(str(answer["text"]), float(answer["seconds"]))

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise EvaluationError(self._ended())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise EvaluationError(str(answer["error"]))
        return answer

    def _ended(self) -> str:
        return f"llama.cpp's process ended with status {self._process.wait()}"

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def __enter__(self) -> LlamaCpp:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
