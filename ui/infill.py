"""POST /infill: llama.cpp's protocol (its server's README), which llama.vim and llama.vscode speak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from apps.auth import Scope
from apps.permissions import caller_of, needs
from core_model.requests import Completion
from ui.openai.schemas import CompletionRequest
from ui.openai.streaming import EventStream, collected, event, merged
from ui.openai.usage import verdict
from ui.runtime import Runtime, runtime_when_ready
from ui.served_models import Answer

MODEL = "duet-code"
DEFAULT_TOKENS = 256

router = APIRouter(dependencies=[needs(Scope.MODELS)])


class ExtraFile(BaseModel):
    """Some text of another file."""

    filename: str = "snippet"
    text: str


class InfillRequest(BaseModel):
    """Fields that are not listed here (samplers, time limits, cache_prompt, …) are let through and do nothing."""

    model_config = ConfigDict(strict=True)

    input_prefix: str = ""
    input_suffix: str = ""
    input_extra: list[ExtraFile] = Field(default=[], max_length=256)
    prompt: str = ""  # follows the prefix: the line up to the cursor
    n_predict: int = Field(-1, ge=-1)
    temperature: float = 0.0  # an editor's suggestion should not change with every look
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = -1
    stop: list[str] = Field(default=[], max_length=64)
    stream: bool = False
    language: str | None = None  # Duet's own: python, java or cpp, for code that parses

    @property
    def known_language(self) -> str | None:
        """None also where nothing is to be written: editors read their context into the cache that way."""
        return self.language if self.n_predict else None


@router.post("/infill", tags=["editors"])
async def infill(
    body: InfillRequest, request: Request, runtime: Annotated[Runtime, Depends(runtime_when_ready)]
) -> Response:
    """What belongs between `input_prefix` + `prompt` and `input_suffix`, as one body or as a stream of events."""
    prefix = body.input_prefix + body.prompt
    files = [(extra.filename, extra.text) for extra in body.input_extra]
    wanted = CompletionRequest.model_validate(
        {
            "model": MODEL,
            "prompt": await asyncio.to_thread(runtime.tokenizer.encode_fim, prefix, body.input_suffix, files),
            "max_tokens": DEFAULT_TOKENS if body.n_predict < 0 else max(1, body.n_predict),
            "temperature": body.temperature,
            "top_k": max(0, body.top_k),
            "top_p": body.top_p,
            "min_p": body.min_p,
            "seed": None if body.seed < 0 else body.seed,
            "stop": body.stop or None,
            "language": body.known_language,
        }
    )
    answers = await runtime.models.get(MODEL).complete(wanted, caller_of(request).name)
    if body.stream:
        return EventStream(_events(body, answers, runtime), answers)
    (end,) = await collected(request, answers)
    runtime.metrics.answered(MODEL, [end])
    text = end.text if body.n_predict else ""
    return JSONResponse(_final(body, end, text) | {"content": text})


async def _events(body: InfillRequest, answers: list[Answer], runtime: Runtime) -> AsyncIterator[bytes]:
    said, tokens = "", 0
    async for _, item in merged(answers):
        if isinstance(item, Completion):
            runtime.metrics.answered(MODEL, [item])
            yield event(_final(body, item, said))
        elif item.text and body.n_predict:
            said += item.text
            tokens += len(item.tokens)
            yield event({"index": 0, "content": item.text, "stop": False, "tokens_predicted": tokens})


def _final(body: InfillRequest, end: Completion, text: str) -> dict[str, Any]:
    """The last event: what it cost, and why it ended."""
    prompt_ms, predicted_ms = end.first_token_s * 1000, (end.total_s - end.first_token_s) * 1000
    read, written = end.prompt_tokens - end.cached_tokens, len(end.tokens)
    return {
        "index": 0,
        "content": "",
        "model": MODEL,
        "stop": True,
        "stop_type": "limit" if end.finish_reason == "length" else "eos",
        "has_new_line": "\n" in text,
        "truncated": False,
        "tokens_evaluated": end.prompt_tokens,
        "tokens_predicted": written,
        "tokens_cached": end.prompt_tokens + written,
        "timings": {
            "cache_n": end.cached_tokens,
            "prompt_n": read,
            "prompt_ms": round(prompt_ms, 3),
            "prompt_per_second": _per_second(read, prompt_ms),
            "predicted_n": written,
            "predicted_ms": round(predicted_ms, 3),
            "predicted_per_second": _per_second(written, predicted_ms),
        },
        **verdict(body.known_language, end, len(text)),
    }


def _per_second(count: int, milliseconds: float) -> float:
    return round(1000 * count / milliseconds, 3) if milliseconds else 0.0
