"""The engine as a LangChain chat model, so that apps are composed of LangChain's own runnables."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict

from core_model.answer_shape import AnswerShape, Tool
from core_model.constraint import Constraint
from core_model.engine import Engine
from core_model.errors import RequestError
from core_model.generation import Generation
from core_model.requests import Attention, Completion, GenerationRequest, Piece, SamplingParams
from core_model.tokenizer import Message
from core_model.tool_calls import CallReader, ToolCall, encode_with_tools, read_calls

_SAMPLING = tuple(SamplingParams.__dataclass_fields__)


class DuetChatModel(BaseChatModel):
    """`invoke`, `stream`, `astream`, `batch`; `bind(adapter=…, window=…, attention=…, temperature=…, …)`.

    Every field below can be bound or passed per call, as can all of `SamplingParams`. `prefill` is how the
    answer begins: the model goes on from there, and the answer comes without it. `constraint` is a function that
    makes a constraint for each call. `shape` is what the answer must look like: JSON of a schema, or calls of tools,
    which `bind_tools` and `with_structured_output` use. `references` are texts, beside the messages, that the answer
    is likely to repeat: it comes sooner then.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: Engine
    adapter: str | None = None
    window: int | None = None
    attention: Attention | None = None
    prefill: str = ""
    sampling: SamplingParams = SamplingParams()
    constraint: Callable[[], Constraint | None] | None = None
    shape: AnswerShape | None = None
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
        own = {"adapter", "window", "attention", "prefill", "constraint", "shape", "references"}
        unknown = options.keys() - own - set(_SAMPLING)
        if unknown:
            raise RequestError(f"unknown option {', '.join(sorted(unknown))}", min(unknown))
        fields = {name: options.get(name, getattr(self, name)) for name in own}
        sampling = {name: getattr(self.sampling, name) for name in _SAMPLING}
        sampling |= {name: options[name] for name in _SAMPLING if name in options}
        if stop:
            sampling["stop"] = (*sampling["stop"], *stop)
        tokenizer, shape = self.engine.tokenizer, fields["shape"]
        if shape is not None and fields["constraint"] is not None:
            raise RequestError("an answer has a shape or a constraint, not both", "shape")
        tools = shape.tools if shape is not None else ()
        prompt = encode_with_tools(tokenizer, [_as_dict(message) for message in messages], tools)
        constraint = fields["constraint"]() if fields["constraint"] else None
        return GenerationRequest(
            prompt=prompt + tokenizer.encode(fields["prefill"]),
            sampling=SamplingParams(**sampling),
            window=fields["window"],
            adapter=fields["adapter"],
            constraint=shape.constraint(tokenizer) if shape is not None else constraint,
            attention=fields["attention"],
            references=tuple(map(tokenizer.encode, fields["references"])),
        )

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        parallel_tool_calls: bool = True,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """This model with tools. `tool_choice` is "auto", "any" (or "required", True), "none", or a tool's name.

        Raises RequestError for a choice that is no tool's name.
        """
        if isinstance(tool_choice, dict):
            tool_choice = str(tool_choice["function"]["name"])
        kwargs.pop("strict", None)  # arguments always follow their schema
        named = isinstance(tool_choice, str) and tool_choice not in ("auto", "any", "required", "none")
        shape = AnswerShape(
            tools=() if tool_choice == "none" else tuple(map(_as_tool, tools)),
            must_call=bool(tool_choice) and tool_choice not in ("auto", "none"),
            only=cast(str, tool_choice) if named else None,
            parallel=parallel_tool_calls,
        )
        return cast(
            "Runnable[LanguageModelInput, AIMessage]",
            self.bind(shape=shape if shape.tools else None, **kwargs),
        )

    def get_token_ids(self, text: str) -> list[int]:
        """The model's own tokens of a text."""
        return self.engine.tokenizer.encode(text)

    def get_num_tokens_from_messages(
        self,
        messages: list[BaseMessage],
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool] | None = None,
        **kwargs: Any,
    ) -> int:
        """How long the prompt is that these messages, and the tools, become."""
        told = [_as_dict(message) for message in messages]
        return len(encode_with_tools(self.engine.tokenizer, told, [*map(_as_tool, tools or ())]))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _as_result(self.submit(messages, stop, **kwargs).result(), self._may_call(kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        generation = self.submit(messages, stop, **kwargs)
        try:
            return _as_result(await generation.aresult(), self._may_call(kwargs))
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
            reader = self._reader(kwargs)
            for piece in generation:
                for chunk in reader.push(piece):
                    if run_manager:
                        run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
            yield from reader.finish(generation.result())
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
            reader = self._reader(kwargs)
            async for piece in generation:
                for chunk in reader.push(piece):
                    if run_manager:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
            for chunk in reader.finish(generation.result()):
                yield chunk
        finally:
            generation.cancel()

    def _may_call(self, options: Mapping[str, Any]) -> bool:
        shape = options.get("shape", self.shape)
        return shape is not None and bool(shape.tools)

    def _reader(self, options: Mapping[str, Any]) -> _Chunks:
        return _Chunks(CallReader() if self._may_call(options) else None)


class _Chunks:
    """Pieces of text as LangChain's chunks, with calls of tools where there may be some."""

    def __init__(self, reader: CallReader | None) -> None:
        self._reader = reader
        self._calls = 0

    def push(self, piece: Piece) -> list[ChatGenerationChunk]:
        return self._chunks([piece.text] if self._reader is None else self._reader.push(piece.text))

    def finish(self, completion: Completion) -> list[ChatGenerationChunk]:
        rest = self._chunks(self._reader.finish()) if self._reader is not None else []
        return [*rest, _last_chunk(completion)]

    def _chunks(self, parts: Sequence[str | ToolCall]) -> list[ChatGenerationChunk]:
        chunks = []
        for part in parts:
            if isinstance(part, str):
                message = AIMessageChunk(content=part)
            else:
                call = tool_call_chunk(name=part.name, args=part.as_json, id=_call_id(), index=self._calls)
                message = AIMessageChunk(content="", tool_call_chunks=[call])
                self._calls += 1
            chunks.append(ChatGenerationChunk(message=message))
        return chunks


def _as_dict(message: BaseMessage) -> Message:
    told: Message = {"role": _role(message), "content": str(message.text)}
    if isinstance(message, AIMessage) and message.tool_calls:
        calls = [{"name": call["name"], "arguments": call["args"]} for call in message.tool_calls]
        told["tool_calls"] = [{"type": "function", "function": call} for call in calls]
    return told


def _role(message: BaseMessage) -> str:
    if isinstance(message, ChatMessage):
        return message.role
    for kind, role in _ROLES.items():
        if isinstance(message, kind):
            return role
    raise RequestError(f"messages of type '{message.type}' are not supported", "messages")


_ROLES: dict[type[BaseMessage], str] = {
    SystemMessage: "system",
    HumanMessage: "user",
    AIMessage: "assistant",
    ToolMessage: "tool",
}


def _as_tool(tool: dict[str, Any] | type | Callable[..., Any] | BaseTool) -> Tool:
    function = convert_to_openai_tool(tool)["function"]
    given = {"parameters": function["parameters"]} if function.get("parameters") else {}
    return Tool(function["name"], function.get("description") or "", **given)


def _call_id() -> str:
    return f"call_{uuid.uuid4().hex}"


def _usage(completion: Completion) -> UsageMetadata:
    generated = len(completion.tokens)
    return UsageMetadata(
        input_tokens=completion.prompt_tokens,
        output_tokens=generated,
        total_tokens=completion.prompt_tokens + generated,
        input_token_details={"cache_read": completion.cached_tokens},
    )


def _as_result(completion: Completion, may_call: bool) -> ChatResult:
    text, calls = read_calls(completion.text) if may_call else (completion.text, [])
    message = AIMessage(
        content=text,
        tool_calls=[tool_call(name=call.name, args=call.arguments, id=_call_id()) for call in calls],
        usage_metadata=_usage(completion),
        response_metadata={"finish_reason": completion.finish_reason},
    )
    return ChatResult(generations=[ChatGeneration(message=message)])


def _last_chunk(completion: Completion) -> ChatGenerationChunk:
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content="",
            usage_metadata=_usage(completion),
            response_metadata={"finish_reason": completion.finish_reason},
            chunk_position="last",
        )
    )
