"""The support assistant as it is served: with the trained adapters of the loaded base, where there are any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import structlog

from apps.settings import Settings
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.errors import SupportError
from apps.support.reading.intents import ExampleIntents, IntentRecognizer
from apps.support.reading.trained_intents import AdapterIntents
from apps.support.replies.writer import ReplyWriter
from apps.support.shop.database import Database
from apps.support.shop.handbook import follow_policy
from apps.support.shop.policy import load_policy
from core_model.chat_model import DuetChatModel
from core_model.classifier import Classifier
from core_model.engine import Engine
from core_model.errors import CoreError
from core_model.lora import base_of, load_adapter

INTENT_ADAPTERS, REPLY_ADAPTERS = "support-intent*", "support-reply*"
"""Names of the folders in DUET_ADAPTERS_DIR; of several for one base the first serves."""

log = structlog.get_logger(__name__)


def support_pipeline(database: Database, chat_model: DuetChatModel, settings: Settings) -> SupportPipeline:
    """The assistant on a loaded base. Its adapters are loaded into the engine under their folders' names.

    The handbook is brought in line with the policy. Raises PolicyError and WordsError.
    """
    engine = chat_model.engine
    policy = load_policy(settings.policy)
    with database.write() as session:
        if changed := follow_policy(session, policy):
            log.info("handbook follows the policy", articles=changed)
    intents = _trained_intents(engine, settings) or ExampleIntents()
    adapter = _reply_adapter(engine, settings)
    log.info(
        "support assistant",
        intents=intents.adapter if isinstance(intents, AdapterIntents) else "packaged examples",
        replies=adapter or "prompt with examples",
    )
    return SupportPipeline(
        database,
        intents,
        ReplyWriter(chat_model, window=settings.support_window, adapter=adapter),
        policy=policy,
    )


def adapters_in_service(pipeline: SupportPipeline) -> set[str]:
    """The names of the adapters that the assistant cannot do without any more."""
    found = {pipeline.replies.adapter}
    if isinstance(pipeline.intents, AdapterIntents):
        found.add(pipeline.intents.adapter)
    return {name for name in found if name is not None}


def _trained_intents(engine: Engine, settings: Settings) -> IntentRecognizer | None:
    for folder in _adapters_for(settings, INTENT_ADAPTERS):
        try:
            return AdapterIntents(Classifier.load(engine, folder))
        except (CoreError, SupportError) as error:
            log.warning("intent adapter left out", adapter=folder.name, reason=str(error))
    return None


def _reply_adapter(engine: Engine, settings: Settings) -> str | None:
    for folder in _adapters_for(settings, REPLY_ADAPTERS):
        try:
            if folder.name not in engine.adapters:
                engine.add_adapter(load_adapter(folder, engine.config))
        except CoreError as error:
            log.warning("reply adapter left out", adapter=folder.name, reason=str(error))
        else:
            return folder.name
    return None


def _adapters_for(settings: Settings, pattern: str) -> Iterator[Path]:
    """The folders of trained adapters of that name for the base that is served."""
    for file in sorted(settings.adapters_dir.glob(f"{pattern}/adapter_config.json")):
        try:
            base = base_of(file.parent)
        except CoreError as error:
            log.warning("adapter left out", adapter=file.parent.name, reason=str(error))
            continue
        if base in (settings.model, Path(settings.model).name):
            yield file.parent
