"""The reader that is served for a base, to be measured alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core_model import catalog
from ui.commands.models import progress_bar

if TYPE_CHECKING:
    from apps.settings import Settings
    from apps.support.reading.reader import Reader


def reader_mark(settings: Settings) -> dict[str, str]:
    """What tells the reader from others, also from itself after another training.

    Raises NoReaderError.
    """
    from apps.support.reading.reader import NoReaderError
    from ui.support_pipeline import no_reader, readers_for

    folders = readers_for(settings, settings.model)
    if not folders:
        raise NoReaderError(no_reader(settings))
    weights = (folders[0] / "adapter_model.safetensors").read_bytes()
    return {"adapter": folders[0].name, "adapter_sha256": hashlib.sha256(weights).hexdigest()}


@contextmanager
def trial_reader(settings: Settings) -> Iterator[Reader]:
    """The reader as it is served. Raises NoReaderError."""
    with progress_bar() as progress:
        catalog.resolve(settings.model, settings.home, settings.sources, progress)

    from core_model.causal_lm import load_engine
    from ui.support_pipeline import served_reader

    engine = load_engine(
        settings.model, weights=settings.weights, threads=settings.threads, home=settings.home
    )
    try:
        yield served_reader(engine, settings, settings.model)
    finally:
        engine.close()
