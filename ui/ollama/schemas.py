"""The bodies of Ollama's requests. What would change the answer and cannot be honoured is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from apps.body import Body
from apps.code.completion import AUTOMATIC_FLOOR, GREEDY, Gap
from core_model.requests import SamplingParams
from ui.openai.schemas import DEFAULT_CHAT_TOKENS, ChatRequest, CompletionRequest
from ui.openai.tools import MAX_TOOLS, CalledTool, Schema, ToolSpec
from ui.openai.unsupported import refuse_unsupported

_UNSUPPORTED: Mapping[str, Any] = {
    "template": None,
    "context": None,
    "images": None,
    "think": None,
    "logprobs": None,
    "top_logprobs": None,
    "width": None,
    "height": None,
    "steps": None,
}
_UNSUPPORTED_OPTIONS: Mapping[str, Any] = {
    "tfs_z": 1.0,
    "typical_p": 1.0,
    "presence_penalty": None,
    "frequency_penalty": None,
    "mirostat": None,
}


class Options(Body):
    """`options`. Those about memory and devices (num_ctx, num_gpu, …) are let through and do nothing."""

    num_predict: int = Field(default=-1, ge=-2)  # -1 and -2: as much as is usual here
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)  # -1: another one each time
    stop: list[str] = Field(default_factory=list, max_length=64)

    @model_validator(mode="before")
    @classmethod
    def _honoured(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        refuse_unsupported(data, _UNSUPPORTED_OPTIONS)
        return {**data, "stop": [data["stop"]]} if isinstance(data.get("stop"), str) else data

    def as_fields(self) -> dict[str, Any]:
        """The same in the names of OpenAI's protocol."""
        return {
            "n_predict": max(-1, self.num_predict),
            "temperature": self.temperature,
            "top_k": self.top_k,
            "top_p": self.top_p,
            "min_p": self.min_p,
            "repetition_penalty": self.repeat_penalty,
            "seed": None if self.seed == -1 else self.seed,
            "stop": self.stop,
        }


class _Request(Body):
    """What both kinds of request have in common."""

    model: str = ""
    stream: bool = True
    format: Literal["", "json"] | Schema = ""
    options: Options = Options()

    @model_validator(mode="before")
    @classmethod
    def _honoured(cls, data: Any) -> Any:
        if isinstance(data, dict):
            refuse_unsupported(data, _UNSUPPORTED)
        return data

    @property
    def response_format(self) -> dict[str, Any] | None:
        """`format` in OpenAI's words."""
        if not self.format:
            return None
        schema = {} if isinstance(self.format, str) else {"schema": self.format}
        return {"type": "json_object", **schema}

    def chat_of(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> ChatRequest:
        """A conversation to be answered, in OpenAI's words."""
        asked = {"messages": messages, "tools": tools, "response_format": self.response_format}
        return ChatRequest.model_validate({**self.options.as_fields(), **asked})


class _Continuation(CompletionRequest):
    """Ollama writes on until the model ends; OpenAI's short default would cut every answer off."""

    default_tokens: ClassVar[int] = DEFAULT_CHAT_TOKENS


class GenerateRequest(_Request):
    """The body of POST /api/generate."""

    prompt: str = ""
    suffix: str = ""
    system: str = ""
    raw: bool = False

    @model_validator(mode="after")
    def _of_one_kind(self) -> GenerateRequest:
        """A text that is continued has no form, and one that is read as it is no place for `system`, as in Ollama."""
        if self.raw:
            refuse_unsupported({"system": self.system}, {"system": None}, "with raw")
        if self.raw or self.suffix:
            refuse_unsupported({"format": self.format}, {"format": None}, "with raw or suffix")
        return self

    @property
    def gap(self) -> Gap | None:
        """The gap that is asked about, None where there is no `suffix`. Raises RequestError."""
        if not self.suffix:
            return None
        given = {
            name: value
            for name in ("temperature", "top_k", "top_p", "min_p")
            if (value := getattr(self.options, name)) is not None
        }
        tokens = self.options.num_predict
        sampling = SamplingParams(
            **{"temperature": GREEDY.temperature, **given},
            repetition_penalty=self.options.repeat_penalty or 1.0,
            seed=self.options.as_fields()["seed"],
            stop=tuple(self.options.stop),
            max_tokens=GREEDY.max_tokens if tokens < 0 else tokens,
        )
        return Gap(self.prompt, self.suffix, sampling=sampling, floor=AUTOMATIC_FLOOR)

    @property
    def as_completion(self) -> CompletionRequest:
        """The prompt as it is, to be continued: with `raw`, which editors send with the model's own FIM tokens."""
        return _Continuation.model_validate({**self.options.as_fields(), "prompt": self.prompt})

    @property
    def as_chat(self) -> ChatRequest:
        """The prompt as a user's message."""
        system = [{"role": "system", "content": self.system}] if self.system else []
        return self.chat_of([*system, {"role": "user", "content": self.prompt}], [])


class OllamaMessage(Body):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: list[CalledTool] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _honoured(cls, data: Any) -> Any:
        if isinstance(data, dict):
            refuse_unsupported(data, {"images": None})
        return data


class OllamaChatRequest(_Request):
    """The body of POST /api/chat."""

    messages: list[OllamaMessage] = Field(default_factory=list)
    tools: list[ToolSpec] = Field([], max_length=MAX_TOOLS)

    @property
    def as_chat(self) -> ChatRequest:
        """The same in OpenAI's words."""
        return self.chat_of(
            [message.model_dump() for message in self.messages], [tool.model_dump() for tool in self.tools]
        )


class ShowRequest(Body):
    """The body of POST /api/show; `name` is what `model` was called once."""

    model: str = ""
    name: str = ""
