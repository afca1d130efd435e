"""POST /api/generate and POST /api/chat: JSON lines, or one body where no stream is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from apps.auth import Scope
from apps.permissions import caller_of, needs
from core_model.requests import Completion
from core_model.tool_calls import CallReader, ToolCall
from ui.llama_cpp import compact_json
from ui.ollama.form import OllamaRoute, error_line, now
from ui.ollama.names import model_named, tagged
from ui.ollama.schemas import GenerateRequest, OllamaChatRequest
from ui.openai.streaming import AnswerStream, collected, merged
from ui.openai.usage import finish_reason
from ui.runtime import Runtime, runtime_when_ready
from ui.served_models import Answer, ServedModel

router = APIRouter(tags=["Ollama"], dependencies=[needs(Scope.MODELS)], route_class=OllamaRoute)
ReadyRuntime = Annotated[Runtime, Depends(runtime_when_ready)]

Say = Callable[[str | ToolCall], dict[str, Any]]
"""What of an answer a line carries: text or a call, in the words of the route."""


@router.post("/api/generate")
async def generate(body: GenerateRequest, request: Request, runtime: ReadyRuntime) -> Response:
    """Answer a prompt, fill the gap before `suffix`, or with `raw` continue a text."""
    model = model_named(body.model, runtime)

    def say(part: str | ToolCall) -> dict[str, Any]:
        return {"response": part}

    if not body.prompt and not body.suffix:
        return _loaded(model, say(""))
    gap, owner = body.gap, caller_of(request).name
    if gap is not None:
        answers = await model.fill(gap, owner)
    elif body.raw:
        answers = await model.complete(body.as_completion, owner)
    else:
        answers = await model.chat(body.as_chat, owner)
    return await _answer(model, answers, body.stream, request, runtime, say, calls=False)


@router.post("/api/chat")
async def chat(body: OllamaChatRequest, request: Request, runtime: ReadyRuntime) -> Response:
    """Answer a conversation."""
    model = model_named(body.model, runtime)

    def say(part: str | ToolCall) -> dict[str, Any]:
        if isinstance(part, str):
            return {"message": {"role": "assistant", "content": part}}
        function = {"name": part.name, "arguments": part.arguments}
        return {"message": {"role": "assistant", "content": "", "tool_calls": [{"function": function}]}}

    if not body.messages:
        return _loaded(model, say(""))
    answers = await model.chat(body.as_chat, caller_of(request).name)
    return await _answer(model, answers, body.stream, request, runtime, say, calls=bool(body.tools))


def _loaded(model: ServedModel, said: dict[str, Any]) -> Response:
    """Nothing was asked: clients load and unload models by it. Ours stays in memory."""
    told = {"model": tagged(model.id), "created_at": now(), **said, "done": True, "done_reason": "load"}
    return Response(compact_json(told), media_type="application/json")


async def _answer(
    model: ServedModel,
    answers: list[Answer],
    stream: bool,
    request: Request,
    runtime: Runtime,
    say: Say,
    calls: bool,
) -> Response:
    """The first answer as a stream, or as one body once it is whole."""

    def line(said: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"model": tagged(model.id), "created_at": now(), **said, "done": False, **more}

    if stream:
        lines = _lines(model, answers, runtime, say, calls, line)
        return AnswerStream(lines, answers, "application/x-ndjson", error_line)
    (end,) = await collected(request, answers)
    runtime.metrics.answered(model.id, [end])
    reader = CallReader()
    parts: list[str | ToolCall] = [*reader.push(end.text), *reader.finish()] if calls else [end.text]
    said = say("".join(part for part in parts if isinstance(part, str)))
    found = [
        call for part in parts if isinstance(part, ToolCall) for call in say(part)["message"]["tool_calls"]
    ]
    if found:
        said["message"]["tool_calls"] = found
    return Response(compact_json(line(said, **_end(end))), media_type="application/json")


async def _lines(
    model: ServedModel,
    answers: list[Answer],
    runtime: Runtime,
    say: Say,
    calls: bool,
    line: Callable[..., dict[str, Any]],
) -> AsyncIterator[bytes]:
    reader = CallReader() if calls else None
    async for _, item in merged(answers):
        if isinstance(item, Completion):
            runtime.metrics.answered(model.id, [item])
            for part in reader.finish() if reader is not None else []:
                yield compact_json(line(say(part))) + b"\n"
            yield compact_json(line(say(""), **_end(item))) + b"\n"
            return
        for part in [item.text] if reader is None else reader.push(item.text):
            if part:
                yield compact_json(line(say(part))) + b"\n"


def _end(end: Completion) -> dict[str, Any]:
    """Why an answer ended and what it took; times in nanoseconds."""
    read_ns = round((end.first_token_s or end.total_s) * 1e9)
    total_ns = round(end.total_s * 1e9)
    return {
        "done": True,
        "done_reason": finish_reason(end),
        "total_duration": total_ns,
        "load_duration": 0,
        "prompt_eval_count": end.prompt_tokens,
        "prompt_eval_duration": read_ns,
        "eval_count": len(end.tokens),
        "eval_duration": max(0, total_ns - read_ns),
    }
