"""What people at the desk say, as rows to learn from, without the customers' data; versions and their record."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from apps.support.conversations import records
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.turn import TurnResult
from apps.support.errors import ConflictError, NotFoundError
from apps.support.learning import runs
from apps.support.learning.drafts import sent_drafts
from apps.support.learning.pseudonyms import Pseudonyms
from apps.support.learning.readings import JudgedReading, Source, judged_readings
from apps.support.learning.versions import Versions
from apps.support.shop.database import Database
from apps.support.shop.models import AuditEntry, Customer, LearningRun, LearningStatus
from tests.support.conftest import ANNA, WrittenReplies, now
from tests.support.typed_reader import TypedReader

Begin = Callable[..., str]


@pytest.fixture
def pipeline(sqlite_shop: Database, typed: TypedReader) -> SupportPipeline:
    return SupportPipeline(sqlite_shop, typed, WrittenReplies(), clock=now)


@pytest.fixture
def say(pipeline: SupportPipeline, begin: Begin) -> Callable[[str], TurnResult]:
    conversation = begin(pipeline.database, ANNA)
    return lambda text: pipeline.answer(conversation, text)


def judge(
    database: Database, message: int | None, rating: int = 1, *, by_desk: bool = True, **right: str
) -> None:
    assert message is not None
    given = {"comment": None, "corrected_intent": None, **right}
    with database.write() as session:
        records.add_feedback(session, message, rating=rating, by_desk=by_desk, **given)


def learnt(database: Database, after: int = 0) -> list[JudgedReading]:
    with database.read() as session:
        return judged_readings(session, after)


def test_a_thumb_up_confirms_the_reading(pipeline: SupportPipeline, say: Callable[[str], TurnResult]) -> None:
    turn = say("status P")
    judge(pipeline.database, turn.reply_id)
    (row,) = learnt(pipeline.database)
    assert (row.source, row.right, row.read) == (Source.CONFIRMED, "status P", "status P")
    assert row.prompt.endswith("> status P\n=")


def test_the_desk_corrects_and_the_last_word_counts(
    pipeline: SupportPipeline, say: Callable[[str], TurnResult]
) -> None:
    turn = say("status P")
    judge(pipeline.database, turn.message_id, -1, corrected_intent="cancel_order")
    judge(pipeline.database, turn.reply_id, -1, corrected_commands="cancel P")
    judge(pipeline.database, turn.reply_id, -1, by_desk=False)
    (row,) = learnt(pipeline.database)
    assert (row.source, row.right) == (Source.CORRECTED, "cancel P")
    assert learnt(pipeline.database, after=99) == []


def test_a_customers_thumb_takes_no_correction_back(
    pipeline: SupportPipeline, say: Callable[[str], TurnResult]
) -> None:
    turn = say("status P")
    judge(pipeline.database, turn.reply_id, -1, corrected_commands="cancel P")
    judge(pipeline.database, turn.reply_id, 1, by_desk=False)
    (row,) = learnt(pipeline.database)
    assert (row.source, row.right) == (Source.CORRECTED, "cancel P")
    assert learnt(pipeline.database, after=row.id) == []  # nor when the correction was learnt before
    judge(pipeline.database, turn.reply_id, 1)
    (row,) = learnt(pipeline.database)
    assert (row.source, row.right) == (Source.CONFIRMED, "status P")


def test_only_the_desk_corrects(pipeline: SupportPipeline, say: Callable[[str], TurnResult]) -> None:
    judge(pipeline.database, say("status P").message_id, -1, by_desk=False, corrected_intent="cancel_order")
    assert learnt(pipeline.database) == []


def test_a_thumb_down_takes_a_thumb_up_back(
    pipeline: SupportPipeline, say: Callable[[str], TurnResult]
) -> None:
    turn = say("status P")
    judge(pipeline.database, turn.reply_id, 1)
    judge(pipeline.database, turn.reply_id, -1)
    assert learnt(pipeline.database) == []


def test_a_customers_data_is_replaced_by_invented_values(
    pipeline: SupportPipeline, say: Callable[[str], TurnResult]
) -> None:
    with pipeline.database.read() as session:
        customer = session.scalar(select(Customer).where(Customer.email == ANNA))
        assert customer is not None
        address, name = customer.address, customer.name
        secrets = [name, *name.split(), address.line1, address.city, address.postcode]
        secrets += [order.number for order in customer.orders]
        secrets += [method.last_four for method in customer.payment_methods if method.last_four]
    words = (
        f"I am {name} of {address.line1}, {address.postcode} {address.city}, call me on 0171 5550199 or write to "
        f"a.friend@web.example = status P"
    )
    judge(pipeline.database, say(words).reply_id)
    (row,) = learnt(pipeline.database)
    for secret in [*secrets, "5550199", "a.friend@web.example"]:
        assert secret.casefold() not in row.prompt.casefold()
    assert row.prompt.count("\n") == len(row.prompt.splitlines()) - 1  # no line was added within
    assert "call me on" in row.prompt


@pytest.fixture
def replaced(sqlite_shop: Database, begin: Begin) -> Callable[..., str]:
    """A text without the data of a customer of that name."""
    conversation = begin(sqlite_shop, ANNA)

    def replace(text: str, name: str = "Anna Maria Schmidt", language: str = "en") -> str:
        with sqlite_shop.write() as session:
            customer = session.scalar(select(Customer).where(Customer.email == ANNA))
            assert customer is not None
            customer.name = name
            customer.address = dataclasses.replace(customer.address, region="Bavaria", country="Germany")
        with sqlite_shop.read() as session:
            return Pseudonyms.of(session, conversation, language, "seed").replace(text)

    return replace


def test_no_part_of_a_name_or_a_place_stays(replaced: Callable[..., str]) -> None:
    for name, said, secrets in (
        ("Anna Maria Schmidt", "Hello, Schmidt here, Maria Schmidt", ["Schmidt", "Maria"]),
        ("Anna Maria Schmidt", "anna maria schmidt HERE, SCHMIDT", ["schmidt", "SCHMIDT", "anna"]),
        ("王小明", "我是王小明，叫我小明或王先生", ["小明", "王"]),
        ("欧阳小明", "欧阳小明，欧阳女士", ["欧阳", "小明"]),
        ("Łukasz Żak", "Tu Łukasz, Żak", ["Łukasz", "Żak"]),
        ("Anna Schmidt", "from Bavaria in Germany", ["Bavaria", "Germany"]),
    ):
        found = replaced(said, name, "zh" if "明" in name else "en")
        assert not [secret for secret in secrets if secret in found], found


def test_words_amounts_and_dates_stay(replaced: Callable[..., str]) -> None:
    for said in (
        "when will it arrive, may I return a",
        "I paid 1,299.00, not 1.299,00 or 12.500; $1500 is more than 999.95 or 1500 €",
        "ordered on 2024-03-15 or 15.03.2024 or 15/03/24, in 2023",
        "20 mugs and 3 lamps, items 1, 2, 3",
    ):
        assert replaced(said, "Will May") == said


def test_what_may_be_an_account_is_replaced_by_one_of_the_same_shape(replaced: Callable[..., str]) -> None:
    numbers = [
        "4111111111111111,5222222222222222",
        "4111 1111 1111 1111",
        "0151.234.5678",
        "+49 171 555 01 99",
    ]
    numbers += ["(555) 123-4567", "4111111111111111"]
    for number in numbers:
        for sentence in ("{}", "order no.{}", "my number is {}.", "${}"):
            said = sentence.replace("{}", number)
            one, other = replaced(f"{said} and again {said}").split(" and again ")
            assert not [part for part in re.findall(r"\d{3,}", number) if part in one], one
            assert re.sub(r"\d", "0", one) == re.sub(r"\d", "0", said)
            assert one == other


def test_what_proves_who_writes_is_not_learnt(
    pipeline: SupportPipeline, say: Callable[[str], TurnResult]
) -> None:
    judge(pipeline.database, say("identify").reply_id)
    assert learnt(pipeline.database) == []


def test_a_draft_that_is_sent_becomes_a_row_with_invented_values(
    pipeline: SupportPipeline, begin: Begin
) -> None:
    database = pipeline.database
    conversation = begin(database, ANNA)
    pipeline.answer(conversation, "status P")
    draft = pipeline.draft(conversation, None)
    sent = f"Hello, good news. {draft.reply}"
    with database.write() as session:
        held = records.get_conversation(session, conversation)
        records.say_as_agent(session, held, sent, draft.draft_id)
        number = held.customer.orders[0].number if held.customer else ""
    with database.read() as session:
        (row,) = sent_drafts(session, after=0)
        assert sent_drafts(session, after=row.id) == []
    assert not row.accepted
    assert row.sent == f"Hello, good news. {row.offered}"
    facts = [fact for note in row.notes for fact in note.facts if fact.must_be_heard]
    assert facts
    assert all(fact.heard_in(row.sent) for fact in facts)
    told = json.dumps([row.message, row.sent, *(note.text for note in row.notes)])
    assert number not in told


def test_a_draft_that_is_sent_late_is_learnt_too(pipeline: SupportPipeline, begin: Begin) -> None:
    database = pipeline.database
    early, late = begin(database, ANNA), begin(database, ANNA)
    drafts = []
    for conversation in (late, early):
        pipeline.answer(conversation, "status P")
        drafts.append((conversation, pipeline.draft(conversation, None)))

    def send(conversation: str, draft: TurnResult) -> None:
        with database.write() as session:
            held = records.get_conversation(session, conversation)
            records.say_as_agent(session, held, draft.reply, draft.draft_id)

    waiting, offered_later = drafts
    send(*offered_later)
    with database.read() as session:
        (first,) = sent_drafts(session, after=0)
    send(*waiting)
    with database.read() as session:
        (second,) = sent_drafts(session, after=first.id)
        assert sent_drafts(session, after=0) == [first, second]


def test_a_draft_of_another_conversation_is_not_taken(pipeline: SupportPipeline, begin: Begin) -> None:
    one, other = begin(pipeline.database, ANNA), begin(pipeline.database, ANNA)
    pipeline.answer(one, "status P")
    draft = pipeline.draft(one, None)
    with pipeline.database.write() as session, pytest.raises(NotFoundError, match="no draft"):
        records.say_as_agent(session, records.get_conversation(session, other), "hello", draft.draft_id)


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    found = Versions(tmp_path / "home", tmp_path / "support-reader")
    for version in range(3):
        found.folder(version).mkdir(parents=True)
        (found.folder(version) / "adapter_config.json").write_text("{}")
    return found


def test_versions_serve_and_roll_back(versions: Versions) -> None:
    assert (versions.served(), versions.next()) == (0, 3)
    assert versions.served_folder() == versions.delivered
    with pytest.raises(ConflictError, match="nothing to roll back"):
        versions.roll_back()
    versions.serve(1)
    versions.serve(2)
    assert versions.served_folder() == versions.folder(2)
    assert versions.roll_back() == (2, 1)
    assert versions.roll_back() == (1, 2)
    with pytest.raises(ConflictError, match="no version 7"):
        versions.serve(7)
    assert versions.served() == 2


def run_of(version: int, status: LearningStatus) -> LearningRun:
    return LearningRun(
        adapter="support-reader",
        version=version,
        from_version=0,
        status=status,
        rows={},
        figures=[],
        reasons=["worse"] if status is LearningStatus.REFUSED else [],
        last_seen=version * 10,
    )


def test_each_step_of_a_version_has_its_row_in_the_audit_log(sqlite_shop: Database) -> None:
    with sqlite_shop.write() as session:
        run = runs.record(session, run_of(1, LearningStatus.WAITING))
        assert runs.waiting(session, "support-reader") is run
        runs.put_in_service(session, run, served=0)
        runs.rolled_back(session, "support-reader", 1, 0)
    with sqlite_shop.read() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        learning = [entry for entry in entries if entry.action.startswith("adapter_")]
        assert [entry.action for entry in learning] == [
            "adapter_learnt",
            "adapter_in_service",
            "adapter_rolled_back",
        ]
        assert (learning[-1].before["version"], learning[-1].after["version"]) == (1, 0)
        assert runs.runs_of(session)[0].status is LearningStatus.REPLACED
        assert runs.last_seen(session, "support-reader") == 10


def test_what_was_refused_cannot_be_put_in_service(sqlite_shop: Database) -> None:
    with sqlite_shop.write() as session:
        run = runs.record(session, run_of(1, LearningStatus.REFUSED))
        with pytest.raises(ConflictError, match="was refused: worse"):
            runs.put_in_service(session, run, served=0)


def test_what_went_on_from_another_version_than_serves_is_not_put_in_service(sqlite_shop: Database) -> None:
    with sqlite_shop.write() as session:
        run = runs.record(session, run_of(1, LearningStatus.WAITING))
        with pytest.raises(ConflictError, match=r"went on from version 0 .* version 2 serves"):
            runs.put_in_service(session, run, served=2)
        assert run.status is LearningStatus.WAITING
