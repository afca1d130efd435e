"""The engine as a LangChain chat model, so that apps are composed of LangChain's own runnables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict

from core_model.constraint import Constraint
from core_model.engine import Engine
from core_model.errors import RequestError
from core_model.generation import Generation
from core_model.requests import Attention, Completion, GenerationRequest, Piece, SamplingParams
from core_model.tokenizer import Message

_SAMPLING = tuple(SamplingParams.__dataclass_fields__)


class DuetChatModel(BaseChatModel):
    """`invoke`, `stream`, `astream`, `batch`; `bind(adapter=…, window=…, attention=…, temperature=…, …)`.

    Every field below can be bound or passed per call, as can all of `SamplingParams`. `prefill` is how the
    answer begins: the model goes on from there, and the answer comes without it. `constraint` is a function that
    makes a constraint for each call. `references` are texts, beside the messages, that the answer is likely to
    repeat: it comes sooner then.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: Engine
    adapter: str | None = None
    window: int | None = None
    attention: Attention | None = None
    prefill: str = ""
    sampling: SamplingParams = SamplingParams()
    constraint: Callable[[], Constraint | None] | None = None
    references: tuple[str, ...] = ()

    @property
    def _llm_type(self) -> str:
        return "duet"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.engine.config.name, "adapter": self.adapter, "window": self.window}

    def submit(
        self, messages: list[BaseMessage], stop: list[str] | None = None, **options: Any
    ) -> Generation:
        """Start a generation on the engine; what `invoke` and `stream` do first. Raises as `request` does."""
        return self.engine.submit(self.request(messages, stop, **options))

    def request(
        self, messages: list[BaseMessage], stop: list[str] | None = None, **options: Any
    ) -> GenerationRequest:
        """What the engine is asked. Raises RequestError for an option that is unknown or out of range."""
        own = {"adapter", "window", "attention", "prefill", "constraint", "references"}
        unknown = options.keys() - own - set(_SAMPLING)
        if unknown:
            raise RequestError(f"unknown option {', '.join(sorted(unknown))}", min(unknown))
        fields = {name: options.get(name, getattr(self, name)) for name in own}
        sampling = {name: getattr(self.sampling, name) for name in _SAMPLING}
        sampling |= {name: options[name] for name in _SAMPLING if name in options}
        if stop:
            sampling["stop"] = (*sampling["stop"], *stop)
        tokenizer = self.engine.tokenizer
        prompt = tokenizer.encode_chat([_as_dict(message) for message in messages])
        return GenerationRequest(
            prompt=prompt + tokenizer.encode(fields["prefill"]),
            sampling=SamplingParams(**sampling),
            window=fields["window"],
            adapter=fields["adapter"],
            constraint=fields["constraint"]() if fields["constraint"] else None,
            attention=fields["attention"],
            references=tuple(map(tokenizer.encode, fields["references"])),
        )

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _as_result(self.submit(messages, stop, **kwargs).result())

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        generation = self.submit(messages, stop, **kwargs)
        try:
            return _as_result(await generation.aresult())
        finally:
            generation.cancel()

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        generation = self.submit(messages, stop, **kwargs)
        try:
            for piece in generation:
                if run_manager:
                    run_manager.on_llm_new_token(piece.text)
                yield _as_chunk(piece)
            yield _last_chunk(generation.result())
        finally:
            generation.cancel()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        generation = self.submit(messages, stop, **kwargs)
        try:
            async for piece in generation:
                if run_manager:
                    await run_manager.on_llm_new_token(piece.text)
                yield _as_chunk(piece)
            yield _last_chunk(generation.result())
        finally:
            generation.cancel()


def _as_dict(message: BaseMessage) -> Message:
    if isinstance(message, ChatMessage):
        role = message.role
    elif isinstance(message, SystemMessage):
        role = "system"
    elif isinstance(message, HumanMessage):
        role = "user"
    elif isinstance(message, AIMessage):
        role = "assistant"
    else:
        raise RequestError(f"messages of type '{message.type}' are not supported", "messages")
    return {"role": role, "content": str(message.text)}


def _usage(completion: Completion) -> UsageMetadata:
    generated = len(completion.tokens)
    return UsageMetadata(
        input_tokens=completion.prompt_tokens,
        output_tokens=generated,
        total_tokens=completion.prompt_tokens + generated,
        input_token_details={"cache_read": completion.cached_tokens},
    )


def _as_result(completion: Completion) -> ChatResult:
    message = AIMessage(
        content=completion.text,
        usage_metadata=_usage(completion),
        response_metadata={"finish_reason": completion.finish_reason},
    )
    return ChatResult(generations=[ChatGeneration(message=message)])


def _as_chunk(piece: Piece) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(content=piece.text))


def _last_chunk(completion: Completion) -> ChatGenerationChunk:
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content="",
            usage_metadata=_usage(completion),
            response_metadata={"finish_reason": completion.finish_reason},
            chunk_position="last",
        )
    )
