"""What stands behind a model name of the API: the base model, an adapter on it, or an app's assistant."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from apps.code.completion import Completer, Gap
from apps.code.editing import Edit, Editor
from apps.code.requests import CodeRequests
from core_model.classifier import FILE_NAME as CLASSIFIER_FILE
from core_model.classifier import Classifier
from core_model.engine import Engine
from core_model.errors import AdapterError, RequestError
from core_model.lora import load_adapter, own_file
from core_model.requests import Completion, GenerationRequest, Piece
from core_model.tokenizer import Tokenizer
from core_model.training.card import METRICS_FILE
from ui.openai.edits import edit_of
from ui.openai.errors import BusyError, ModelNotFoundError
from ui.openai.gaps import gap_of
from ui.openai.schemas import ChatRequest, CompletionRequest

ADAPTER_PREFIX = "duet-"
DEFAULT_ID = "duet-code"
"""Who answers a request that names no model: editors leave it out."""
MAX_ANSWERS = 64
"""Answers that one request may ask for: prompts times `n`."""
MAX_WAITING = 256
"""Generations that may wait for room in a batch before new ones are turned away."""


class Answer(Protocol):
    """Text under way; the engine's `Generation` is one."""

    def __aiter__(self) -> AsyncIterator[Piece]:
        """Pieces of text as they become certain."""

    def result(self) -> Completion:
        """What came of it, once the iteration has ended."""

    def cancel(self) -> None:
        """Stop the work, if it has not ended."""


class ServedModel(Protocol):
    """A name in /v1/models that can be talked to."""

    @property
    def id(self) -> str: ...

    @property
    def created(self) -> int: ...

    async def chat(self, request: ChatRequest, owner: str) -> list[Answer]:
        """Start `n` answers for the key named `owner`. Raises RequestError."""

    async def complete(self, request: CompletionRequest, owner: str) -> list[Answer]:
        """Start `n` answers to each prompt, for the key named `owner`. Raises RequestError."""

    async def fill(self, gap: Gap, owner: str) -> list[Answer]:
        """Start as many suggestions for a gap as are asked for, for the key named `owner`. Raises RequestError."""


@dataclass(frozen=True)
class EngineModel:
    """The base model, as it is or with an adapter."""

    id: str
    engine: Engine
    adapter: str | None = None
    fences: bool = (
        False  # the code assistant: code in chat answers parses, editors' chats about a selection are edits
    )
    created: int = field(default_factory=lambda: int(time.time()))

    @cached_property
    def _requests(self) -> CodeRequests:
        return CodeRequests(self.engine.tokenizer, lambda tokens: self.engine.check(tokens, None))

    @cached_property
    def completer(self) -> Completer:
        """What fills gaps with this model."""
        return Completer(self.engine, self.adapter)

    @cached_property
    def _editor(self) -> Editor:
        return Editor(self.engine, self.adapter)

    async def chat(self, request: ChatRequest, owner: str) -> list[Answer]:
        if self.fences and (edit := edit_of(request)) is not None:
            self.check_room(request.n)
            return await asyncio.to_thread(self._edits, replace(edit, owner=owner), request)
        messages = [message.as_template_input() for message in request.messages]
        samplings = [request.sampling_of(choice) for choice in range(request.n)]
        try:
            # Reading a long prompt takes time, also under a grammar: not in the event loop.
            wanted = await asyncio.to_thread(
                self._requests.chat, messages, samplings, request.language, self.fences, request.shape
            )
            return self._submit(wanted, request, owner)
        except RequestError as error:
            if error.parameter == "prompt":
                error.parameter = "messages"
            raise

    async def complete(self, request: CompletionRequest, owner: str) -> list[Answer]:
        if not request.prompts:
            raise RequestError("there is no prompt", "prompt")
        self.check_room(len(request.prompts) * request.n)
        answers: list[Answer] = []
        try:
            for prompt in request.prompts:
                answers += await asyncio.to_thread(self._completions, prompt, request, owner)
        except BaseException:
            _cancel(answers)
            raise
        return answers

    async def fill(self, gap: Gap, owner: str) -> list[Answer]:
        """Start as many suggestions for a gap as are asked for, for the key named `owner`. Raises RequestError."""
        self.check_room(gap.alternatives)
        return [*await asyncio.to_thread(self.completer.submit, replace(gap, owner=owner))]

    def check_room(self, answers: int) -> None:
        """Raises RequestError where more are asked for than one client may have, BusyError where too many wait."""
        if answers > MAX_ANSWERS:
            raise RequestError(f"{answers} answers are asked for; at most {MAX_ANSWERS} at a time", "n")
        if self.engine.statistics.waiting + answers > MAX_WAITING:
            raise BusyError

    def _completions(self, prompt: str | list[int], request: CompletionRequest, owner: str) -> list[Answer]:
        tokenizer = self.engine.tokenizer
        gap = gap_of(request, prompt, tokenizer)
        if gap is not None:
            return [*self.completer.submit(replace(gap, owner=owner))]
        if not isinstance(prompt, str) and any(not 0 <= token < tokenizer.vocab for token in prompt):
            raise RequestError(f"tokens must be between 0 and {tokenizer.vocab - 1}", "prompt")
        samplings = [request.sampling_of(choice) for choice in range(request.n)]
        return self._submit(self._requests.continuation(prompt, samplings, request.language), request, owner)

    def _edits(self, edit: Edit, request: ChatRequest) -> list[Answer]:
        # Greedy unless something else is asked for: an editor's suggestion should not change with every look.
        drawn = (
            replace(request.sampling_of(choice), temperature=request.temperature or 0.0)
            for choice in range(request.n)
        )
        return _started(self._editor.submit(replace(edit, sampling=sampling)) for sampling in drawn)

    def _submit(
        self, wanted: list[GenerationRequest], request: ChatRequest | CompletionRequest, owner: str
    ) -> list[Answer]:
        self.check_room(len(wanted))
        window, attention, adapter = request.window, request.attention, self.adapter
        return _started(
            self.engine.submit(replace(one, window=window, attention=attention, adapter=adapter, owner=owner))
            for one in wanted
        )


