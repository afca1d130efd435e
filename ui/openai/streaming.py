"""From answers under way to HTTP: server-sent events or one body, stopped when the client goes away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from core_model.requests import Completion, Piece
from ui.openai.errors import APIError, as_api_error
from ui.served_models import Answer

DONE = b"data: [DONE]\n\n"


class ClientGoneError(APIError):
    """The client closed the connection before it had its answer; the status is for the log (nginx's)."""

    def __init__(self) -> None:
        super().__init__(499, "The client closed the connection.")


def event(data: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


async def merged(answers: list[Answer]) -> AsyncIterator[tuple[int, Piece | Completion]]:
    """Everything that comes of several answers, as it comes, each with the answer's number."""
    arrived: asyncio.Queue[tuple[int, Piece | Completion | Exception]] = asyncio.Queue()

    async def pump(number: int, answer: Answer) -> None:
        try:
            async for piece in answer:
                arrived.put_nowait((number, piece))
            arrived.put_nowait((number, answer.result()))
        except Exception as error:  # noqa: BLE001 - raised again by the reader below
            arrived.put_nowait((number, error))

    tasks = [asyncio.create_task(pump(number, answer)) for number, answer in enumerate(answers)]
    try:
        under_way = len(tasks)
        while under_way:
            number, item = await arrived.get()
            if isinstance(item, Exception):
                raise item
            under_way -= isinstance(item, Completion)
            yield number, item
    finally:
        for task in tasks:
            task.cancel()


async def _ends(answers: list[Answer]) -> list[Completion]:
    """The answers' ends, in the answers' order."""
    ends: dict[int, Completion] = {}
    async for number, item in merged(answers):
        if isinstance(item, Completion):
            ends[number] = item
    return [ends[number] for number in range(len(answers))]


class AnswerStream(StreamingResponse):
    """Streams what comes of answers; whatever ends it, the answers' work ends too."""

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        answers: list[Answer],
        media_type: str,
        told: Callable[[APIError], bytes],
    ) -> None:
        """The status is sent first, so an error becomes the last chunk: what `told` makes of it."""
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(_with_errors(chunks, told), headers=headers, media_type=media_type)
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            for answer in self._answers:
                answer.cancel()


class EventStream(AnswerStream):
    """Streams server-sent events."""

    def __init__(self, events: AsyncIterator[bytes], answers: list[Answer]) -> None:
        super().__init__(events, answers, "text/event-stream", lambda error: event(error.body))


async def _with_errors(
    chunks: AsyncIterator[bytes], told: Callable[[APIError], bytes]
) -> AsyncIterator[bytes]:
    try:
        async for chunk in chunks:
            yield chunk
    except Exception as error:  # noqa: BLE001 - as_api_error logs what nobody foresaw
        yield told(as_api_error(error))


async def collected(request: Request, answers: list[Answer]) -> list[Completion]:
    """The answers' ends, waited for no longer than the client waits. Raises ClientGoneError; stops the answers."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            continue

    working, leaving = asyncio.ensure_future(_ends(answers)), asyncio.ensure_future(gone())
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGoneError
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        for answer in answers:
            answer.cancel()
