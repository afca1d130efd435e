"""A seeded shop on a real database of each kind, and the assistant on the real small model."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text

from apps.support import desk
from apps.support.database import Database
from apps.support.intents import ExampleIntents
from apps.support.language import Language
from apps.support.models import Customer, Order, OrderStatus
from apps.support.pipeline import SupportPipeline
from apps.support.replies import ReplyWriter, Spoken
from apps.support.seed import DEMO_EMAILS, seed
from apps.support.sentences import Note
from apps.support.state import Exchange
from apps.support.turn import TurnResult
from core_model import DuetChatModel, Engine, load_engine

TODAY = date.today()
ANNA, WEI = DEMO_EMAILS


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """DUET_TEST_POSTGRESQL_URL, or a throw-away server from the installed programs."""
    given = os.environ.get("DUET_TEST_POSTGRESQL_URL")
    if given:
        yield given
        return
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = shutil.which("initdb") or (str(found[-1]) if found else None)
    if initdb is None:
        pytest.skip("no PostgreSQL: install its server, or set DUET_TEST_POSTGRESQL_URL")
    programs = Path(initdb).resolve().parent
    # PostgreSQL refuses to run as root; its own user runs it then.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = tempfile.mkdtemp(prefix="duet-postgresql-")
    if user:
        shutil.chown(folder, "postgres")
    server = [*user, str(programs / "pg_ctl"), "-D", f"{folder}/data", "-w"]
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run(
        [*user, str(programs / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "duet", "-E", "UTF8"],
        **quiet,
    )
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    subprocess.run([*server, "-o", options, "-l", f"{folder}/log", "start"], **quiet)
    try:
        yield f"postgresql://duet@/postgres?host={folder}"
    finally:
        subprocess.run([*server, "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database without rows."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/shop.db")
    else:
        server = request.getfixturevalue("postgresql_url")
        name = f"shop_{uuid.uuid4().hex}"
        admin = create_engine(Database(server).url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f'create database "{name}"'))
        admin.dispose()
        database = Database(Database(server).url.set(database=name).render_as_string(hide_password=False))
    database.upgrade()
    yield database
    database.close()


@pytest.fixture
def database(empty_database: Database) -> Database:
    """The seeded demonstration shop."""
    with empty_database.write() as session:
        seed(session, TODAY)
    return empty_database


@pytest.fixture
def sqlite_shop(tmp_path: Path) -> Iterator[Database]:
    """The seeded shop on SQLite, for what does not depend on the kind of database."""
    database = Database(f"sqlite:///{tmp_path}/shop.db")
    database.upgrade()
    with database.write() as session:
        seed(session, TODAY)
    yield database
    database.close()


@pytest.fixture(scope="session")
def intents() -> ExampleIntents:
    return ExampleIntents()


@pytest.fixture(scope="session")
def serving_engine() -> Iterator[Engine]:
    """The small model as it is served."""
    engine = load_engine("smollm2-135m-instruct", weights="int8")
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def replies(serving_engine: Engine) -> ReplyWriter:
    """Short draws: what the small model leaves out is said by the written sentences."""
    return ReplyWriter(DuetChatModel(engine=serving_engine), most_tokens=8)


def now() -> datetime:
    return datetime.combine(TODAY, datetime.min.time(), UTC)


@pytest.fixture
def assistant(database: Database, intents: ExampleIntents, replies: ReplyWriter) -> SupportPipeline:
    return SupportPipeline(database, intents, replies, clock=now)


@pytest.fixture
def sqlite_assistant(sqlite_shop: Database, intents: ExampleIntents, replies: ReplyWriter) -> SupportPipeline:
    return SupportPipeline(sqlite_shop, intents, replies, clock=now)


@pytest.fixture
def order_of() -> Callable[[Database, str, OrderStatus], str]:
    """The number of a customer's order in a given state."""

    def find(database: Database, email: str, status: OrderStatus) -> str:
        query = select(Order).join(Customer).where(Customer.email == email, Order.status == status)
        with database.read() as session:
            return session.scalars(query.order_by(Order.id)).first().number

    return find


@pytest.fixture
def begin() -> Callable[..., str]:
    """Opens a conversation, of a stranger or of a customer whom a trusted caller names."""

    def open_one(database: Database, email: str | None = None) -> str:
        with database.write() as session:
            return desk.open_conversation(session, channel="test", language=None, trusted_email=email).id

    return open_one


class WrittenReplies:
    """Says the notes as they are written: what is decided is tested here, not how it is worded."""

    adapter = None

    def stream(
        self, notes: Sequence[Note], message: str, language: Language, segment: Sequence[Exchange]
    ) -> Generator[str, None, Spoken]:
        text = " ".join(note.text for note in notes)
        yield text
        return Spoken(message, text, "model", 1)


@pytest.fixture
def talk(
    sqlite_shop: Database, intents: ExampleIntents, begin: Callable[..., str]
) -> Callable[..., list[TurnResult]]:
    pipeline = SupportPipeline(sqlite_shop, intents, WrittenReplies(), clock=now)

    def say(*texts: str, customer: str | None = None) -> list[TurnResult]:
        conversation = begin(sqlite_shop, customer)
        return [pipeline.answer(conversation, text) for text in texts]

    return say
