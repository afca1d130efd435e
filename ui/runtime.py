"""What a server has once its model is in memory, and how a request gets at it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import structlog
from fastapi import FastAPI, Request

from apps.code.assistant import CodeAssistant
from apps.settings import Settings
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.errors import DatabaseNotReadyError
from apps.support.helpdesks.configured import configured_desks
from apps.support.helpdesks.worker import DeskWorker
from apps.support.reading.reader import NoReaderError
from apps.support.shop.database import Database
from apps.support.shop.importing import finish_interrupted
from core_model import catalog
from core_model.causal_lm import load_engine
from core_model.chat_model import DuetChatModel
from core_model.classifier import Classifier
from core_model.engine import Engine
from core_model.errors import CoreError
from core_model.lora import base_of
from core_model.tokenizer import Tokenizer
from ui.adapter_swap import AdapterSwap
from ui.metrics import Metrics
from ui.openai.errors import NotReadyError
from ui.served_models import DEFAULT_ID, AssistantModel, EngineModel, ModelTable, ServedModel
from ui.slots import Slots
from ui.support_model import SupportReplies
from ui.support_pipeline import adapters_in_service, no_reader, readers_for, support_pipeline

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Runtime:
    """The engine, the names under which it is served, and the apps that stand on it."""

    engine: Engine
    models: ModelTable
    code: CodeAssistant
    support: SupportPipeline | None  # None: no base that is there has a reader
    database: Database
    metrics: Metrics
    desks: DeskWorker | None = None
    support_engine: Engine | None = None  # where the base that is served has no reader
    no_support: str = ""  # why there is no support assistant
    swap: AdapterSwap | None = None
    slots: Slots = field(default_factory=Slots)

    @property
    def tokenizer(self) -> Tokenizer:
        return self.engine.tokenizer

    def assistant(self) -> SupportPipeline:
        """The support assistant. Raises NotReadyError where no base that is there has a reader."""
        if self.support is None:
            raise NotReadyError(self.no_support)
        return self.support

    def close(self) -> None:
        """Stop the engine; what is under way ends with an error."""
        if self.desks is not None:
            self.desks.close()
        if self.swap is not None:
            self.swap.close()
        self.engine.close()
        if self.support_engine is not None:
            self.support_engine.close()
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
        kv_cache=settings.kv_cache,
        sparse_beyond=settings.sparse_beyond,
        home=settings.home,
    )
    return assemble(engine, catalog.name_of(settings.model), settings, metrics)


def assemble(
    engine: Engine,
    name: str,
    settings: Settings,
    metrics: Metrics,
    assistants: Sequence[ServedModel] = (),
) -> Runtime:
    """Serve a loaded base model as `name`, with the adapters that belong to it and the assistants."""
    metrics.watch(engine)
    code_model = EngineModel(DEFAULT_ID, engine, fences=True)
    database = _open_database(settings)
    chat_model = DuetChatModel(engine=engine)
    served: list[ServedModel] = [code_model, *assistants]
    if (tag := catalog.tag_of(name)) is not None:
        served.append(replace(code_model, id=tag))
    support: SupportPipeline | None = None
    support_engine: Engine | None = None
    lacking = ""
    try:
        support_engine = engine if readers_for(settings, name) else _support_engine(settings)
        reading = name if support_engine is engine else catalog.DEFAULT_MODEL
        support = support_pipeline(database, DuetChatModel(engine=support_engine), settings, reading)
        served.insert(0, AssistantModel("duet-support", support_engine.tokenizer, SupportReplies(support)))
    except (CoreError, NoReaderError) as error:
        # The code assistant does its work without it.
        lacking = str(error)
        log.warning("no support assistant", reason=lacking)
        if support_engine is not None and support_engine is not engine:
            support_engine.close()
        support_engine = None
    base = EngineModel(name, engine)
    stands_on: Callable[[], set[str]] = set
    if support and support_engine is engine:
        stands_on = partial(adapters_in_service, support)
    models = ModelTable(base, served, stands_on)
    for file in sorted(settings.adapters_dir.glob("*/adapter_config.json")):
        try:
            trained_on = base_of(file.parent)
            if (
                catalog.name_of(trained_on) == name or trained_on not in catalog.CATALOG
            ):  # others lie there rightly
                models.load_adapter(file.parent.name, file.parent)
        except CoreError as error:
            # The server does its work without it.
            log.warning("adapter left out", adapter=file.parent.name, reason=str(error))
    desks = configured_desks(settings)
    worker = DeskWorker(support, desks, quiet_s=settings.desk_wait_s) if desks and support else None
    if worker is not None:
        worker.start()
    beside = support_engine if support_engine is not engine else None
    code = CodeAssistant(chat_model)
    swap = None
    if support is not None and support_engine is not None:
        reading = name if support_engine is engine else catalog.DEFAULT_MODEL
        swap = AdapterSwap(support, DuetChatModel(engine=support_engine), settings, reading)
        swap.start()
    return Runtime(engine, models, code, support, database, metrics, worker, beside, lacking, swap)


def _support_engine(settings: Settings) -> Engine:
    """The default base beside one that has no reader. Raises NoReaderError where there is none either."""
    if not readers_for(settings, catalog.DEFAULT_MODEL):
        raise NoReaderError(no_reader(settings))
    log.info("support assistant on a base of its own", base=catalog.DEFAULT_MODEL, served=settings.model)
    return load_engine(
        catalog.DEFAULT_MODEL,
        weights=settings.weights,
        threads=settings.threads,
        cache_tokens=settings.kv_cache_tokens,
        max_sequences=settings.max_batch,
        kv_cache=settings.kv_cache,
        sparse_beyond=settings.sparse_beyond,
        home=settings.home,
    )


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
    """FastAPI dependency. Raises NotReadyError while the model is not in memory, or has no reader."""
    return runtime_when_ready(request).assistant()


def classifiers(request: Request) -> Callable[[str], Classifier]:
    """FastAPI dependency: classification adapters by name. Raises NotReadyError as long as there is no model."""
    return runtime_when_ready(request).models.classifier


def code_assistant(request: Request) -> CodeAssistant:
    """FastAPI dependency. Raises NotReadyError while the model is not in memory."""
    return runtime_when_ready(request).code
