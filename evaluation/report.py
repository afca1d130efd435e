"""The JSON report that every `duet eval` and `duet bench` writes, in the shape of the contract:

{"command", "created", "model", "adapter", "data": {"path", "sha256", "rows"}, "machine", "metrics", "cases"}
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from evaluation.errors import DataError


@dataclass(frozen=True)
class Data:
    """What was measured on: a file or a folder (one hash over its files), and how many rows of it."""

    path: str
    sha256: str
    rows: int

    @classmethod
    def of(cls, path: Path, rows: int) -> Data:
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        total = hashlib.sha256()
        for file in files:
            if path.is_dir():
                total.update(f"{file.relative_to(path)}\n".encode())
            total.update(file.read_bytes())
        return cls(str(path), total.hexdigest(), rows)


@dataclass(frozen=True)
class Report:
    """Figures of one run; `metrics` are numbers by name, `cases` the path of the per-case JSONL file."""

    command: str
    model: str
    data: Data
    metrics: Mapping[str, float]
    adapter: str | None = None
    cases: str | None = None
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    machine: Mapping[str, Any] = field(default_factory=lambda: machine())

    def write(self, path: Path) -> None:
        """Whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> Report:
        """Raises DataError for a file that is no report."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{**fields, "data": Data(**fields["data"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DataError(f"{path} is no report of `duet eval` or `duet bench`: {error}") from error


def machine() -> dict[str, Any]:
    """The machine that the figures were taken on."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        processor = names[0].partition(":")[2].strip() if names else processor
    return {
        "processor": processor,
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
