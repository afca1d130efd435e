"""Packing a model's weights in a process of its own, so that all the memory it takes is given back afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from core_model.checkpoint import Checkpoint, load_checkpoint
from core_model.kernels.build import KernelsUnavailableError
from core_model.kernels.packing import Progress, pack_file, packed_path, supports


def pack_apart(
    model: Path, checkpoint: Checkpoint, weights: str, home: Path, progress: Progress | None = None
) -> None:
    """Make the packed file of the checkpoint at `model`, unless it is there or the kernels do not support it.

    Raises KernelsUnavailableError where it cannot be made.
    """
    if not supports(checkpoint.config) or packed_path(checkpoint, weights, home / "packed").is_file():
        return
    command = [sys.executable, "-m", __name__, str(model), weights, str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            done, total = map(int, line.split())
            if progress:
                progress(done, total)
        complaint = process.stderr.read().strip()
    if process.returncode:
        reason = complaint.splitlines()[-1] if complaint else f"exit status {process.returncode}"
        raise KernelsUnavailableError(f"packing the weights of {model} failed: {reason}")


def main(model: Path, weights: str, home: Path) -> None:
    """What the process does: one line "done total" for each part."""
    checkpoint = load_checkpoint(model, home / "packed")
    path = packed_path(checkpoint, weights, home / "packed")
    pack_file(checkpoint, weights, path, _say)


def _say(done: int, total: int) -> None:
    sys.stdout.write(f"{done} {total}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
