"""GET /v1/models, and vLLM's way to load and unload adapters."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import PlainTextResponse

from apps.auth import Scope
from apps.permissions import needs
from ui.openai.schemas import LoadAdapterRequest, UnloadAdapterRequest
from ui.runtime import Runtime, runtime_when_ready
from ui.served_models import ServedModel

router = APIRouter()
ReadyRuntime = Annotated[Runtime, Depends(runtime_when_ready)]


@router.get("/v1/models", tags=["OpenAI"], dependencies=[needs(Scope.MODELS)])
async def list_models(runtime: ReadyRuntime) -> dict[str, Any]:
    """Every model name that requests may use."""
    return {"object": "list", "data": [_card(model, runtime) for model in runtime.models.all()]}


@router.get("/v1/models/{name:path}", tags=["OpenAI"], dependencies=[needs(Scope.MODELS)])
async def retrieve_model(name: str, runtime: ReadyRuntime) -> dict[str, Any]:
    """One model."""
    return _card(runtime.models.get(name), runtime)


def _card(model: ServedModel, runtime: Runtime) -> dict[str, Any]:
    base = runtime.models.base
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": "duet",
        "parent": None if model is base else base.id,
        "max_model_len": runtime.engine.config.context,
    }


@router.post("/v1/load_lora_adapter", tags=["vLLM"], dependencies=[needs(Scope.ADMIN)])
async def load_lora_adapter(body: LoadAdapterRequest, runtime: ReadyRuntime) -> PlainTextResponse:
    """Serve a PEFT folder on the server's disk as the model `duet-NAME`."""
    await asyncio.to_thread(runtime.models.load_adapter, body.lora_name, Path(body.lora_path).expanduser())
    return PlainTextResponse(f"Success: LoRA adapter '{body.lora_name}' added successfully.")


@router.post("/v1/unload_lora_adapter", tags=["vLLM"], dependencies=[needs(Scope.ADMIN)])
async def unload_lora_adapter(body: UnloadAdapterRequest, runtime: ReadyRuntime) -> PlainTextResponse:
    """Stop serving an adapter."""
    await asyncio.to_thread(runtime.models.unload_adapter, body.lora_name)
    return PlainTextResponse(f"Success: LoRA adapter '{body.lora_name}' removed successfully.")
