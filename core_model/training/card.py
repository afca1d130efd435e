"""The card of an adapter: what it was made from, how, and how good it is. README.md beside the weights."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core_model.training.data import DataFile

METRICS_FILE = "metrics.json"


@dataclass(frozen=True)
class Card:
    """What is told about an adapter."""

    name: str
    kind: str
    base: str
    weights: str
    files: Sequence[DataFile]
    recipe: str
    parameters: int
    share: float
    metrics: Mapping[str, Mapping[str, float]]
    training: Mapping[str, float]
    notes: Sequence[str]

    def write(self, folder: Path) -> None:
        """README.md for people and metrics.json for programs."""
        content: dict[str, Any] = {
            "name": self.name,
            "kind": self.kind,
            "base": self.base,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": commit(folder),
            "parameters": self.parameters,
            "share_of_base": self.share,
            "data": [asdict(file) for file in self.files],
            "training": dict(self.training),
            "metrics": {name: dict(values) for name, values in self.metrics.items()},
        }
        (folder / METRICS_FILE).write_text(
            json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        (folder / "README.md").write_text(self._markdown(content), encoding="utf-8")

    def _markdown(self, content: Mapping[str, Any]) -> str:
        figures = sorted({name for values in self.metrics.values() for name in values})
        lines = [
            "---",
            f"base_model: {self.base}",
            "library_name: peft",
            "tags: [lora, duet]",
            "---",
            f"# {self.name}",
            "",
            f"A {self.kind} adapter for `{self.base}`, served on {self.weights} weights: "
            f"{self.parameters:,} low-rank parameters, {self.share:.2%} of the base.",
            f"Made on {content['created']} from commit {content['commit']} by `duet adapters train`.",
            "",
            "## How good it is",
            "",
            "| rows | " + " | ".join(figures) + " |",
            "|---" * (len(figures) + 1) + "|",
        ]
        for name, values in self.metrics.items():
            cells = [f"{values[figure]:.4f}" if figure in values else "" for figure in figures]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        lines += ["", *(f"- {note}" for note in self.notes), "", "## What it was trained on", ""]
        lines += ["| file | rows | sha256 |", "|---|---|---|"]
        lines += [f"| {file.path} | {file.rows:,} | {file.sha256} |" for file in self.files]
        lines += ["", "## How", "", "![Losses over the steps](curves.svg)", ""]
        lines += [
            f"- {name.replace('_', ' ')}: {value:,.6g}".replace(",", " ")
            for name, value in self.training.items()
        ]
        lines += ["", "```toml", self.recipe.strip(), "```", ""]
        return "\n".join(lines)


def commit(folder: Path) -> str:
    """The commit of the code, with "+" where it is not as committed; "unknown" outside a git checkout."""
    git = shutil.which("git")
    if git is None:
        return "unknown"

    def ask(*arguments: str) -> str | None:
        result = subprocess.run(
            [git, "-C", str(Path(__file__).parent), *arguments], capture_output=True, text=True, check=False
        )
        return result.stdout.strip() if result.returncode == 0 else None

    head = ask("rev-parse", "--short=12", "HEAD")
    if head is None:
        return "unknown"
    return head + ("+" if ask("status", "--porcelain", "--untracked-files=no", "--", ".") else "")
