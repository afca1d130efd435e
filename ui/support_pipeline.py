"""The support assistant as it is served: with the trained adapters of the loaded base, where there are any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import structlog

from apps.settings import Settings
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.errors import DatabaseNotReadyError
from apps.support.reading.reader import NoReaderError, Reader
from apps.support.replies.writer import ReplyWriter
from apps.support.shop.database import Database
from apps.support.shop.handbook import follow_policy
from apps.support.shop.policy import Policy, load_policy
from core_model import catalog
from core_model.chat_model import DuetChatModel
from core_model.engine import Engine
from core_model.errors import CoreError
from core_model.lora import base_of, load_adapter
from evaluation.learning.versions import Versions

READER_ADAPTERS, REPLY_ADAPTERS = "support-reader*", "support-reply*"
"""Names of the folders in DUET_ADAPTERS_DIR; of several for one base the first serves."""

log = structlog.get_logger(__name__)


def support_pipeline(
    database: Database, chat_model: DuetChatModel, settings: Settings, model: str | None = None
) -> SupportPipeline:
    """The assistant on a loaded base, the one of the settings unless `model` names another.

    Its adapters are loaded into the engine under their folders' names, and the stored handbook is brought in line
    with the policy. Raises NoReaderError where the base has no reader, PolicyError and WordsError.
    """
    engine, model = chat_model.engine, model or settings.model
    reader = served_reader(engine, settings, model)
    policy = load_policy(settings.policy)
    _bring_handbook_in_line(database, policy)
    adapter = served_reply_adapter(engine, settings, model)
    log.info("support assistant", reader=reader.adapter, replies=adapter or "prompt with examples")
    return SupportPipeline(
        database,
        reader,
        ReplyWriter(chat_model, window=settings.support_window, adapter=adapter),
        policy=policy,
    )


def adapters_in_service(pipeline: SupportPipeline) -> set[str]:
    """The names of the adapters that the assistant cannot do without any more."""
    return {name for name in (pipeline.replies.adapter, pipeline.reader.adapter) if name is not None}


def readers_for(settings: Settings, model: str) -> list[Path]:
    """The folders of the readers that were trained for a base."""
    return list(_adapters_for(settings, READER_ADAPTERS, model))


def replies_for(settings: Settings, model: str) -> list[Path]:
    """The folders of the reply adapters that were trained for a base."""
    return list(_adapters_for(settings, REPLY_ADAPTERS, model))


def no_reader(settings: Settings) -> str:
    """What to do where neither the base that is served nor the default one has a reader."""
    return (
        f"the support assistant needs a reader, and {settings.adapters_dir} has none for {settings.model} that can "
        f"be loaded: use `--model {catalog.DEFAULT_MODEL}`, or train one (docs/training.md) with "
        f'model = "{settings.model}" in a copy of adapters/support-reader/recipe.toml'
    )


def served_reader(engine: Engine, settings: Settings, model: str) -> Reader:
    """The first reader of the base that can be loaded, as in service. Raises NoReaderError."""
    for delivered in readers_for(settings, model):
        try:
            return Reader(engine, load_served(engine, Versions(settings.home, delivered)))
        except CoreError as error:
            log.warning("reader left out", adapter=delivered.name, reason=str(error))
    raise NoReaderError(no_reader(settings))


def _bring_handbook_in_line(database: Database, policy: Policy) -> None:
    try:
        database.check_ready()
    except DatabaseNotReadyError:
        return  # whoever asks is told so, and it is done at the next start
    with database.write() as session:
        if changed := follow_policy(session, policy):
            log.info("handbook follows the policy", articles=changed)


def served_reply_adapter(engine: Engine, settings: Settings, model: str) -> str | None:
    for delivered in replies_for(settings, model):
        try:
            return load_served(engine, Versions(settings.home, delivered))
        except CoreError as error:
            log.warning("reply adapter left out", adapter=delivered.name, reason=str(error))
    return None


def load_served(engine: Engine, versions: Versions) -> str:
    """Load the version that serves into the engine; its name there. Raises CoreError.

    Where a learnt version cannot be loaded, the delivered one serves.
    """
    folder = versions.served_folder()
    if folder != versions.delivered:
        try:
            return _load(engine, folder, f"{versions.name}@{folder.name}")
        except CoreError as error:
            log.error("the delivered adapter serves in its place", adapter=str(folder), reason=str(error))
    return _load(engine, versions.delivered, versions.name)


def _load(engine: Engine, folder: Path, name: str) -> str:
    if name not in engine.adapters:
        engine.add_adapter(load_adapter(folder, engine.config, name))
    return name


def _adapters_for(settings: Settings, pattern: str, model: str) -> Iterator[Path]:
    """The folders of trained adapters of that name for a base."""
    for file in sorted(settings.adapters_dir.glob(f"{pattern}/adapter_config.json")):
        try:
            base = base_of(file.parent)
        except CoreError as error:
            log.warning("adapter left out", adapter=file.parent.name, reason=str(error))
            continue
        if catalog.name_of(base) == catalog.name_of(model):
            yield file.parent
