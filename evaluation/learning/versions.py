"""The versions of an adapter: the one that was delivered, those that were learnt since, and which of them serves.

```
DUET_HOME/learned/support-reader/
    served          the number of the version that serves; 0 (or no file) is the delivered one
    before          the one that served before it
    0001/ 0002/     PEFT folders with recipe, card and figures
```
A running server looks at `served` and swaps; a version is whole before its number is written there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from apps.support.errors import ConflictError

FOLDER = "learned"


@dataclass(frozen=True)
class Versions:
    """Of one adapter. `delivered` is the folder in DUET_ADAPTERS_DIR."""

    home: Path
    delivered: Path

    @property
    def name(self) -> str:
        return self.delivered.name

    @property
    def root(self) -> Path:
        return self.home / FOLDER / self.name

    def served(self) -> int:
        """The number of the version that serves."""
        return _number(self.root / "served")

    def folder(self, version: int) -> Path:
        return self.root / f"{version:04d}" if version else self.delivered

    def served_folder(self) -> Path:
        """The folder of the version that serves; the delivered one where that was removed."""
        folder = self.folder(self.served())
        return folder if (folder / "adapter_config.json").is_file() else self.delivered

    def next(self) -> int:
        """The number of a version that is to be made."""
        made = [int(path.name) for path in self.root.glob("[0-9]*") if path.name.isdigit()]
        return max(made, default=0) + 1

    def serve(self, version: int) -> None:
        """Let a version serve from now on. Raises ConflictError where it is not there."""
        if not (self.folder(version) / "adapter_config.json").is_file():
            raise ConflictError(f"{self.name} has no version {version}: {self.folder(version)} is no adapter")
        _write(self.root / "before", self.served())
        _write(self.root / "served", version)

    def roll_back(self) -> tuple[int, int]:
        """Let the version serve that served before: (what served, what serves now). A second one undoes the first.

        Raises ConflictError where none served before.
        """
        served = self.served()
        if not (self.root / "before").is_file():
            raise ConflictError(f"{self.name} is as it was delivered: there is nothing to roll back")
        before = _number(self.root / "before")
        self.serve(before)
        return served, before


def _number(file: Path) -> int:
    try:
        return int(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return 0
    except ValueError as error:
        raise ConflictError(
            f"{file} holds no version's number: remove it to serve what was delivered"
        ) from error


def _write(file: Path, number: int) -> None:
    """Whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_text(f"{number}\n", encoding="utf-8")
    partial.replace(file)
