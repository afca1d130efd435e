"""GET /api/tags, POST /api/show, GET /api/version: which models there are and what they can do."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from apps.auth import Scope
from apps.permissions import needs
from core_model.config import ModelConfig
from core_model.tokenizer import Tokenizer
from ui.ollama.form import OllamaRoute
from ui.ollama.names import model_named, tagged
from ui.ollama.schemas import ShowRequest
from ui.runtime import Runtime, runtime_when_ready
from ui.served_models import ClassifierModel, EngineModel, ServedModel

OLLAMA_VERSION = "0.12.6"
"""The release whose protocol this is: clients look whether it is new enough for what they want."""

router = APIRouter(tags=["Ollama"], dependencies=[needs(Scope.MODELS)], route_class=OllamaRoute)
ReadyRuntime = Annotated[Runtime, Depends(runtime_when_ready)]


@router.get("/api/version")
async def show_version() -> dict[str, str]:
    """Which Ollama's protocol this is."""
    return {"version": OLLAMA_VERSION}


@router.get("/api/tags")
async def list_models(runtime: ReadyRuntime) -> dict[str, Any]:
    """Every model name that requests may use."""
    talking = (model for model in runtime.models.all() if not isinstance(model, ClassifierModel))
    return {"models": [_card(model, runtime) for model in talking]}


@router.post("/api/show")
async def show(body: ShowRequest, runtime: ReadyRuntime) -> dict[str, Any]:
    """One model: its shape, and what it can do."""
    model = model_named(body.model or body.name, runtime)
    config = runtime.engine.config
    return {
        "modified_at": _created(model),
        "modelfile": f"FROM {model.id}",
        "parameters": "",
        "template": _template(runtime.tokenizer),
        "details": _details(config),
        "model_info": {
            "general.architecture": config.family,
            "general.basename": config.name,
            "general.parameter_count": parameters(config),
            f"{config.family}.context_length": config.context,
            f"{config.family}.embedding_length": config.hidden,
            f"{config.family}.block_count": config.layers,
            f"{config.family}.attention.head_count": config.heads,
            f"{config.family}.attention.head_count_kv": config.kv_heads,
        },
        "capabilities": _capabilities(model, runtime.tokenizer),
    }


def parameters(config: ModelConfig) -> int:
    """Weights of a decoder, by its shape."""
    attention = config.hidden * config.head_dim * 2 * (config.heads + config.kv_heads)
    feed_forward = 3 * config.hidden * config.intermediate
    embeddings = config.vocab * config.hidden * (1 if config.tied_head else 2)
    return config.layers * (attention + feed_forward) + embeddings


def _card(model: ServedModel, runtime: Runtime) -> dict[str, Any]:
    config = runtime.engine.config
    return {
        "name": tagged(model.id),
        "model": tagged(model.id),
        "modified_at": _created(model),
        "size": parameters(config) // 2,  # bytes, at the four bits that weights are served with by default
        "digest": hashlib.sha256(model.id.encode()).hexdigest(),
        "details": _details(config),
    }


def _details(config: ModelConfig) -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": config.family,
        "families": [config.family],
        "parameter_size": f"{parameters(config) / 1e6:.2f}M",
    }


def _created(model: ServedModel) -> str:
    return datetime.fromtimestamp(model.created, UTC).isoformat().replace("+00:00", "Z")


def _capabilities(model: ServedModel, tokenizer: Tokenizer) -> list[str]:
    if isinstance(model, ClassifierModel):
        return []
    if not isinstance(model, EngineModel):
        return ["completion"]
    return ["completion", "tools", *(["insert"] if tokenizer.fim_marks else [])]


def _template(tokenizer: Tokenizer) -> str:
    """In Ollama's notation, by which clients (Continue) see whether a model can fill in."""
    marks = tokenizer.fim_marks
    if marks is None:
        return "{{ .Prompt }}"
    gap = "{prefix}{{{{ .Prompt }}}}{suffix}{{{{ .Suffix }}}}{middle}".format(**marks)
    return f"{{{{- if .Suffix }}}}{gap}{{{{- else }}}}{{{{ .Prompt }}}}{{{{- end }}}}"
