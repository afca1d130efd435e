"""Tabby's protocol (github.com/TabbyML/tabby, OpenAPI document): completions, health, what became of suggestions.

Its POST /v1/completions stands on one path with OpenAI's; `ui.openai.completions` tells them apart by their bodies.
"""

from __future__ import annotations

import os
import platform
import uuid
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from itertools import chain
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from apps.auth import Scope
from apps.body import Body
from apps.code.completion import AUTOMATIC_FLOOR, GREEDY, Gap, OtherFile
from apps.code.constraints import served_language
from apps.code.errors import LanguageNotServedError
from apps.permissions import caller_of, needs
from core_model.errors import RequestError
from ui.openai.errors import ModelNotFoundError
from ui.openai.streaming import collected
from ui.openai.unsupported import refuse_unsupported
from ui.runtime import Runtime, runtime_when_ready

MAX_SNIPPETS = 256
EVENTS = {"view": "shown", "select": "accepted", "dismiss": "dismissed"}

router = APIRouter(tags=["editors"], dependencies=[needs(Scope.MODELS)])
ReadyRuntime = Annotated[Runtime, Depends(runtime_when_ready)]


class Snippet(Body):
    """Some code of another file."""

    filepath: str = "snippet"
    body: str


Snippets = Annotated[list[Snippet], Field(max_length=MAX_SNIPPETS)]


class Segments(Body):
    """What the editor knows around the cursor."""

    prefix: str
    suffix: str = ""
    filepath: str | None = None
    declarations: Snippets = Field(default_factory=list)
    relevant_snippets_from_changed_files: Snippets = Field(default_factory=list)
    relevant_snippets_from_recently_opened_files: Snippets = Field(default_factory=list)
    clipboard: str | None = None

    def others(self) -> Iterator[Snippet]:
        """The other code, what says most about the cursor last. Tabby's lists begin with the best."""
        if self.clipboard:
            yield Snippet(filepath="clipboard", body=self.clipboard)
        yield from chain(
            reversed(self.relevant_snippets_from_recently_opened_files),
            reversed(self.relevant_snippets_from_changed_files),
            reversed(self.declarations),
        )


class DebugOptions(Body):
    """`debug_options`: those that show what a server did are let through."""

    raw_prompt: str | None = None


class TabbyRequest(Body):
    """The body of Tabby's POST /v1/completions."""

    language: str | None = None  # as Visual Studio Code calls it
    segments: Segments
    temperature: float = GREEDY.temperature
    seed: int | None = None
    mode: Literal["standard"] = "standard"
    debug_options: DebugOptions = DebugOptions()

    @property
    def gap(self) -> Gap:
        """The gap that is asked about. Raises RequestError."""
        refuse_unsupported(self.debug_options.model_dump(), {"raw_prompt": None})
        here = self.segments
        language, filename = self._language(), here.filepath
        if language is None and filename is None and self.language is not None:
            filename = (
                f"untitled.{self.language}"  # a language that is none of ours is not looked for in the text
            )
        return Gap(
            here.prefix,
            here.suffix,
            tuple(OtherFile(other.filepath, other.body) for other in here.others()),
            filename=filename,
            language=language,
            sampling=replace(GREEDY, temperature=self.temperature, seed=self.seed),
            floor=AUTOMATIC_FLOOR,
        )

    def _language(self) -> str | None:
        if self.language is None:
            return None
        try:
            return served_language(self.language)
        except LanguageNotServedError:
            return None


class Event(Body):
    """The body of POST /v1/events."""

    type: Literal["view", "select", "dismiss"]
    completion_id: str
    choice_index: int = 0


async def complete(body: TabbyRequest, request: Request, runtime: Runtime) -> Response:
    """What belongs at the cursor, as Tabby answers; no choice where there is nothing worth saying."""
    model = runtime.models.get(None)
    ends = await collected(request, await model.fill(body.gap, caller_of(request).name))
    runtime.metrics.answered(model.id, ends)
    choices = [{"index": index, "text": end.text} for index, end in enumerate(ends) if end.text]
    return JSONResponse({"id": f"{model.id}/{uuid.uuid4().hex}", "choices": choices})


@router.post("/v1/events")
async def count_event(body: Event, runtime: ReadyRuntime) -> Response:
    """Count what became of a suggestion: it was shown, accepted or dismissed. Raises RequestError."""
    # The suggestion's id says which model made it, so that nothing has to be remembered.
    name = body.completion_id.rpartition("/")[0]
    try:
        model = runtime.models.get(name or body.completion_id)
    except ModelNotFoundError as error:
        raise RequestError(
            f"{body.completion_id!r} is the id of no suggestion that was made here", "completion_id"
        ) from error
    runtime.metrics.suggestion(model.id, EVENTS[body.type])
    return Response()


@router.get("/v1/health")
@router.post("/v1/health", include_in_schema=False)  # older clients
async def tabby_health(runtime: ReadyRuntime) -> dict[str, Any]:
    """The model and the machine, as Tabby's clients ask for them when they connect."""
    release = version("duet-assistant")
    return {
        "model": runtime.models.base.id,
        "device": "cpu",
        "arch": platform.machine(),
        "cpu_info": platform.processor() or platform.machine(),
        "cpu_count": os.cpu_count() or 1,
        "cuda_devices": [],
        "version": {"build_date": "", "build_timestamp": "", "git_sha": "", "git_describe": f"v{release}"},
    }
