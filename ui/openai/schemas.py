"""The bodies of requests, as OpenAI documents them, and Duet's own additions `language`, `window` and `attention`.

Types are strict: "0.5" is no number. What would change the answer and cannot be honoured is refused; other
fields that clients send (user, metadata, store, …) are let through.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from core_model.requests import SamplingParams

DEFAULT_CHAT_TOKENS = 1024
DEFAULT_COMPLETION_TOKENS = 16  # OpenAI's
MAX_CHOICES = 16

MAX_CLASSIFIED = 64

TokenLimit = Annotated[int | None, Field(ge=1)]
ClassifiedText = Annotated[str, Field(min_length=1, max_length=20_000)]


class StreamOptions(BaseModel):
    """`stream_options`."""

    model_config = ConfigDict(strict=True)

    include_usage: bool = False


class _Generation(BaseModel):
    """What both kinds of request have in common."""

    model_config = ConfigDict(strict=True)

    model: str | None = None  # None and "": the code assistant
    n: int = Field(1, ge=1, le=MAX_CHOICES)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: TokenLimit = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: str | list[str] | None = Field(None, max_length=1024)
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    language: str | None = None
    window: int | None = None
    attention: Literal["dense", "sparse"] | None = None

    @field_validator("frequency_penalty", "presence_penalty", "logit_bias")
    @classmethod
    def _neutral(cls, value: Any) -> Any:
        if value:
            raise PydanticCustomError("unsupported_parameter", "not supported; leave it out")
        return value

    @property
    def includes_usage(self) -> bool:
        """Whether a stream ends with a chunk that counts tokens."""
        return self.stream_options is not None and self.stream_options.include_usage

    def sampling(self, choice: int, default_tokens: int, logprobs: int | None) -> SamplingParams:
        """How the tokens of one of the `n` choices are drawn. Raises RequestError."""
        given = {
            name: getattr(self, name)
            for name in ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
            if getattr(self, name) is not None
        }
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return SamplingParams(
            **given,
            seed=None if self.seed is None else (self.seed + choice) % 2**63,
            stop=tuple(stop),
            max_tokens=self.max_tokens or default_tokens,
            logprobs=logprobs,
        )


class TextPart(BaseModel):
    """One part of a message's content."""

    model_config = ConfigDict(strict=True)

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(strict=True)

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content)
        return self.content or ""

    def as_template_input(self) -> dict[str, str]:
        """The form that chat templates read; they know no developer."""
        return {"role": "system" if self.role == "developer" else self.role, "content": self.text}


class ResponseFormat(BaseModel):
    """`response_format`."""

    model_config = ConfigDict(strict=True)

    type: Literal["text"]


class ChatRequest(_Generation):
    """The body of POST /v1/chat/completions."""

    messages: list[ChatMessage] = Field(min_length=1)
    max_completion_tokens: TokenLimit = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    response_format: ResponseFormat | None = None
    tools: list[Any] | None = Field(None, max_length=0)
    functions: list[Any] | None = Field(None, max_length=0)

    @model_validator(mode="after")
    def _newer_limit_wins(self) -> ChatRequest:
        self.max_tokens = self.max_completion_tokens or self.max_tokens
        return self

    def sampling_of(self, choice: int) -> SamplingParams:
        """How one choice is drawn. Raises RequestError."""
        return self.sampling(choice, DEFAULT_CHAT_TOKENS, (self.top_logprobs or 0) if self.logprobs else None)


class CompletionRequest(_Generation):
    """The body of POST /v1/completions; with `suffix`, the text between prompt and suffix is asked for."""

    prompt: str | list[str] | list[int] | list[list[int]]
    suffix: str | None = None
    logprobs: int | None = Field(None, ge=0, le=20)
    echo: Literal[False] | None = None
    best_of: int | None = None

    @field_validator("best_of")
    @classmethod
    def _one(cls, value: int | None) -> int | None:
        if value not in (None, 1):
            raise PydanticCustomError("unsupported_parameter", "not supported; leave it out")
        return value

    @property
    def prompts(self) -> list[str | list[int]]:
        """The prompts, each of them text or tokens."""
        if isinstance(self.prompt, str):
            return [self.prompt]
        if self.prompt and isinstance(self.prompt[0], int):
            return [[token for token in self.prompt if isinstance(token, int)]]
        return [prompt for prompt in self.prompt if not isinstance(prompt, int)]

    def sampling_of(self, choice: int) -> SamplingParams:
        """How one choice is drawn. Raises RequestError."""
        return self.sampling(choice, DEFAULT_COMPLETION_TOKENS, self.logprobs)


class ClassifyRequest(BaseModel):
    """The body of POST /v1/classify, as in vLLM."""

    model_config = ConfigDict(strict=True)

    model: str
    input: ClassifiedText | Annotated[list[ClassifiedText], Field(min_length=1, max_length=MAX_CLASSIFIED)]

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


class LoadAdapterRequest(BaseModel):
    """The body of POST /v1/load_lora_adapter, as in vLLM."""

    model_config = ConfigDict(strict=True)

    lora_name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    lora_path: str = Field(min_length=1)


class UnloadAdapterRequest(BaseModel):
    """The body of POST /v1/unload_lora_adapter, as in vLLM."""

    model_config = ConfigDict(strict=True)

    lora_name: str
