"""A seeded shop on a real database of each kind, and the assistant: messages typed in the reader's own language,
replies by the real small model or as they are written."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from apps.support.conversations import records
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.turn import TurnResult
from apps.support.reading.state import Exchange
from apps.support.replies.sentences import Note
from apps.support.replies.writer import ReplyWriter, Spoken
from apps.support.shop.database import Database
from apps.support.shop.models import Customer, Order, OrderStatus
from apps.support.shop.policy import Policy
from apps.support.shop.seed import DEMO_EMAILS, seed
from apps.support.words import Language
from core_model import DuetChatModel, Engine, load_engine
from tests.postgresql import new_database
from tests.support import small_shop
from tests.support.stored import TODAY
from tests.support.typed_reader import TypedReader

ANNA, WEI = DEMO_EMAILS
OpenChat = Callable[..., small_shop.Chat]


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


@pytest.fixture
def typed() -> TypedReader:
    return TypedReader()


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
def assistant(database: Database, typed: TypedReader, replies: ReplyWriter) -> SupportPipeline:
    return SupportPipeline(database, typed, replies, clock=now)


@pytest.fixture
def sqlite_assistant(sqlite_shop: Database, typed: TypedReader, replies: ReplyWriter) -> SupportPipeline:
    return SupportPipeline(sqlite_shop, typed, replies, clock=now)


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
    sqlite_shop: Database, typed: TypedReader, begin: Callable[..., str]
) -> Callable[..., list[TurnResult]]:
    pipeline = SupportPipeline(sqlite_shop, typed, WrittenReplies(), clock=now)

    def say(*texts: str, customer: str | None = None) -> list[TurnResult]:
        conversation = begin(sqlite_shop, customer)
        return [pipeline.answer(conversation, text) for text in texts]

    return say


@pytest.fixture
def any_chat(empty_database: Database, typed: TypedReader) -> OpenChat:
    """Conversations in the small shop, on each kind of database."""
    return _chats(empty_database, typed)


@pytest.fixture
def chat(tmp_path: Path, typed: TypedReader) -> Iterator[OpenChat]:
    """Conversations in the small shop, for what does not depend on the kind of database."""
    database = Database(f"sqlite:///{tmp_path}/small.db")
    database.upgrade()
    yield _chats(database, typed)
    database.close()


def _chats(database: Database, reader: TypedReader) -> OpenChat:
    with database.write() as session:
        small_shop.fill(session)

    def open_one(
        customer: str | None = small_shop.ZOE, *, policy: Policy | None = None, sure: float = 1.0
    ) -> small_shop.Chat:
        reader.confidence = sure
        pipeline = SupportPipeline(database, reader, WrittenReplies(), clock=now, policy=policy)
        return small_shop.Chat(pipeline, customer)

    return open_one
