"""`/api/code/write`, `/edit`, `/complete`, `/translate`: JSON in, JSON out.

With `Accept: text/event-stream` the answer is the events `token`… (of the first draft), `progress` (before each part of
a long translation), `checked`… (for each draft that was run), `done`.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from apps.auth import Scope
from apps.body import Body
from apps.code.answers import EFFORTS, Answer, Checked, Event, Events, Progress, Token
from apps.code.assistant import MAX_TOKENS, CodeAssistant
from apps.code.completion import Gap, OtherFile
from apps.code.editing import Edit
from apps.events import in_thread, named, server_sent
from apps.permissions import needs
from core_model.errors import CoreError
from core_model.requests import SamplingParams

CLIENT_GONE = 499  # for the log only (nginx's)
COMPLETION_TOKENS = 256

MaxTokens = Annotated[int, Field(ge=1, le=8192)]
MOST_CHARACTERS = 400_000
"""Of one field: more than any model here reads, and little enough that what looks at it first takes a moment."""
Text = Annotated[str, Field(max_length=MOST_CHARACTERS)]
Temperature = Annotated[float, Field(ge=0, le=2)]
EffortName = Literal["quick", "normal", "thorough"]


class _Body(Body):
    model_config = ConfigDict(extra="forbid")

    temperature: Temperature = 0.0
    compile: bool = Field(False, description="Ask javac or g++ too; Python is always asked.")


_COMPILED = Field(True, description="Whether javac or g++ are asked, too; Python always is.")


class WriteBody(_Body):
    task: Text = Field(min_length=1)
    language: str
    start: Text = ""
    effort: EffortName = "normal"
    max_tokens: MaxTokens = MAX_TOKENS
    compile: bool = _COMPILED


class FileBody(Body):
    """Another file of the project."""

    model_config = ConfigDict(extra="forbid")

    name: str
    text: Text


class CompleteBody(_Body):
    prefix: Text
    suffix: Text = ""
    language: str | None = Field(None, description="Left out, it is found from the name and the text.")
    filename: str | None = None
    files: list[FileBody] = Field(default=[], max_length=256, description="Text of others, the nearest last.")
    max_tokens: MaxTokens = COMPLETION_TOKENS
    deadline_ms: int | None = Field(None, ge=1, description="What is written by then is the answer.")

    @property
    def gap(self) -> Gap:
        """The gap that is asked about; the caller wants to see what there is."""
        return Gap(
            self.prefix,
            self.suffix,
            tuple(OtherFile(file.name, file.text) for file in self.files),
            filename=self.filename,
            language=self.language,
            sampling=SamplingParams(temperature=self.temperature, max_tokens=self.max_tokens),
            deadline_s=None if self.deadline_ms is None else self.deadline_ms / 1000,
        )


class EditBody(_Body):
    instruction: Text = Field(min_length=1)
    prefix: Text = ""
    selection: Text = Field(min_length=1, description="Whole lines; part of a line stands for the line.")
    suffix: Text = ""
    language: str | None = Field(None, description="Left out, it is found from the name and the text.")
    filename: str | None = None
    max_tokens: MaxTokens | None = Field(
        None, description="Left out, what a selection of this size may need."
    )

    @property
    def edit(self) -> Edit:
        """The edit that is asked for. Raises RequestError where nothing is selected."""
        return Edit(
            self.instruction,
            self.prefix,
            self.selection,
            self.suffix,
            filename=self.filename,
            language=self.language,
            sampling=SamplingParams(temperature=self.temperature),
            max_tokens=self.max_tokens,
        )


class TranslateBody(_Body):
    code: Text = Field(min_length=1)
    source: str
    target: str
    start: Text = ""
    effort: EffortName = "normal"
    max_tokens: MaxTokens = MAX_TOKENS
    compile: bool = _COMPILED


class TrialBody(BaseModel):
    """What the assistant made up to run the code on; `alike` of `drafts` gave the same."""

    name: str
    gave: str
    alike: int
    drafts: int


class CheckBody(BaseModel):
    name: str
    passed: bool
    detail: str


class AnswerBody(BaseModel):
    """`prefix_parses` only for a completion or an edit, `selection` and `diff` only for an edit; `checked` tells what
    the code was run on."""

    code: str
    language: str
    parses: bool
    prefix_parses: bool | None
    tokens: int
    seconds: float
    finish_reason: str
    drafts: int
    checked: list[CheckBody]
    unchecked: str | None
    compiles: bool | None
    compile_problem: str | None
    trials: list[TrialBody]
    unknown: str | None
    selection: str | None
    diff: str | None


def create_router(assistant_of: Callable[[Request], CodeAssistant]) -> APIRouter:
    """The routes. `assistant_of` is a FastAPI dependency: it may refuse while the model is being loaded."""
    router = APIRouter(prefix="/api/code", tags=["code"], dependencies=[needs(Scope.MODELS)])
    Assistant = Annotated[CodeAssistant, Depends(assistant_of)]  # noqa: N806 - a type
    Accept = Annotated[str, Header()]  # noqa: N806 - a type

    @router.post("/write", response_model=AnswerBody)
    async def write(body: WriteBody, request: Request, assistant: Assistant, accept: Accept = "") -> Response:
        """Code for a task in words."""
        return await _respond(assistant.write(**_options(body)), request, accept)

    @router.post("/complete", response_model=AnswerBody)
    async def complete(
        body: CompleteBody, request: Request, assistant: Assistant, accept: Accept = ""
    ) -> Response:
        """What belongs between `prefix` and `suffix`."""
        return await _respond(assistant.complete(body.gap, compile=body.compile), request, accept)

    @router.post("/edit", response_model=AnswerBody)
    async def edit(body: EditBody, request: Request, assistant: Assistant, accept: Accept = "") -> Response:
        """What takes the selection's place by an instruction."""
        return await _respond(assistant.edit(body.edit, compile=body.compile), request, accept)

    @router.post("/translate", response_model=AnswerBody)
    async def translate(
        body: TranslateBody, request: Request, assistant: Assistant, accept: Accept = ""
    ) -> Response:
        """The same program in another language."""
        return await _respond(assistant.translate(**_options(body)), request, accept)

    return router


def _options(body: WriteBody | TranslateBody) -> dict[str, Any]:
    return {**body.model_dump(), "effort": EFFORTS[body.effort]}


async def _respond(events: Events, request: Request, accept: str) -> Response:
    first = await run_in_threadpool(next, events)  # what is wrong with the request is raised here
    if "text/event-stream" in accept:
        return StreamingResponse(
            server_sent(first, events, _frame, CoreError), media_type="text/event-stream"
        )
    answer = first
    async for event in in_thread(events):
        if await request.is_disconnected():
            return Response(status_code=CLIENT_GONE)
        answer = event
    assert isinstance(answer, Answer)
    return Response(json.dumps(asdict(answer), ensure_ascii=False), media_type="application/json")


def _frame(event: Event) -> bytes:
    names = {Token: "token", Progress: "progress", Checked: "checked", Answer: "done"}
    return named(names[type(event)], asdict(event))
