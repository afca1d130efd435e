"""The server's log on stderr: as text, or as JSON with one object a line. It tells no values of variables."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import structlog
from structlog.typing import Processor
from uvicorn.config import LOGGING_CONFIG

from ui.terminal import stderr_logger

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]


def configure_logs(form: LogFormat, level: LogLevel) -> dict[str, Any]:
    """Configure our own log; what is given to uvicorn as `log_config`, so that its lines have the same form.

    Tracebacks name lines, not the values of variables: those are customers' messages and keys.
    """
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        stamp,
    ]
    if form == "json":
        shown: list[Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        shown = [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    structlog.configure(
        processors=[*before, *shown],
        logger_factory=stderr_logger,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
    )
    if form == "text":
        return LOGGING_CONFIG
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shown],
        "foreign_pre_chain": before,
    }
    handler = {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"stderr": handler},
        "loggers": {"uvicorn": {"handlers": ["stderr"], "level": "INFO", "propagate": False}},
    }
