"""POST /v1/chat/completions."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from apps.auth import Scope
from apps.permissions import caller_of, needs
from core_model.requests import Completion, TokenLogprob
from core_model.tokenizer import Tokenizer
from core_model.tool_calls import CallReader, ToolCall, read_calls
from ui.openai.schemas import ChatRequest
from ui.openai.streaming import DONE, EventStream, collected, event, merged
from ui.openai.usage import finish_reason, finite, usage, verdict
from ui.runtime import Runtime, runtime_when_ready
from ui.served_models import DEFAULT_ID, Answer

router = APIRouter(dependencies=[needs(Scope.MODELS)])


@router.post("/v1/chat/completions", tags=["OpenAI"])
async def create_chat_completion(
    body: ChatRequest, request: Request, runtime: Annotated[Runtime, Depends(runtime_when_ready)]
) -> Response:
    """Answer a conversation, as one body or as a stream of events."""
    answers = await runtime.models.get(body.model).chat(body, caller_of(request).name)
    head = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "created": int(time.time()),
        "model": body.model or DEFAULT_ID,
    }
    if body.stream:
        return EventStream(_chunks(head, body, answers, runtime), answers)
    ends = await collected(request, answers)
    runtime.metrics.answered(body.model or DEFAULT_ID, ends)
    choices = []
    for number, end in enumerate(ends):
        said, calls = read_calls(end.text) if body.may_call else (end.text, [])
        message: dict[str, Any] = {"role": "assistant", "content": said, "refusal": None}
        if calls:
            message |= {"content": said or None, "tool_calls": [_told(call) for call in calls]}
        choices.append(
            {
                "index": number,
                "message": message,
                "logprobs": _logprobs(end.logprobs, runtime.tokenizer) if body.logprobs else None,
                "finish_reason": finish_reason(end, called=bool(calls)),
                **verdict(body.language, end),
            }
        )
    return JSONResponse(
        {**head, "object": "chat.completion", "choices": choices, "usage": usage(ends, body.n)}
    )


async def _chunks(
    head: dict[str, Any], body: ChatRequest, answers: list[Answer], runtime: Runtime
) -> AsyncIterator[bytes]:
    head = {**head, "object": "chat.completion.chunk"}
    if body.includes_usage:
        head["usage"] = None

    def chunk(number: int, delta: dict[str, Any], logprobs: Any = None, **more: Any) -> bytes:
        choice = {"index": number, "delta": delta, "logprobs": logprobs, "finish_reason": None, **more}
        return event({**head, "choices": [choice]})

    for number in range(len(answers)):
        yield chunk(number, {"role": "assistant", "content": ""})
    said = [0] * len(answers)  # characters
    called = [0] * len(answers)  # tools
    readers = [CallReader() if body.may_call else None for _ in answers]

    def calls(number: int, parts: list[str | ToolCall]) -> Iterator[bytes]:
        for call in parts:
            if isinstance(call, ToolCall):
                yield chunk(number, {"tool_calls": [{"index": called[number], **_told(call)}]})
                called[number] += 1

    ends: list[Completion] = []
    async for number, item in merged(answers):
        reader = readers[number]
        if isinstance(item, Completion):
            ends.append(item)
            if reader is not None and (rest := reader.finish()):
                yield chunk(number, {"content": "".join(map(str, rest))})
            told = verdict(body.language, item, said[number])
            yield chunk(number, {}, finish_reason=finish_reason(item, called[number] > 0), **told)
            continue
        parts: list[str | ToolCall] = [item.text] if reader is None else reader.push(item.text)
        text = "".join(part for part in parts if isinstance(part, str))
        if text or item.logprobs:
            logprobs = _logprobs(item.logprobs, runtime.tokenizer) if body.logprobs else None
            said[number] += len(text)
            yield chunk(number, {"content": text}, logprobs)
        for made in calls(number, parts):
            yield made
    runtime.metrics.answered(body.model or DEFAULT_ID, ends)
    if body.includes_usage:
        yield event({**head, "choices": [], "usage": usage(ends, body.n)})
    yield DONE


def _told(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.as_json}
    return {"id": f"call_{uuid.uuid4().hex}", "type": "function", "function": function}


def _logprobs(logprobs: list[TokenLogprob], tokenizer: Tokenizer) -> dict[str, Any]:
    def entry(token: int, logprob: float) -> dict[str, Any]:
        text = tokenizer.token_bytes(token)
        return {"token": text.decode("utf-8", "replace"), "logprob": finite(logprob), "bytes": list(text)}

    content = [
        {**entry(item.token, item.logprob), "top_logprobs": [entry(*alternative) for alternative in item.top]}
        for item in logprobs
    ]
    return {"content": content, "refusal": None}