def _started(answers: Iterable[Answer]) -> list[Answer]:
    """All of them: where one cannot be started, those before it are stopped."""
    started: list[Answer] = []
    try:
        for answer in answers:
            started.append(answer)
    except BaseException:
        _cancel(started)
        raise
    return started


def _cancel(answers: Sequence[Answer]) -> None:
    for answer in answers:
        answer.cancel()


class TextAnswer:
    """An answer that an app composes; its tokens are counted from the text."""

    def __init__(self, prompt_tokens: int, text: AsyncIterator[str], tokenizer: Tokenizer) -> None:
        self._text = text
        self._tokenizer = tokenizer
        self._said: list[str] = []
        self._prompt_tokens = prompt_tokens
        self._started = time.perf_counter()
        self._first_token_s = 0.0

    async def __aiter__(self) -> AsyncIterator[Piece]:
        async for text in self._text:
            self._first_token_s = self._first_token_s or time.perf_counter() - self._started
            self._said.append(text)
            yield Piece(text, [], [])

    def result(self) -> Completion:
        text = "".join(self._said)
        return Completion(
            text=text,
            tokens=self._tokenizer.encode(text),
            prompt_tokens=self._prompt_tokens,
            first_token_s=self._first_token_s,
            total_s=time.perf_counter() - self._started,
        )

    def cancel(self) -> None:
        """Nothing to stop: the work is done inside the iteration, and ends when that is cancelled."""


@dataclass(frozen=True)
class AssistantModel:
    """An app's assistant under a model name: `reply` streams text."""

    id: str
    tokenizer: Tokenizer
    reply: Callable[[ChatRequest, int], AsyncIterator[str]]  # the request and which of the n choices
    created: int = field(default_factory=lambda: int(time.time()))

    async def chat(self, request: ChatRequest, owner: str) -> list[Answer]:
        if request.logprobs:
            raise RequestError(f"{self.id} cannot report logprobs; the base model can", "logprobs")
        if request.language is not None:
            raise RequestError(f"{self.id} writes no code; duet-code does", "language")
        if request.shape is not None:
            name = "tools" if request.tools else "response_format"
            raise RequestError(f"{self.id} answers in sentences; use another model for {name}", name)
        count = sum(len(self.tokenizer.encode(message.text)) for message in request.messages)
        return [TextAnswer(count, self.reply(request, choice), self.tokenizer) for choice in range(request.n)]

    async def complete(self, request: CompletionRequest, owner: str) -> list[Answer]:
        raise RequestError(f"{self.id} only chats; use /v1/chat/completions", "model")

    async def fill(self, gap: Gap, owner: str) -> list[Answer]:
        raise RequestError(f"{self.id} only chats; use /v1/chat/completions", "model")


