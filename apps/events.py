"""What comes of a request, made in a thread, and sent as server-sent events as it comes."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

E = TypeVar("E")


async def in_thread(events: Generator[E, None, None]) -> AsyncGenerator[E, None]:
    """The events, waited for outside the event loop. Leaving early stops the work behind them."""
    try:
        while (event := await run_in_threadpool(next, events, None)) is not None:
            yield event
    finally:
        events.close()


async def server_sent(
    first: E, rest: Generator[E, None, None], frame: Callable[[E], bytes], foreseen: type[Exception]
) -> AsyncIterator[bytes]:
    """The frames of the events; a foreseen error is the last one, because the status is sent already."""
    yield frame(first)
    try:
        async for event in in_thread(rest):
            yield frame(event)
    except foreseen as error:
        body = {"message": str(error), "type": "server_error", "param": None, "code": None}
        yield named("error", {"error": body})


def named(name: str, data: dict[str, Any]) -> bytes:
    """One event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
