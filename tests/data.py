"""Published data that the project does not hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA_DIR = "TEST_DATA_DIR"


def data_file(name: str) -> Path:
    """A file of the folder that TEST_DATA_DIR names; skips the test without it."""
    path = Path(os.environ.get(DATA_DIR, "/nowhere")) / name
    if not path.is_file():
        pytest.skip(f"needs {name} ({DATA_DIR})")
    return path
