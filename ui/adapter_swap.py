"""Puts what was learnt into service without a restart: watches which version serves, and swaps between turns."""

from __future__ import annotations

import threading
from collections import deque

import structlog

from apps.settings import Settings
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.errors import SupportError
from apps.support.replies.writer import ReplyWriter
from core_model.chat_model import DuetChatModel
from core_model.engine import Engine
from core_model.errors import CoreError, RequestError
from ui.support_pipeline import served_reader, served_reply_adapter

SECONDS_BETWEEN_LOOKS = 5.0
KEPT_LOADED = 1
"""Versions of each role that stay in the engine after they were replaced: a turn that began with one ends with it."""

log = structlog.get_logger(__name__)


class AdapterSwap:
    """A thread that lets the assistant stand on the versions that serve."""

    def __init__(
        self, pipeline: SupportPipeline, chat_model: DuetChatModel, settings: Settings, model: str
    ) -> None:
        self._pipeline = pipeline
        self._chat_model = chat_model
        self._settings = settings
        self._model = model
        self._replaced: dict[str, deque[str]] = {"reader": deque(), "replies": deque()}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="adapter swap", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Swap what is no longer the version that serves. Raises CoreError, SupportError."""
        engine, pipeline = self._chat_model.engine, self._pipeline
        reader = served_reader(engine, self._settings, self._model)
        if reader.adapter != pipeline.reader.adapter:
            self._note("reader", pipeline.reader.adapter, reader.adapter)
            pipeline.reader = reader
        replies = served_reply_adapter(engine, self._settings, self._model)
        if replies != pipeline.replies.adapter:
            self._note("replies", pipeline.replies.adapter, replies)
            pipeline.replies = ReplyWriter(
                self._chat_model, window=self._settings.support_window, adapter=replies
            )
        for replaced in self._replaced.values():
            _unload_oldest(engine, replaced)

    def _note(self, role: str, before: str | None, now: str | None) -> None:
        log.info("adapter swapped", role=role, before=before, now=now)
        replaced = self._replaced[role]
        if now is not None and now in replaced:
            replaced.remove(now)
        if before is not None and "@" in before:  # what was delivered has a name in the API, too
            replaced.append(before)

    def _run(self) -> None:
        while not self._stop.wait(SECONDS_BETWEEN_LOOKS):
            try:
                self.look()
            except (CoreError, SupportError) as error:
                # The version that serves goes on serving.
                log.error("an adapter was not swapped", reason=str(error))
            except Exception:  # a disk that cannot be read, say: the next look may find it well again
                log.exception("an adapter was not swapped")


def _unload_oldest(engine: Engine, replaced: deque[str]) -> None:
    while len(replaced) > KEPT_LOADED:
        if replaced[0] in engine.adapters:
            try:
                engine.remove_adapter(replaced[0])
            except RequestError:  # still in use: the next look tries again
                return
        replaced.popleft()
