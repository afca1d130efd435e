"""From the desk's rows to a version in service: trained for real on a tiny model, judged as the test says."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from apps.settings import Settings
from apps.support.errors import ConflictError, NotFoundError
from apps.support.learning import runs
from apps.support.learning.versions import Versions
from apps.support.reading.view import View
from apps.support.shop.database import Database
from apps.support.shop.models import AuditEntry, LearningRun, LearningStatus
from core_model import DuetChatModel, Engine, load_engine
from core_model.training.adapter import Training, train_adapter
from core_model.training.lora_training import TrainingProgress
from core_model.training.recipe import Source
from ui import learning
from ui.adapter_swap import AdapterSwap
from ui.learning import LEAST_TO_LEARN, Collected, Judged, School
from ui.support_pipeline import support_pipeline

ROW = json.dumps({"prompt": "guest\n> hello\n=", "completion": "greet"})
OTHER = json.dumps({"prompt": "guest\n> see you\n=", "completion": "bye"})


def row(number: int) -> str:
    return json.dumps({"prompt": f"guest\n> bye {number}\n=", "completion": "bye"})


class Greetings:
    """A lesson of plain rows, with the judgement that a test wants."""

    def __init__(self, count: int, objections: Sequence[str] = ()) -> None:
        self.count, self.objections = count, list(objections)
        self.measured: list[str] = []
        self.trained: list[str] = []
        self.newest: list[str] = []

    def collect(self, database: Database, after: int, engine: Engine, adapter: str) -> Collected[str]:
        return Collected(
            [row(n) for n in range(self.count)], {"corrected": self.count}, after + self.count, []
        )

    def key(self, row: str) -> Hashable:
        return row

    def write(self, folder: Path, rows: Sequence[str]) -> tuple[Source, ...]:
        self.trained = list(rows)
        (folder / "said.jsonl").write_text("\n".join([ROW, *rows[:10]]), encoding="utf-8")
        return (Source(path="said.jsonl"),)

    def measure(self, engine: Engine, adapter: str, newest: Sequence[str], cases: Path) -> str:
        assert adapter in engine.adapters
        self.newest = list(newest)
        self.measured.append(cases.name)
        return cases.name

    def judge(self, found: Collected[str], served: str, learnt: str) -> Judged:
        assert served != learnt
        return Judged([{"name": "rows", "rows": 10, "served": 0.5, "learnt": 0.9}], self.objections)


@pytest.fixture
def settings(random_model: Path, tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path / "home",
        model=str(random_model),
        weights="bf16",
        threads=1,
        adapters_dir=tmp_path / "adapters",
        database_url=f"sqlite:///{tmp_path}/shop.db",
    )


@pytest.fixture
def versions(settings: Settings) -> Versions:
    """A reader that was trained on one row."""
    folder = settings.adapters_dir / "support-reader"
    folder.mkdir(parents=True)
    (folder / "first.jsonl").write_text(f"{ROW}\n{OTHER}\n", encoding="utf-8")
    recipe = folder / "recipe.toml"
    recipe.write_text(
        f'name = "support-reader"\nkind = "completion"\nmodel = {json.dumps(settings.model)}\nweights = "bf16"\n'
        '[[data]]\npath = "first.jsonl"\n[training]\nepochs = 1\n[lora]\nrank = 1\n',
        encoding="utf-8",
    )
    train_adapter(Training(recipe, folder, settings.home, threads=1), lambda _: None, lambda _: None)
    return Versions(settings.home, folder)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url)
    database.upgrade()
    yield database
    database.close()


def learn(
    settings: Settings, database: Database, versions: Versions, lesson: Greetings
) -> LearningRun | None:
    return School(settings, database, lambda _: None, lambda _: None).learn(lesson, versions)


def actions(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_what_is_better_goes_into_service_and_back_without_a_restart(
    settings: Settings, database: Database, versions: Versions
) -> None:
    engine = load_engine(settings.model, weights="bf16", threads=1, home=settings.home)
    chat_model = DuetChatModel(engine=engine)
    pipeline = support_pipeline(database, chat_model, settings)
    swap = AdapterSwap(pipeline, chat_model, settings, settings.model)
    assert pipeline.reader.adapter == "support-reader"

    run = learn(settings, database, versions, Greetings(LEAST_TO_LEARN))
    assert run is not None
    assert (run.version, run.from_version, run.status) == (1, 0, LearningStatus.IN_SERVICE)
    assert (versions.folder(1) / "README.md").is_file()
    swap.look()
    assert pipeline.reader.adapter == "support-reader@0001"
    assert pipeline.reader.read(View(), "hello").commands

    assert learning.roll_back(database, versions) == (1, 0)
    swap.look()
    assert pipeline.reader.adapter == "support-reader"
    assert actions(database) == ["adapter_learnt", "adapter_in_service", "adapter_rolled_back"]
    with database.read() as session:
        assert runs.last_seen(session, "support-reader") == LEAST_TO_LEARN
    engine.close()


def test_what_is_refused_stays_out_and_its_rows_are_not_looked_at_again(
    settings: Settings, database: Database, versions: Versions
) -> None:
    run = learn(settings, database, versions, Greetings(LEAST_TO_LEARN, ["the feedback may be wrong"]))
    assert run is not None
    assert (run.status, versions.served()) == (LearningStatus.REFUSED, 0)
    with pytest.raises(NotFoundError, match="nothing that support-reader learnt waits"):
        learning.approve(database, versions)
    with pytest.raises(ConflictError, match="nothing to roll back"):
        learning.roll_back(database, versions)
    with database.read() as session:
        assert runs.last_seen(session, "support-reader") == LEAST_TO_LEARN
    assert actions(database) == ["adapter_learnt"]


def test_a_person_is_asked_where_the_setting_says_so(
    settings: Settings, database: Database, versions: Versions
) -> None:
    asking = settings.model_copy(update={"learning_asks": True})
    run = learn(asking, database, versions, Greetings(LEAST_TO_LEARN))
    assert run is not None
    assert (run.status, versions.served()) == (LearningStatus.WAITING, 0)
    assert learning.approve(database, versions).status is LearningStatus.IN_SERVICE
    assert versions.served() == 1


def test_nothing_more_is_learnt_while_a_version_waits(
    settings: Settings, database: Database, versions: Versions
) -> None:
    asking = settings.model_copy(update={"learning_asks": True})
    assert learn(asking, database, versions, Greetings(LEAST_TO_LEARN)) is not None
    lesson = Greetings(LEAST_TO_LEARN)
    assert learn(asking, database, versions, lesson) is None
    assert lesson.measured == []
    declined = learning.decline(database, versions)
    assert (declined.status, declined.reasons) == (LearningStatus.REFUSED, ["a person declined it"])
    with pytest.raises(NotFoundError, match="nothing that support-reader learnt waits"):
        learning.approve(database, versions)
    again = learn(asking, database, versions, lesson)
    assert again is not None
    assert (again.version, versions.served()) == (2, 0)
    assert actions(database) == ["adapter_learnt", "adapter_declined", "adapter_learnt"]


def test_a_version_that_was_compared_with_another_than_serves_stays_out(
    settings: Settings, database: Database, versions: Versions
) -> None:
    learn(settings, database, versions, Greetings(LEAST_TO_LEARN))
    asking = settings.model_copy(update={"learning_asks": True})
    learn(asking, database, versions, Greetings(LEAST_TO_LEARN))
    learning.roll_back(database, versions)
    with pytest.raises(ConflictError, match="went on from version 1"):
        learning.approve(database, versions)
    assert versions.served() == 0
    learning.roll_back(database, versions)
    assert learning.approve(database, versions).version == 2
    assert versions.served() == 2


def test_an_interrupted_learning_leaves_everything_as_it_was(
    settings: Settings, database: Database, versions: Versions
) -> None:
    def interrupt(progress: TrainingProgress) -> None:
        raise KeyboardInterrupt

    first = Training(versions.delivered / "recipe.toml", versions.delivered, settings.home, threads=1)
    with pytest.raises(KeyboardInterrupt):
        train_adapter(first, interrupt, lambda _: None)
    school = School(settings, database, lambda _: None, interrupt)
    with pytest.raises(KeyboardInterrupt):
        school.learn(Greetings(LEAST_TO_LEARN), versions)
    assert not versions.folder(1).exists()
    assert list((settings.home / "training").iterdir()) == [first.checkpoint]
    with database.read() as session:
        assert runs.last_seen(session, "support-reader") == 0


def test_what_is_kept_apart_is_not_trained_on(
    settings: Settings, database: Database, versions: Versions
) -> None:
    class Repeating(Greetings):
        def collect(self, database: Database, after: int, engine: Engine, adapter: str) -> Collected[str]:
            found = super().collect(database, after, engine, adapter)
            return dataclasses.replace(found, rows=[*found.rows, *found.rows[:30]])

    lesson = Repeating(LEAST_TO_LEARN)
    assert learn(settings, database, versions, lesson) is not None
    assert lesson.newest[-1] == row(29)  # it was said again: it is one of the newest
    assert not {*lesson.newest} & {*lesson.trained}
    assert (len(lesson.trained), len(lesson.newest)) == (120, 40)


def test_from_too_little_nothing_is_learnt(
    settings: Settings, database: Database, versions: Versions
) -> None:
    lesson = Greetings(LEAST_TO_LEARN - 1)
    assert learn(settings, database, versions, lesson) is None
    assert lesson.measured == []
    assert not versions.folder(1).exists()


def test_a_version_that_cannot_be_loaded_leaves_the_delivered_one(
    settings: Settings, database: Database, versions: Versions
) -> None:
    broken = versions.folder(1)
    broken.mkdir(parents=True)
    (broken / "adapter_config.json").write_text("{}", encoding="utf-8")
    versions.serve(1)
    engine = load_engine(settings.model, weights="bf16", threads=1, home=settings.home)
    pipeline = support_pipeline(database, DuetChatModel(engine=engine), settings)
    assert pipeline.reader.adapter == "support-reader"
    engine.close()
