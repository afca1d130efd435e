"""The bodies of requests, as OpenAI documents them, and Duet's own additions `language`, `window` and `attention`.

Types are strict: "0.5" is no number. What would change the answer and cannot be honoured is refused; other
fields that clients send (user, metadata, store, …) are let through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from apps.body import Body
from core_model.answer_shape import AnswerShape
from core_model.requests import SamplingParams
from core_model.tokenizer import Message
from ui.openai.tools import MAX_TOOLS, CalledTool, ResponseFormat, ToolChoice, ToolSpec, answer_shape
from ui.openai.unsupported import OF_CHATS, OF_COMPLETIONS, UNSUPPORTED, refuse_unsupported

DEFAULT_CHAT_TOKENS = 1024
DEFAULT_COMPLETION_TOKENS = 16  # OpenAI's
MAX_CHOICES = 16

MAX_CLASSIFIED = 64


def _limit(value: Any) -> Any:
    return None if value == -1 else value  # as LM Studio and llama.cpp write that there is none


TokenLimit = Annotated[int | None, Field(ge=1), BeforeValidator(_limit)]
ClassifiedText = Annotated[str, Field(min_length=1, max_length=20_000)]


def neutral(value: Any) -> Any:
    """The value of a field that is not honoured. Raises PydanticCustomError where it would change the answer."""
    if value:
        raise PydanticCustomError("unsupported_parameter", "not supported; leave it out")
    return value


class StreamOptions(Body):
    """`stream_options`."""

    include_usage: bool = False


class _Generation(Body):
    """What both kinds of request have in common."""

    model: str | None = None  # None and "": the code assistant
    n: int = Field(1, ge=1, le=MAX_CHOICES)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: TokenLimit = None
    n_predict: int | None = Field(
        None, ge=-1
    )  # llama.cpp's max_tokens: -1 for ours, 0 to read the prompt only
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

    foreign: ClassVar[Mapping[str, Any]] = UNSUPPORTED

    @model_validator(mode="before")
    @classmethod
    def _honoured(cls, data: Any) -> Any:
        if isinstance(data, dict):
            refuse_unsupported(data, cls.foreign)
        return data

    @field_validator("frequency_penalty", "presence_penalty", "logit_bias")
    @classmethod
    def _neutral(cls, value: Any) -> Any:
        return neutral(value)

    @property
    def includes_usage(self) -> bool:
        """Whether a stream ends with a chunk that counts tokens."""
        return self.stream_options is not None and self.stream_options.include_usage

    @property
    def token_limit(self) -> int | None:
        """Tokens that may be written, None where the request leaves it to us."""
        return self.n_predict if self.n_predict is not None and self.n_predict >= 0 else self.max_tokens

    def sampling(self, choice: int, default_tokens: int, logprobs: int | None) -> SamplingParams:
        """How the tokens of one of the `n` choices are drawn. Raises RequestError."""
        given = {
            name: getattr(self, name)
            for name in ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
            if getattr(self, name) is not None
        }
        if self.top_k == -1:  # vLLM's way of writing that there is no limit
            given["top_k"] = 0
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return SamplingParams(
            **given,
            seed=None if self.seed is None else (self.seed + choice) % 2**63,
            stop=tuple(stop),
            max_tokens=default_tokens if self.token_limit is None else self.token_limit,
            logprobs=logprobs,
        )


class TextPart(Body):
    """One part of a message's content."""

    type: Literal["text"]
    text: str


class ChatMessage(Body):
    """One turn of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None
    tool_calls: list[CalledTool] = Field(default_factory=list)
    # Other servers' ways of asking for more of this very message, and OpenAI's older form of a call.
    prefix: bool | None = None
    partial: bool | None = None
    function_call: Any = None

    @field_validator("prefix", "partial", "function_call")
    @classmethod
    def _refused(cls, value: Any) -> Any:
        return neutral(value)

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content)
        return self.content or ""

    def as_template_input(self) -> Message:
        """The form that chat templates read; they know no developer."""
        told: Message = {"role": "system" if self.role == "developer" else self.role, "content": self.text}
        if self.tool_calls:
            told["tool_calls"] = [call.model_dump() for call in self.tool_calls]
        return told


class ChatRequest(_Generation):
    """The body of POST /v1/chat/completions."""

    foreign: ClassVar[Mapping[str, Any]] = {**UNSUPPORTED, **OF_COMPLETIONS}

    messages: list[ChatMessage] = Field(min_length=1)
    max_completion_tokens: TokenLimit = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    response_format: ResponseFormat | None = None
    tools: list[ToolSpec] = Field([], max_length=MAX_TOOLS)
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool = True

    @model_validator(mode="after")
    def _newer_limit_wins(self) -> ChatRequest:
        self.max_tokens = self.max_completion_tokens or self.max_tokens
        return self

    @property
    def shape(self) -> AnswerShape | None:
        """What the answer must look like; None where any text will do. Raises RequestError."""
        schema = self.response_format.schema_wanted if self.response_format is not None else None
        return answer_shape(self.tools, self.tool_choice, self.parallel_tool_calls, schema)

    @property
    def may_call(self) -> bool:
        """Whether there may be calls of tools in the answer."""
        return bool(self.tools) and self.tool_choice != "none"

    def sampling_of(self, choice: int) -> SamplingParams:
        """How one choice is drawn. Raises RequestError."""
        return self.sampling(choice, DEFAULT_CHAT_TOKENS, (self.top_logprobs or 0) if self.logprobs else None)


class CompletionRequest(_Generation):
    """The body of POST /v1/completions; with `suffix`, the text between prompt and suffix is asked for."""

    foreign: ClassVar[Mapping[str, Any]] = {**UNSUPPORTED, **OF_CHATS}
    default_tokens: ClassVar[int] = DEFAULT_COMPLETION_TOKENS

    prompt: str | list[str] | list[int] | list[list[int]]
    suffix: str | None = None
    logprobs: int | None = Field(None, ge=0, le=20)

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
        return self.sampling(choice, self.default_tokens, self.logprobs)


class ClassifyRequest(Body):
    """The body of POST /v1/classify, as in vLLM."""

    model: str
    input: ClassifiedText | Annotated[list[ClassifiedText], Field(min_length=1, max_length=MAX_CLASSIFIED)]

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


class LoadAdapterRequest(Body):
    """The body of POST /v1/load_lora_adapter, as in vLLM."""

    lora_name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    lora_path: str = Field(min_length=1)


class UnloadAdapterRequest(Body):
    """The body of POST /v1/unload_lora_adapter, as in vLLM."""

    lora_name: str
