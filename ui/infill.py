"""POST /infill: llama.cpp's protocol (its server's README), which llama.vim and llama.vscode speak."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AfterValidator, AliasChoices, Field, model_validator

from apps.auth import Scope
from apps.body import Body
from apps.code.completion import AUTOMATIC_FLOOR, GREEDY, Gap, OtherFile
from apps.permissions import caller_of, needs
from core_model.requests import Completion, SamplingParams
from ui.llama_cpp import compact_json, only_fields, timings
from ui.openai.streaming import EventStream, collected, event, merged
from ui.openai.unsupported import OF_INFILL, refuse_unsupported
from ui.openai.usage import verdict
from ui.runtime import Runtime, runtime_when_ready
from ui.served_models import Answer
from ui.slots import Turn

router = APIRouter(dependencies=[needs(Scope.MODELS)])


Milliseconds = Annotated[float, AfterValidator(lambda limit: max(0.0, limit))]
"""A limit of time; 0 and what is below it, llama.cpp's own default, mean none."""


class ExtraFile(Body):
    """Some text of another file."""

    filename: str = "snippet"
    text: str


class InfillRequest(Body):
    """Fields that would change the text and do not here are refused; others (cache_prompt, …) are let through."""

    model: str = ""
    id_slot: int = -1
    input_prefix: str = ""
    input_suffix: str = ""
    input_extra: list[ExtraFile] = Field(default=[], max_length=256)
    prompt: str = ""  # follows the prefix: the line up to the cursor
    n_predict: int = Field(-1, ge=-1, validation_alias=AliasChoices("n_predict", "max_tokens"))
    n_cmpl: int = Field(1, ge=1, le=16)
    n_indent: int = Field(0, ge=0)
    t_max_prompt_ms: Milliseconds = 0
    t_max_predict_ms: Milliseconds = 0
    response_fields: list[str] = Field(default=[], max_length=64)
    temperature: float = GREEDY.temperature
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = -1
    stop: list[str] = Field(default=[], max_length=64)
    stream: bool = False
    language: str | None = None  # Duet's own: python, java or cpp
    filename: str | None = None  # Duet's own: of the file with the gap

    @model_validator(mode="before")
    @classmethod
    def _honoured(cls, data: Any) -> Any:
        if isinstance(data, dict):
            refuse_unsupported(data, OF_INFILL)
        return data

    @property
    def gap(self) -> Gap:
        """The gap that is asked about. Raises RequestError."""
        # What a client gives to reading and to writing is together how long it waits.
        limited = self.n_predict and self.t_max_prompt_ms and self.t_max_predict_ms
        waits_ms = self.t_max_prompt_ms + self.t_max_predict_ms
        return Gap(
            self.input_prefix + self.prompt,
            self.input_suffix,
            tuple(OtherFile(extra.filename, extra.text) for extra in self.input_extra),
            filename=self.filename,
            language=self.language,
            sampling=SamplingParams(
                temperature=self.temperature,
                top_p=self.top_p,
                top_k=max(0, self.top_k),
                min_p=self.min_p,
                seed=None if self.seed < 0 else self.seed,
                stop=tuple(self.stop),
                max_tokens=GREEDY.max_tokens if self.n_predict < 0 else self.n_predict,
            ),
            deadline_s=waits_ms / 1000 if limited else None,
            decode_s=self.t_max_predict_ms / 1000 if self.t_max_predict_ms and self.n_predict else None,
            indentation=self.n_indent,
            alternatives=self.n_cmpl,
            floor=AUTOMATIC_FLOOR,
        )


@router.post("/infill", tags=["editors"])
async def infill(
    body: InfillRequest, request: Request, runtime: Annotated[Runtime, Depends(runtime_when_ready)]
) -> Response:
    """What belongs between `input_prefix` + `prompt` and `input_suffix`, as one body or as a stream of events.

    A list of bodies where alternatives are asked for. A new request ends the one before it in the same slot.
    """
    model = runtime.models.get(body.model)
    slot = (request.state.caller, request.client and request.client.host, body.id_slot)
    looks = body.n_predict and body.id_slot >= 0  # a warming call is no look at the screen
    turn = runtime.slots.take(slot) if looks else Turn()
    answers = await model.fill(body.gap, caller_of(request).name)
    turn.begin(answers)
    if body.stream:
        return EventStream(_events(body, model.id, answers, runtime), answers)
    ends = await collected(request, answers)
    runtime.metrics.answered(model.id, ends)
    told = [_told(body, model.id, end, runtime) | {"content": end.text} for end in _different(ends)]
    shown = [only_fields(one, body.response_fields) for one in told]
    return Response(
        compact_json(shown if body.n_cmpl > 1 else shown[0]), media_type="application/json; charset=utf-8"
    )


def _different(ends: list[Completion]) -> list[Completion]:
    """The suggestions without those that say the same as one before; one at least."""
    return list({end.text: end for end in reversed(ends) if end.text}.values())[::-1] or ends[:1]


async def _events(
    body: InfillRequest, model: str, answers: list[Answer], runtime: Runtime
) -> AsyncIterator[bytes]:
    async for number, item in merged(answers):
        if isinstance(item, Completion):
            runtime.metrics.answered(model, [item])
            yield event({**_told(body, model, item, runtime), "content": "", "index": number})
        elif item.text:
            told = {"index": number, "content": item.text, "stop": False}
            yield event({**told, "tokens_predicted": len(item.tokens)})


def _told(body: InfillRequest, model: str, end: Completion, runtime: Runtime) -> dict[str, Any]:
    """What is said of a suggestion: what it cost, and why it ended."""
    return {
        "index": 0,
        "content": "",
        "model": model,
        "id_slot": body.id_slot,
        "stop": True,
        "stop_type": "eos" if end.finish_reason == "stop" else "limit",
        "has_new_line": "\n" in end.text,
        "truncated": False,
        "tokens_evaluated": end.prompt_tokens,
        "tokens_predicted": len(end.tokens),
        "tokens_cached": end.prompt_tokens + len(end.tokens),
        "generation_settings": {
            "n_ctx": runtime.engine.config.context,
            "n_predict": body.n_predict,
            "temperature": body.temperature,
            "top_k": body.top_k,
            "top_p": body.top_p,
            "min_p": body.min_p,
            "stop": body.stop,
        },
        "timings": timings(end),
        **verdict(body.language, end),
    }
