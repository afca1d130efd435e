"""What a server has once its model is in memory, and how a request gets at it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from fastapi import FastAPI, Request

from apps.code.assistant import CodeAssistant
from apps.code.constraints import Constraints
from apps.settings import Settings
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.errors import DatabaseNotReadyError
from apps.support.helpdesks.configured import configured_desks
from apps.support.helpdesks.worker import DeskWorker
from apps.support.shop.database import Database
from apps.support.shop.importing import finish_interrupted
from core_model import catalog
from core_model.causal_lm import load_engine
from core_model.chat_model import DuetChatModel
from core_model.engine import Engine
from core_model.errors import CoreError
from core_model.lora import base_of
from core_model.tokenizer import Tokenizer
from ui.metrics import Metrics
from ui.openai.errors import NotReadyError
from ui.served_models import AssistantModel, EngineModel, ModelTable, ServedModel
from ui.support_model import SupportReplies
from ui.support_pipeline import adapters_in_service, support_pipeline

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Runtime:
    """The engine, the names under which it is served, and the apps that stand on it."""

    engine: Engine
    models: ModelTable
    code: CodeAssistant
    support: SupportPipeline
    database: Database
    metrics: Metrics
    desks: DeskWorker | None = None

    @property
    def tokenizer(self) -> Tokenizer:
        return self.engine.tokenizer

    def close(self) -> None:
        """Stop the engine; what is under way ends with an error."""
        if self.desks is not None:
            self.desks.close()
        self.engine.close()
        self.database.close()


LoadRuntime = Callable[[Settings, Metrics], Runtime]


def load_runtime(settings: Settings, metrics: Metrics) -> Runtime:
    """Load the base model and the adapters that belong to it. Raises CoreError."""
    engine = load_engine(
        settings.model,
        weights=settings.weights,
        threads=settings.threads,
        cache_tokens=settings.kv_cache_tokens,
        max_sequences=settings.max_batch,
        home=settings.home,
    )
    name = settings.model if settings.model in catalog.CATALOG else Path(settings.model).stem
    return assemble(engine, name, settings, metrics)


def assemble(
    engine: Engine,
    name: str,
    settings: Settings,
    metrics: Metrics,
    assistants: Sequence[ServedModel] = (),
) -> Runtime:
    """Serve a loaded base model as `name`, with the adapters that belong to it and the assistants."""
    metrics.watch(engine)
    grammars = Constraints(engine.tokenizer)
    code_model = EngineModel("duet-code", engine, grammars=grammars, fences=True)
    database = _open_database(settings)
    chat_model = DuetChatModel(engine=engine)
    support = support_pipeline(database, chat_model, settings)
    support_model = AssistantModel("duet-support", engine.tokenizer, SupportReplies(support))
    base = EngineModel(name, engine, grammars=grammars)
    models = ModelTable(base, [support_model, code_model, *assistants], adapters_in_service(support))
    for file in sorted(settings.adapters_dir.glob("*/adapter_config.json")):
        try:
            trained_on = base_of(file.parent)
            if trained_on == name or trained_on not in catalog.CATALOG:  # others lie there rightly
                models.load_adapter(file.parent.name, file.parent)
        except CoreError as error:
            # The server does its work without it.
            log.warning("adapter left out", adapter=file.parent.name, reason=str(error))
    desks = configured_desks(settings)
    worker = DeskWorker(support, desks) if desks else None
    if worker is not None:
        worker.start()
    return Runtime(engine, models, CodeAssistant(chat_model), support, database, metrics, worker)


def _open_database(settings: Settings) -> Database:
    database = Database(settings.database_url)
    try:
        database.upgrade()
        finish_interrupted(database)
    except DatabaseNotReadyError as error:
        # What needs no database is served all the same; /ready tells what is missing.
        log.error("the database is not ready", reason=str(error))
    return database


def runtime_when_ready(request: Request) -> Runtime:
    """FastAPI dependency. Raises NotReadyError while the model is not in memory."""
    return loaded_runtime(request.app)


def loaded_runtime(app: FastAPI) -> Runtime:
    """What the app's server stands on. Raises NotReadyError while the model is not in memory."""
    loading: asyncio.Task[Runtime] = app.state.loading
    if not loading.done():
        raise NotReadyError("the model is being loaded; try again in a moment")
    error = loading.exception()
    if error is not None:
        raise NotReadyError(f"the model could not be loaded: {error}")
    return loading.result()


def support_assistant(request: Request) -> SupportPipeline:
    """FastAPI dependency. Raises NotReadyError while the model is not in memory."""
    return runtime_when_ready(request).support


def code_assistant(request: Request) -> CodeAssistant:
    """FastAPI dependency. Raises NotReadyError while the model is not in memory."""
    return runtime_when_ready(request).code