@dataclass(frozen=True)
class ClassifierModel:
    """A classification adapter: it has labels for texts, and nothing to say."""

    id: str
    classifier: Classifier
    created: int = field(default_factory=lambda: int(time.time()))

    async def chat(self, request: ChatRequest, owner: str) -> list[Answer]:
        raise RequestError(f"{self.id} classifies texts; use /v1/classify", "model")

    async def complete(self, request: CompletionRequest, owner: str) -> list[Answer]:
        raise RequestError(f"{self.id} classifies texts; use /v1/classify", "model")

    async def fill(self, gap: Gap, owner: str) -> list[Answer]:
        raise RequestError(f"{self.id} classifies texts; use /v1/classify", "model")


class ModelTable:
    """Every model name that is served: the base, the assistants, and one for each loaded adapter."""

    def __init__(
        self,
        base: EngineModel,
        assistants: Sequence[ServedModel] = (),
        in_service: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """`in_service` gives the adapters that the assistants stand on: they are in the engine and stay there."""
        self.base = base
        self.engine = base.engine
        self._fixed: dict[str, ServedModel] = {model.id: model for model in (base, *assistants)}
        self._adapters: dict[str, ServedModel] = {}
        self._in_service = in_service

    def all(self) -> list[ServedModel]:
        """The models in the order in which they are listed."""
        return [*self._fixed.values(), *self._adapters.values()]

    def get(self, name: str | None) -> ServedModel:
        """The model of that name, the code assistant where none is named; an adapter also answers to its bare name,
        as in vLLM.

        Raises ModelNotFoundError.
        """
        name = name or DEFAULT_ID
        for key in (name, ADAPTER_PREFIX + name):
            model = self._fixed.get(key) if key == name else None
            model = model or self._adapters.get(key)
            if model is not None:
                return model
        raise ModelNotFoundError(name, [model.id for model in self.all()])

    def classifier(self, name: str) -> Classifier:
        """The classification adapter of that name. Raises ModelNotFoundError, RequestError."""
        model = self.get(name)
        if isinstance(model, ClassifierModel):
            return model.classifier
        found = [model.id for model in self.all() if isinstance(model, ClassifierModel)]
        raise RequestError(
            f"{model.id} classifies nothing; classification adapters here: {', '.join(found) or 'none'}",
            "model",
        )

    def load_adapter(self, name: str, path: Path) -> None:
        """Serve the PEFT folder `path` as `duet-NAME`.

        A classification adapter is only served once it was measured. Raises RequestError, AdapterError.
        """
        key = ADAPTER_PREFIX + name
        if key in self._adapters:
            raise RequestError(f"the adapter '{name}' has already been loaded", "lora_name")
        if key in self._fixed or name in self._fixed:
            raise RequestError(f"'{name}' is the name of another model", "lora_name")
        if own_file(path, CLASSIFIER_FILE).is_file():
            if not own_file(path, METRICS_FILE).is_file():
                raise AdapterError(
                    f"the adapter '{name}' was never measured: it has no {METRICS_FILE}; `duet adapters train` "
                    "measures what it trains"
                )
            self._adapters[key] = ClassifierModel(key, Classifier.load(self.engine, path, name))
            return
        if name not in self.engine.adapters:
            self.engine.add_adapter(load_adapter(path, self.engine.config, name))
        self._adapters[key] = EngineModel(key, self.engine, name)

    def unload_adapter(self, name: str) -> None:
        """Stop serving it. Raises UnknownAdapterError, or RequestError while it is in use."""
        if name in self._in_service():
            raise RequestError(f"the support assistant stands on '{name}': it stays loaded", "lora_name")
        self.engine.remove_adapter(name)
        self._adapters.pop(ADAPTER_PREFIX + name, None)
