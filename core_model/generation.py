"""The caller's end of a generation: a stream to read, a result to wait for, a way to stop it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from threading import Condition

from core_model.requests import Completion, Piece


class Generation:
    """Iterate over it, or `async for`, for pieces of text as they become certain.

    Both raise what went wrong in the engine. Leaving the loop does not stop the work: `cancel()` does.
    """

    def __init__(self) -> None:
        self._pieces: deque[Piece] = deque()
        self._changed = Condition()
        self._completion: Completion | None = None
        self._error: Exception | None = None
        self._listener: Callable[[], object] | None = None
        self._cancel: Callable[[], None] = lambda: None

    def __iter__(self) -> Iterator[Piece]:
        while (piece := self._next(wait=True)) is not None:
            yield piece

    async def __aiter__(self) -> AsyncIterator[Piece]:
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()
        with self._changed:
            self._listener = partial(loop.call_soon_threadsafe, arrived.set)
        try:
            while True:
                arrived.clear()
                while (piece := self._next(wait=False)) is not None:
                    yield piece
                if self.done and not self._pieces:
                    return
                await arrived.wait()
        finally:
            with self._changed:
                self._listener = None

    @property
    def done(self) -> bool:
        """Whether it ended, for whatever reason."""
        return self._completion is not None or self._error is not None

    def cancel(self) -> None:
        """Stop the work before the next step. The result then says "cancelled"."""
        self._cancel()

    def result(self) -> Completion:
        """Wait for the end. Raises what went wrong in the engine."""
        with self._changed:
            self._changed.wait_for(lambda: self.done)
        if self._error is not None:
            raise self._error
        assert self._completion is not None
        return self._completion

    async def aresult(self) -> Completion:
        """`result()` without blocking the event loop; reads the stream to its end."""
        async for _ in self:
            pass
        return self.result()

    def on_cancel(self, cancel: Callable[[], None]) -> None:
        """For the engine: what `cancel()` does."""
        self._cancel = cancel

    def deliver(self, piece: Piece) -> None:
        """For the engine: one more piece."""
        self._announce(lambda: self._pieces.append(piece))

    def end(self, completion: Completion, error: Exception | None = None) -> None:
        """For the engine: nothing more will come."""

        def finish() -> None:
            self._completion, self._error = (None, error) if error else (completion, None)

        self._announce(finish)

    def _announce(self, change: Callable[[], None]) -> None:
        with self._changed:
            change()
            self._changed.notify_all()
            if self._listener is not None:
                self._listener()

    def _next(self, wait: bool) -> Piece | None:
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._pieces or self.done)
            if self._pieces:
                return self._pieces.popleft()
        if self._error is not None:
            raise self._error
        return None
