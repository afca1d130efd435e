"""POST /v1/completions: continue a text, or fill the gap before a suffix."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Discriminator, Tag

from apps.auth import Scope
from apps.permissions import caller_of, needs
from core_model.requests import Completion, TokenLogprob
from core_model.tokenizer import Tokenizer
from ui import tabby
from ui.openai.schemas import CompletionRequest
from ui.openai.streaming import DONE, EventStream, collected, event, merged
from ui.openai.usage import finish_reason, finite, usage, verdict
from ui.runtime import Runtime, runtime_when_ready
from ui.served_models import DEFAULT_ID, Answer
from ui.tabby import TabbyRequest

router = APIRouter(dependencies=[needs(Scope.MODELS)])


def _protocol(body: Any) -> str:
    return "Tabby" if isinstance(body, dict) and "segments" in body else "OpenAI"


CompletionBody = Annotated[
    Annotated[CompletionRequest, Tag("OpenAI")] | Annotated[TabbyRequest, Tag("Tabby")],
    Discriminator(_protocol),
]


@router.post("/v1/completions", tags=["OpenAI"])
async def create_completion(
    body: CompletionBody, request: Request, runtime: Annotated[Runtime, Depends(runtime_when_ready)]
) -> Response:
    """Continue one or several prompts, as one body or as a stream of events; with `segments` as Tabby does."""
    if isinstance(body, TabbyRequest):
        return await tabby.complete(body, request, runtime)
    answers = await runtime.models.get(body.model).complete(body, caller_of(request).name)
    head = {
        "id": f"cmpl-{uuid.uuid4().hex}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": body.model or DEFAULT_ID,
    }
    if body.stream:
        return EventStream(_chunks(head, body, answers, runtime), answers)
    ends = await collected(request, answers)
    runtime.metrics.answered(body.model or DEFAULT_ID, ends)
    choices = [
        {
            "index": number,
            "text": end.text,
            "logprobs": _logprobs(end.logprobs, runtime.tokenizer, 0) if body.logprobs is not None else None,
            "finish_reason": finish_reason(end),
            **verdict(body.language, end),
        }
        for number, end in enumerate(ends)
    ]
    return JSONResponse({**head, "choices": choices, "usage": usage(ends, body.n)})


async def _chunks(
    head: dict[str, Any], body: CompletionRequest, answers: list[Answer], runtime: Runtime
) -> AsyncIterator[bytes]:
    if body.includes_usage:
        head = {**head, "usage": None}
    said = [0] * len(answers)  # characters, for text_offset
    ends: dict[int, Completion] = {}
    async for number, item in merged(answers):
        choice: dict[str, Any] = {"index": number, "text": "", "logprobs": None, "finish_reason": None}
        if isinstance(item, Completion):
            ends[number] = item
            choice |= {"finish_reason": finish_reason(item), **verdict(body.language, item, said[number])}
        elif item.text or item.logprobs:
            choice["text"] = item.text
            if body.logprobs is not None:
                choice["logprobs"] = _logprobs(item.logprobs, runtime.tokenizer, said[number])
            said[number] += len(item.text)
        else:
            continue
        yield event({**head, "choices": [choice]})
    ordered = [ends[number] for number in range(len(answers))]
    runtime.metrics.answered(body.model or DEFAULT_ID, ordered)
    if body.includes_usage:
        yield event({**head, "choices": [], "usage": usage(ordered, body.n)})
    yield DONE


def _logprobs(logprobs: list[TokenLogprob], tokenizer: Tokenizer, offset: int) -> dict[str, Any]:
    def text(token: int) -> str:
        return tokenizer.token_bytes(token).decode("utf-8", "replace")

    tokens = [text(item.token) for item in logprobs]
    return {
        "tokens": tokens,
        "token_logprobs": [finite(item.logprob) for item in logprobs],
        "top_logprobs": [{text(token): finite(value) for token, value in item.top} for item in logprobs],
        "text_offset": [offset + sum(map(len, tokens[:index])) for index in range(len(tokens))],
    }
