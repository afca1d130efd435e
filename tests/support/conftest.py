"""A seeded shop on a real database of each kind, and the assistant on the real small model."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from apps.support.reading.intents import ExampleIntents
from sqlalchemy import select

from apps.support.conversations import records
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.turn import TurnResult
from apps.support.reading.state import Exchange
from apps.support.replies.language import Language
from apps.support.replies.sentences import Note
from apps.support.replies.writer import ReplyWriter, Spoken
from apps.support.shop.database import Database
from apps.support.shop.models import Customer, Order, OrderStatus
from apps.support.shop.seed import DEMO_EMAILS, seed
from core_model import DuetChatModel, Engine, load_engine
from tests.postgresql import new_database

TODAY = date.today()
ANNA, WEI = DEMO_EMAILS


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database without rows."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/shop.db")
    else:
        database = Database(new_database(request.getfixturevalue("postgresql_url")))
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
            return records.open_conversation(session, channel="test", language=None, trusted_email=email).id

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
