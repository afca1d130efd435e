"""What llama.cpp's server answers beside completions (/props, /tokenize, …), and in which form."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from apps.auth import Scope
from apps.body import Body
from apps.permissions import needs
from core_model.errors import RequestError
from core_model.requests import Completion
from core_model.tool_calls import for_template
from ui.openai.schemas import ChatMessage
from ui.openai.tools import MAX_TOOLS, ToolSpec
from ui.runtime import Runtime, runtime_when_ready

router = APIRouter(tags=["editors"], dependencies=[needs(Scope.MODELS)])
ReadyRuntime = Annotated[Runtime, Depends(runtime_when_ready)]


class TokenizeRequest(Body):
    """The body of POST /tokenize."""

    content: str
    add_special: bool = False
    parse_special: bool = True
    with_pieces: bool = False


class DetokenizeRequest(Body):
    """The body of POST /detokenize."""

    tokens: list[int]


class TemplateRequest(Body):
    """The body of POST /apply-template."""

    messages: list[ChatMessage] = Field(min_length=1)
    tools: list[ToolSpec] = Field(default_factory=list, max_length=MAX_TOOLS)


@router.get("/props")
async def props(runtime: ReadyRuntime) -> dict[str, Any]:
    """What the server runs."""
    settings = {"n_ctx": runtime.engine.config.context}
    return {
        "default_generation_settings": {**settings, "params": {"n_predict": -1, "temperature": 0.0}},
        "total_slots": runtime.engine.max_sequences,
        "model_path": runtime.models.base.id,
        "model_alias": runtime.models.base.id,
        "chat_template": runtime.tokenizer.chat_template,
        "modalities": {"vision": False, "audio": False},
    }


@router.post("/tokenize")
async def tokenize(body: TokenizeRequest, runtime: ReadyRuntime) -> dict[str, Any]:
    """Tokens of a text."""
    tokenizer = runtime.tokenizer
    if body.add_special:
        tokens = tokenizer.encode_with_special(body.content)
    elif body.parse_special:
        tokens = tokenizer.encode_marked(body.content)
    else:
        tokens = tokenizer.encode(body.content)
    if not body.with_pieces:
        return {"tokens": tokens}
    return {"tokens": [{"id": token, "piece": _piece(tokenizer.token_bytes(token))} for token in tokens]}


def _piece(data: bytes) -> str | list[int]:
    """Text where it is some, bytes where it is part of a character."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return list(data)


@router.post("/detokenize")
async def detokenize(body: DetokenizeRequest, runtime: ReadyRuntime) -> dict[str, str]:
    """The text of tokens. Raises RequestError for ids that the model has not."""
    vocabulary = runtime.tokenizer.vocab
    if any(not 0 <= token < vocabulary for token in body.tokens):
        raise RequestError(f"tokens must be between 0 and {vocabulary - 1}", "tokens")
    return {"content": runtime.tokenizer.decode(body.tokens)}


@router.post("/apply-template")
async def apply_template(body: TemplateRequest, runtime: ReadyRuntime) -> dict[str, str]:
    """A conversation as the text that the model reads."""
    messages = [message.as_template_input() for message in body.messages]
    tools = [spec.tool for spec in body.tools]
    prompt = runtime.tokenizer.chat_text(*for_template(runtime.tokenizer, messages, tools))
    return {"prompt": prompt.encode("utf-8", "replace").decode()}  # JSON may bring half a character


def timings(end: Completion) -> dict[str, Any]:
    """What reading and writing took, as llama.cpp counts it."""
    read, written = end.prompt_tokens - end.cached_tokens, len(end.tokens)
    prompt_ms = end.first_token_s * 1000 or end.total_s * 1000
    return {
        "cache_n": end.cached_tokens,
        **_rates("prompt", read, prompt_ms),
        **_rates("predicted", written, max(0.0, end.total_s * 1000 - prompt_ms)),
    }


def _rates(name: str, count: int, milliseconds: float) -> dict[str, float]:
    return {
        f"{name}_n": count,
        f"{name}_ms": round(milliseconds, 3),
        f"{name}_per_token_ms": round(milliseconds / count, 3) if count else 0.0,
        f"{name}_per_second": round(1000 * count / milliseconds, 3) if milliseconds else 0.0,
    }


def only_fields(answer: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """The fields that a client asked for under the names by which it asked (`timings/prompt_n`); all where none."""
    if not fields:
        return answer
    found: dict[str, Any] = {}
    for field in fields:
        value: Any = answer
        for step in field.split("/"):
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            found[field] = value
    return found


def compact_json(content: Any) -> bytes:
    """JSON on one line with nothing after its colons: llama.vim looks for `"content":"`."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
