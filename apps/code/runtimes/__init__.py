"""What is compiled or run beside a generated program, and the secret that only it knows.

A program whose end must be seen is given a secret of one run, over a channel of its own. Its entry, which is ours,
reads the secret before anything of the program is run, and signs each line that it tells with it; the last line is
the secret alone. What ends before, with whatever exit code, has not said it.
"""

from __future__ import annotations

import secrets
from pathlib import Path

_FOLDER = Path(__file__).parent


def text_of(name: str) -> str:
    """One of the files here: launch.py, refused.cpp, entry.cpp, Entry.java."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def new_name() -> str:
    """A name that code written before it was drawn cannot use."""
    return f"duet_{secrets.token_hex(8)}"
