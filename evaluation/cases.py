"""The per-case file of a run: JSON lines, appended as cases finish, so that an interrupted run goes on."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from evaluation.errors import DataError, OtherRunError


class CaseFile:
    """Finished cases by their key. The first line says what the run is; a file of another run is refused.

    `add` may be called from several threads; a line is on the disk when it returns. What an interruption left
    of a last line is cut off.
    """

    def __init__(self, path: Path, run: Mapping[str, Any]) -> None:
        self.path = path
        self._lock = threading.Lock()
        self.cases: dict[str, dict[str, Any]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = _whole_lines(path)
        if lines:
            found = _read(path, lines[0]).get("run")
            if found != dict(run):
                raise OtherRunError(
                    f"{path} belongs to another run ({found}, now {dict(run)}): remove it, or choose another "
                    "--output"
                )
            self.cases = {case["key"]: case for case in (_read(path, line) for line in lines[1:])}
        self._file = path.open("a", encoding="utf-8")
        if not lines:
            self._append({"run": dict(run)})

    def __contains__(self, key: str) -> bool:
        return key in self.cases

    def add(self, key: str, case: Mapping[str, Any]) -> None:
        with self._lock:
            self._append({"key": key, **case})
            self.cases[key] = {"key": key, **case}

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> CaseFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def read_cases(path: Path) -> list[dict[str, Any]]:
    """The cases of a finished or interrupted run. Raises DataError."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"cannot read the cases: {error}") from error
    return [_read(path, line) for line in text.split("\n")[1:-1]]


def _whole_lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(path, len(whole))
    return whole.decode("utf-8", "replace").split("\n")[:-1]


def _read(path: Path, line: str) -> dict[str, Any]:
    try:
        case = json.loads(line)
    except ValueError as error:
        raise DataError(f"{path} is no case file: {error}") from error
    if not isinstance(case, dict):
        raise DataError(f"{path} is no case file: a line is no object")
    return case
