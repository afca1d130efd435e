"""What stands behind a model name of the API: the base model, an adapter on it, or an app's assistant."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from core_model.classifier import FILE_NAME as CLASSIFIER_FILE
from core_model.classifier import Classifier
from core_model.constraint import Constraint
from core_model.engine import Engine
from core_model.errors import AdapterError, RequestError
from core_model.languages import Block
from core_model.lora import load_adapter
from core_model.requests import Completion, GenerationRequest, Piece, SamplingParams
from core_model.tokenizer import Tokenizer
from core_model.training.card import METRICS_FILE
from ui.openai.errors import BusyError, ModelNotFoundError
from ui.openai.schemas import ChatRequest, CompletionRequest

ADAPTER_PREFIX = "duet-"
MAX_ANSWERS = 64
"""Answers that one request may ask for: prompts times `n`."""
MAX_WAITING = 256
"""Generations that may wait for room in a batch before new ones are turned away."""


_Wanted = tuple[list[int], SamplingParams, Constraint | None]


class Grammars(Protocol):
    """Fresh constraints. Raises RequestError for an unknown language."""

    def program(self, language: str, prefix: str = "", suffix: str | None = None) -> Constraint | None:
        """Code of `language` between `prefix` and `suffix`; None where no program begins with `prefix`."""

    def block(self, language: str) -> Block:
        """A chat answer that is code."""

    def fenced(self) -> Constraint:
        """Markdown whose fenced code parses."""


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


@dataclass(frozen=True)
class EngineModel:
    """The base model, as it is or with an adapter."""

    id: str
    engine: Engine
    adapter: str | None = None
    grammars: Grammars | None = None
    fences: bool = False  # constrain the code in chat answers even if no language is asked for
    created: int = field(default_factory=lambda: int(time.time()))

    async def chat(self, request: ChatRequest, owner: str) -> list[Answer]:
        try:
            # Reading a long prompt takes time, also under a grammar: not in the event loop.
            return await asyncio.to_thread(lambda: self._submit(self._wanted_chats(request), request, owner))
        except RequestError as error:
            if error.parameter == "prompt":
                error.parameter = "messages"
            raise

    async def complete(self, request: CompletionRequest, owner: str) -> list[Answer]:
        if not request.prompts:
            raise RequestError("there is no prompt", "prompt")
        return await asyncio.to_thread(
            lambda: self._submit(self._wanted_completions(request), request, owner)
        )

    def _wanted_chats(self, request: ChatRequest) -> list[_Wanted]:
        tokenizer = self.engine.tokenizer
        prompt = tokenizer.encode_chat([message.as_template_input() for message in request.messages])
        constraint = self._known_grammars().fenced() if self.fences else None
        stop: tuple[str, ...] = ()
        if request.language is not None:
            block = self._known_grammars().block(request.language)
            prompt, constraint, stop = (
                prompt + tokenizer.encode(block.opening),
                block.constraint,
                (block.end,),
            )
        samplings = [request.sampling_of(choice) for choice in range(request.n)]
        return _wanted(prompt, [replace(one, stop=(*one.stop, *stop)) for one in samplings], constraint)

    def _wanted_completions(self, request: CompletionRequest) -> list[_Wanted]:
        samplings = [request.sampling_of(choice) for choice in range(request.n)]
        found: list[_Wanted] = []
        for prompt in request.prompts:
            tokens = self._encode(prompt, request.suffix)
            self.engine.check(tokens, request.window)  # before a grammar reads what the model cannot
            found += _wanted(tokens, samplings, self._code_constraint(request, prompt, tokens))
        return found

    def _encode(self, prompt: str | list[int], suffix: str | None) -> list[int]:
        tokenizer = self.engine.tokenizer
        if isinstance(prompt, str):
            # The whole prompt is the caller's own, special tokens too: editors write their own templates.
            return (
                tokenizer.encode_with_special(prompt)
                if suffix is None
                else tokenizer.encode_fim(prompt, suffix)
            )
        if suffix is not None:
            raise RequestError("a prompt of tokens cannot have a suffix; send text", "suffix")
        if any(not 0 <= token < tokenizer.vocab for token in prompt):
            raise RequestError(f"tokens must be between 0 and {tokenizer.vocab - 1}", "prompt")
        return prompt

    def _submit(
        self,
        wanted: list[_Wanted],
        request: ChatRequest | CompletionRequest,
        owner: str,
    ) -> list[Answer]:
        if len(wanted) > MAX_ANSWERS:
            raise RequestError(f"{len(wanted)} answers are asked for; at most {MAX_ANSWERS} at a time", "n")
        if self.engine.statistics.waiting + len(wanted) > MAX_WAITING:
            raise BusyError
        answers: list[Answer] = []
        try:
            for prompt, sampling, constraint in wanted:
                answers.append(
                    self.engine.submit(
                        GenerationRequest(prompt, sampling, request.window, self.adapter, constraint, owner)
                    )
                )
        except BaseException:
            for answer in answers:
                answer.cancel()
            raise
        return answers

    def _code_constraint(
        self, request: CompletionRequest, prompt: str | list[int], tokens: list[int]
    ) -> Constraint | None:
        if request.language is None:
            return None
        tokenizer = self.engine.tokenizer
        prefix = prompt if isinstance(prompt, str) else tokenizer.decode(prompt)
        gap = tokenizer.split_fim(tokens) if request.suffix is None else None
        prefix, suffix = gap or (prefix, request.suffix)
        return self._known_grammars().program(request.language, prefix, suffix)

    def _known_grammars(self) -> Grammars:
        if self.grammars is None:
            raise RequestError("this server has no grammars; leave `language` out", "language")
        return self.grammars


def _wanted(
    prompt: list[int], samplings: list[SamplingParams], constraint: Constraint | None
) -> list[_Wanted]:
    """One prompt, answered once for each way to draw."""
    return [(prompt, sampling, constraint.fork() if constraint else None) for sampling in samplings]


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
    """An app's assistant under a model name: `reply` streams text, `fill` (if any) completes code."""

    id: str
    tokenizer: Tokenizer
    reply: Callable[[ChatRequest, int], AsyncIterator[str]]  # the request and which of the n choices
    fill: EngineModel | None = None
    created: int = field(default_factory=lambda: int(time.time()))

    async def chat(self, request: ChatRequest, owner: str) -> list[Answer]:
        if request.logprobs:
            raise RequestError(f"{self.id} cannot report logprobs; the base model can", "logprobs")
        if request.language is not None:
            raise RequestError(f"{self.id} writes no code; duet-code does", "language")
        count = sum(len(self.tokenizer.encode(message.text)) for message in request.messages)
        return [TextAnswer(count, self.reply(request, choice), self.tokenizer) for choice in range(request.n)]

    async def complete(self, request: CompletionRequest, owner: str) -> list[Answer]:
        if self.fill is None:
            raise RequestError(f"{self.id} only chats; use /v1/chat/completions", "model")
        return await self.fill.complete(request, owner)


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

    def get(self, name: str) -> ServedModel:
        """The model of that name; an adapter also answers to its bare name, as in vLLM.

        Raises ModelNotFoundError.
        """
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
        if (path / CLASSIFIER_FILE).is_file():
            if not (path / METRICS_FILE).is_file():
                raise AdapterError(
                    f"the adapter '{name}' was never measured: it has no {METRICS_FILE}; `duet adapters train` "
                    "measures what it trains"
                )
            self._adapters[key] = ClassifierModel(key, Classifier.load(self.engine, path, name))
            return
        if name not in self.engine.adapters:
            self.engine.add_adapter(load_adapter(path, self.engine.config, name))
        self._adapters[key] = EngineModel(key, self.engine, name, self.base.grammars)

    def unload_adapter(self, name: str) -> None:
        """Stop serving it. Raises UnknownAdapterError, or RequestError while it is in use."""
        if name in self._in_service():
            raise RequestError(f"the support assistant stands on '{name}': it stays loaded", "lora_name")
        self.engine.remove_adapter(name)
        self._adapters.pop(ADAPTER_PREFIX + name, None)
