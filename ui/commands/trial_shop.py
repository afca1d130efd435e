"""A shop to try the assistant on, in a database that is thrown away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from apps.settings import load_settings
from evaluation.errors import DataError

if TYPE_CHECKING:
    from apps.settings import Settings
    from apps.support.conversations.pipeline import SupportPipeline
    from apps.support.shop.database import Database
    from apps.support.shop.policy import Policy
    from core_model.engine import Engine


class Trial(NamedTuple):
    pipeline: SupportPipeline
    engine: Engine


_DATABASES = (".db", ".sqlite", ".sqlite3")


@contextmanager
def trial_shop(data: Path | None) -> Iterator[Database]:
    """The shop of an export (.json, .csv) or the copy of a SQLite database; the demonstration shop without one.

    Raises DataError where the file is no shop, ImportFileError where the export is wrong.
    """
    from sqlalchemy import select

    from apps.support.shop.database import Database
    from apps.support.shop.handbook import load_handbook
    from apps.support.shop.importing import import_file
    from apps.support.shop.models import Order
    from apps.support.shop.policy import load_policy
    from apps.support.shop.seed import seed

    policy = load_policy(load_settings().policy)
    with tempfile.TemporaryDirectory(prefix="duet-trial-") as folder:
        path = Path(folder) / "shop.db"
        if data is not None and data.suffix in _DATABASES:
            shutil.copy(data, path)
        database = Database(f"sqlite:///{path}")
        try:
            database.upgrade()
            if data is None:
                with database.write() as session:
                    seed(session, datetime.now(UTC).date(), policy=policy)
            elif data.suffix not in _DATABASES:
                import_file(database, data)
                # An export has no handbook, and the trial asks about rules too.
                with database.write() as session:
                    load_handbook(session, policy)
            with database.read() as session:
                if session.scalar(select(Order.id).limit(1)) is None:
                    raise DataError(f"{data} has no orders to ask about")
            yield database
        finally:
            database.close()


def on_database(pipeline: SupportPipeline, database: Database, policy: Policy) -> SupportPipeline:
    """The same assistant, on another shop with rules of its own."""
    from apps.support.conversations.pipeline import SupportPipeline

    return SupportPipeline(database, pipeline.reader, pipeline.replies, policy=policy)


@contextmanager
def trial_assistant(
    database: Database, settings: Settings, *, adapter: str | None, grounded: bool = True
) -> Iterator[Trial]:
    """The assistant as it is served; `adapter` replaces its reply adapter, "none" takes it away."""
    from apps.support.conversations.pipeline import SupportPipeline
    from apps.support.replies.writer import ReplyWriter
    from core_model.causal_lm import load_engine
    from core_model.chat_model import DuetChatModel
    from core_model.lora import load_adapter
    from ui.commands.adapters import adapter_folder
    from ui.support_pipeline import support_pipeline

    engine = load_engine(
        settings.model, weights=settings.weights, threads=settings.threads, home=settings.home
    )
    try:
        chat_model = DuetChatModel(engine=engine)
        served = support_pipeline(database, chat_model, settings)
        if adapter is None and grounded:
            yield Trial(served, engine)
            return
        name = served.replies.adapter
        if adapter is not None:
            folder = None if adapter == "none" else adapter_folder(adapter)
            name = folder.name if folder else None
            if folder and folder.name not in engine.adapters:
                engine.add_adapter(load_adapter(folder, engine.config))
        replies = ReplyWriter(chat_model, window=settings.support_window, adapter=name, grounded=grounded)
        yield Trial(SupportPipeline(database, served.reader, replies, policy=served.policy), engine)
    finally:
        engine.close()
