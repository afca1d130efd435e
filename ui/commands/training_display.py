"""What commands that train show meanwhile, and what they need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ui.commands.progress import REMAINING, bar

if TYPE_CHECKING:
    from core_model.training.adapter import Note
    from core_model.training.lora_training import Report, TrainingProgress

SECONDS_BETWEEN_LINES = 60.0


def require_training_packages() -> None:
    """Raises TrainingError naming what is not installed."""
    from importlib.util import find_spec

    from core_model.training.errors import TrainingError

    missing = [package for package in ("peft", "transformers", "sklearn") if find_spec(package) is None]
    if missing:
        raise TrainingError(
            f"training needs {', '.join(missing)}: pip install 'duet-assistant[train]' (or make test)"
        )


@contextmanager
def training_display() -> Iterator[tuple[Report, Note]]:
    """A bar on stderr, or a line a minute where that is no terminal; and a line for each validation."""
    with bar("starting", columns=REMAINING, stays=True) as shown:
        console = shown.console
        said_at = 0.0

        def report(progress: TrainingProgress) -> None:
            nonlocal said_at
            if progress.validation is not None:
                figures = ", ".join(
                    f"{name.replace('_', ' ')} {value:.4f}"
                    for name, value in progress.validation.figures.items()
                )
                remaining = (progress.steps - progress.step) / max(1, progress.step)
                console.print(
                    f"epoch {progress.epoch:.2f}, step {progress.step} of {progress.steps}: loss "
                    f"{progress.loss:.4f}, {figures} ({progress.tokens_per_second:.0f} tokens/s, "
                    f"{remaining * progress.seconds / 60:.0f} min left)"
                )
                return
            text = f"loss {progress.loss:.4f}, {progress.tokens_per_second:.0f} tokens/s"
            shown.show(progress.step, progress.steps, text)
            if not console.is_terminal and progress.seconds - said_at >= SECONDS_BETWEEN_LINES:
                said_at = progress.seconds
                console.print(f"step {progress.step} of {progress.steps}: {text}")

        def note(text: str) -> None:
            console.print(text)

        yield report, note
