"""Streams of the command line: what a terminal cannot show is replaced, files are UTF-8, logs go to stderr."""

from __future__ import annotations

import io
import sys

import structlog


def prepare_streams() -> None:
    """Before anything is written."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="replace")
        else:
            sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    if not structlog.is_configured():
        structlog.configure(logger_factory=stderr_logger)


def stderr_logger(*_args: object) -> structlog.PrintLogger:
    """Writes to stderr as it is at that moment."""
    # Asked for each time: a test or a progress bar may have put another stream in its place.
    return structlog.PrintLogger(sys.stderr)
