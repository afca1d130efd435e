"""Which adapters the support assistant stands on: those of the base that is served, if there are any."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from apps.settings import Settings
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.reading.choices import OptionTable
from apps.support.reading.commands import VERBS
from apps.support.reading.reader import NoReaderError
from apps.support.reading.view import ItemView, OrderView, View
from apps.support.replies.sentences import write
from apps.support.shop.database import Database
from apps.support.shop.handbook import search
from apps.support.shop.policy import PACKAGED
from apps.support.shop.seed import seed
from core_model import DuetChatModel, Engine, catalog, load_engine
from core_model.errors import RequestError
from tests.conftest import EDGE
from tests.ui.silent_adapters import write_silent_adapter
from ui.metrics import Metrics
from ui.openai.errors import NotReadyError
from ui.runtime import assemble
from ui.support_pipeline import adapters_in_service, support_pipeline


@pytest.fixture
def settings(random_model: Path, tmp_path: Path) -> Settings:
    return served(random_model, tmp_path)


@pytest.fixture
def engine(random_model: Path, tmp_path: Path) -> Iterator[Engine]:
    engine = load_engine(random_model, weights="bf16", threads=1, home=tmp_path / "home")
    yield engine
    engine.close()


@pytest.fixture
def reader(engine: Engine, settings: Settings) -> Path:
    """A reader of the base, where the server looks for it."""
    return write_silent_adapter(settings.adapters_dir / "support-reader", engine, Path(settings.model).name)


def served(model: Path | str, folder: Path) -> Settings:
    return Settings(
        home=folder / "home",
        model=str(model),
        adapters_dir=folder / "adapters",
        database_url=f"sqlite:///{folder}/shop.db",
        api_keys=(),
    )


def assistant(engine: Engine, settings: Settings) -> SupportPipeline:
    return support_pipeline(Database(settings.database_url), DuetChatModel(engine=engine), settings)


def test_messages_are_read_by_the_reader_of_the_served_base(
    engine: Engine, settings: Settings, reader: Path
) -> None:
    pipeline = assistant(engine, settings)
    assert pipeline.reader.adapter == "support-reader"
    assert adapters_in_service(pipeline) == {"support-reader"}
    reading = pipeline.reader.read(View(), "where is it?")
    assert reading.commands
    assert (
        0 <= reading.confidence <= 1
    )  # random weights may write until they are cut short, which counts as unread


def test_a_model_that_knows_nothing_still_writes_only_what_there_is(
    engine: Engine, settings: Settings, reader: Path
) -> None:
    """Random weights write anything that the constraint lets through."""
    read = assistant(engine, settings).reader
    items = (ItemView("a", "Mug"),)
    view = View(True, (OrderView("P", "pending", "", items), OrderView("Q", "shipped", "", ())), ("PayPal",))
    table = OptionTable.of("Mug", [{"color": "red"}, {"color": "blue"}], {"color": "red"})
    for message in ("cancel it", "I moved to 12 Oak Street, Bath", "羊毛大衣多少钱", ""):
        commands = read.read(view, message).commands
        assert {command.verb for command in commands} <= set(VERBS)
        assert {handle for command in commands for handle in command.orders} <= {"P", "Q"}
        assert {handle for command in commands for handle in command.items} <= {"a"}
        assert set(read.choose(table, message).values) <= {"color"}
        assert all(part in message for part in vars(read.address(message)).values())


def test_without_a_reader_it_is_said_what_to_do(engine: Engine, settings: Settings) -> None:
    with pytest.raises(NoReaderError, match=r"docs/training\.md"):
        assistant(engine, settings)


@pytest.mark.parametrize("wrong", ["another base", "broken settings", "no weights"])
def test_a_reader_that_does_not_fit_is_left_out(
    engine: Engine, settings: Settings, reader: Path, wrong: str
) -> None:
    file = reader / "adapter_config.json"
    if wrong == "another base":
        content = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps(content | {"base_model_name_or_path": EDGE}), encoding="utf-8")
    elif wrong == "broken settings":
        file.write_text("{", encoding="utf-8")
    else:
        (reader / "adapter_model.safetensors").unlink()
    with pytest.raises(NoReaderError):
        assistant(engine, settings)


def test_without_a_reader_that_loads_the_code_assistant_serves_all_the_same(
    engine: Engine, settings: Settings, reader: Path
) -> None:
    (reader / "adapter_model.safetensors").unlink()
    runtime = assemble(engine, Path(settings.model).name, settings, Metrics())
    try:
        assert "duet-code" in [model.id for model in runtime.models.all()]
        with pytest.raises(NotReadyError, match=r"none for .* that can be loaded"):
            runtime.assistant()
    finally:
        runtime.database.close()


def test_a_default_base_that_is_not_to_be_had_leaves_the_code_assistant(
    engine: Engine, settings: Settings
) -> None:
    write_silent_adapter(settings.adapters_dir / "support-reader", engine, catalog.DEFAULT_MODEL)
    runtime = assemble(engine, Path(settings.model).name, settings, Metrics())  # its home is empty
    try:
        with pytest.raises(NotReadyError, match=f"duet models pull {catalog.DEFAULT_MODEL}"):
            runtime.assistant()
    finally:
        runtime.database.close()


def test_the_stored_handbook_follows_the_policy_at_the_start(
    engine: Engine, settings: Settings, reader: Path, tmp_path: Path
) -> None:
    database = Database(settings.database_url)
    database.upgrade()
    with database.write() as session:
        seed(session, date(2026, 11, 30))
    policy = tmp_path / "policy.toml"
    text = PACKAGED.read_text(encoding="utf-8")
    policy.write_text(text.replace("days = 30", "days = 14", 1), encoding="utf-8")
    support_pipeline(database, DuetChatModel(engine=engine), settings.model_copy(update={"policy": policy}))
    with database.read() as session:
        found = search(session, "how many days to return", "en", slugs=["returns"])
    database.close()
    assert any("14 days" in passage.body for passage in found)
    assert not any("30 days" in passage.body for passage in found)


def test_an_adapter_in_service_cannot_be_unloaded(engine: Engine, settings: Settings, reader: Path) -> None:
    runtime = assemble(engine, Path(settings.model).name, settings, Metrics())
    try:
        assert "duet-support-reader" in [model.id for model in runtime.models.all()]
        with pytest.raises(RequestError, match="stands on 'support-reader'"):
            runtime.models.unload_adapter("support-reader")
        assert runtime.assistant().reader.read(View(), "hello").commands
    finally:
        runtime.database.close()


def test_replies_are_spoken_by_the_reply_adapter_without_examples(tmp_path: Path) -> None:
    settings = served(EDGE, tmp_path)
    note = write("order_shipped", "en", must=("order",), order="#W1234567")
    engine = load_engine(EDGE, weights="int8")
    try:
        write_silent_adapter(settings.adapters_dir / "support-reader", engine, EDGE)
        bare, spoken = assistant(engine, settings), []
        write_silent_adapter(settings.adapters_dir / "support-reply", engine, EDGE)
        adapted = assistant(engine, settings)
        assert (bare.replies.adapter, adapted.replies.adapter) == (None, "support-reply")
        read = []
        for pipeline in (bare, adapted):
            before = engine.statistics.prompt_tokens
            spoken.append("".join(pipeline.replies.stream([note], "where is it?", "en", [])))
            read.append(engine.statistics.prompt_tokens - before)
        assert all("W1234567" in text for text in spoken)
        assert read[1] < read[0] / 3
    finally:
        engine.close()
