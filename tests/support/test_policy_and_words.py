"""A shop's rules and the assistant's words are files: who changes a line changes what is done and what is said."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from apps.support.conversations.pipeline import SupportPipeline
from apps.support.errors import HandbookError, PolicyError, WordsError
from apps.support.playbooks.order_rules import check_cancel, check_send_back, delivered_on, refusal
from apps.support.replies.sentences import write
from apps.support.shop.database import Database
from apps.support.shop.handbook import PACKAGED as HANDBOOK
from apps.support.shop.handbook import follow_policy, has_handbook, load_handbook
from apps.support.shop.models import OrderStatus, PolicyArticle, PolicySection, ReturnKind
from apps.support.shop.policy import PACKAGED, Policy, load_policy
from apps.support.words import (
    FOLDER,
    check_same_keys,
    languages,
    placeholders,
    read_words,
    words_of,
)
from tests.support.conftest import ANNA, WrittenReplies, now
from tests.support.stored import TODAY, Begin, OrderOf, Talk
from tests.support.stored import order as stored
from tests.support.typed_reader import TypedReader

DAYS = (1, 7, 14, 21, 45, 100)


def policy_with(tmp_path: Path, *changes: tuple[str, str]) -> Policy:
    """The packaged policy with some lines changed."""
    text = PACKAGED.read_text("utf-8")
    for line, other in changes:
        assert line in text
        text = text.replace(line, other, 1)
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return load_policy(path)


@pytest.mark.parametrize("days", DAYS)
def test_one_line_changes_rules_handbook_and_sentences(
    tmp_path: Path,
    sqlite_shop: Database,
    order_of: OrderOf,
    days: int,
) -> None:
    policy = policy_with(tmp_path, ("days = 30", f"days = {days}"))
    order = stored(sqlite_shop, order_of(sqlite_shop, ANNA, OrderStatus.DELIVERED))
    delivered = delivered_on(order)
    assert delivered is not None
    check_send_back(order, [], ReturnKind.RETURN, delivered + timedelta(days=days), policy)
    with pytest.raises(Exception, match="return_late"):
        check_send_back(order, [], ReturnKind.RETURN, delivered + timedelta(days=days + 1), policy)

    with sqlite_shop.write() as session:
        assert follow_policy(session, policy) == 2 * len(languages())  # returns and refunds
        assert follow_policy(session, policy) == 0
        bodies = [
            section.body
            for section in session.scalars(select(PolicySection).join(PolicyArticle))
            if section.article.slug == "returns"
        ]
    # English, German and Chinese say it in three sections each.
    assert sum(len(re.findall(rf"(?<!\d){days} (?:days|Tagen|天)", body)) for body in bodies) == 9
    assert not any(re.search(r"(?<!\d)30 (?:days|Tagen|天)", body) for body in bodies)

    for language in languages():
        for key in ("return_instead", "return_later"):
            assert f" {days} " in write(key, language, policy=policy).text
        assert f" {days} " in refusal("return_late", order, language, policy).text


def test_states_who_pays_and_refund_times_are_lines_as_well(
    tmp_path: Path,
    sqlite_shop: Database,
    order_of: OrderOf,
) -> None:
    policy = policy_with(
        tmp_path,
        ('cancel = ["pending"]', 'cancel = ["pending", "processed"]'),
        ('exchange = ["delivered"]', "exchange = []"),
        ('shipping_paid_by = "shop"', 'shipping_paid_by = "customer"'),
        ("days_max = 7", "days_max = 5"),
    )
    processed = stored(sqlite_shop, order_of(sqlite_shop, ANNA, OrderStatus.PROCESSED))
    check_cancel(processed, policy)
    shipped = stored(sqlite_shop, order_of(sqlite_shop, ANNA, OrderStatus.SHIPPED))
    refused = refusal("cancel_refused", shipped, "en", policy).text
    assert "only pending or processed orders can be" in refused
    assert "offen oder bearbeitet" in refusal("cancel_refused", shipped, "de", policy).text
    delivered = stored(sqlite_shop, order_of(sqlite_shop, ANNA, OrderStatus.DELIVERED))
    with pytest.raises(Exception, match="exchange_never"):
        check_send_back(delivered, [], ReturnKind.EXCHANGE, TODAY, policy)
    assert "exchanges nothing" in refusal("exchange_never", delivered, "en", policy).text
    assert "you pay the return shipping" in write("return_instead", "en", policy=policy).text
    assert (
        "takes 5 business days"
        in write("refund_pending", "en", policy=policy, amount="$1", method="PayPal").text
    )


@pytest.mark.parametrize(
    ("line", "other", "problem"),
    [
        ("days = 30", "dais = 30", r"returns\.dais: no such key"),
        ("days = 30", "days = 0", r"returns\.days"),
        ("days_min = 5", "days_min = 9", "days_min is more than days_max"),
        ('cancel = ["pending"]', 'cancel = ["open"]', r"states\.cancel"),
        ("[identity]", "[identity", "no TOML"),
    ],
)
def test_what_is_wrong_with_a_policy_is_said(tmp_path: Path, line: str, other: str, problem: str) -> None:
    with pytest.raises(PolicyError, match=problem):
        policy_with(tmp_path, (line, other))


def test_a_policy_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"nowhere\.toml"):
        load_policy(tmp_path / "nowhere.toml")


def test_every_language_has_the_same_sentences_and_fills_in_the_same_values() -> None:
    assert set(languages()) >= {"en", "zh", "de"}
    for language in languages():
        words = words_of(language)
        check_same_keys(words, words_of("en"), language, "en")
        assert {file.name for file in (HANDBOOK / language).iterdir()} == {
            file.name for file in (HANDBOOK / "en").iterdir()
        }
        for file in (HANDBOOK / "en").iterdir():
            theirs = placeholders((HANDBOOK / language / file.name).read_text("utf-8"))
            assert theirs == placeholders(file.read_text("utf-8")), (language, file.name)


@pytest.mark.parametrize(
    ("line", "other", "problem"),
    [
        ("order_shipped = ", "order_sent = ", r"de\.toml .*'sentences\.order_shipped' is missing"),
        ("{order} ist zugestellt", "ist zugestellt", r"'sentences\.order_delivered' must fill in \{order\}"),
        ("[dates]", "[daten]", r"daten: "),
    ],
)
def test_what_is_wrong_with_a_file_of_words_is_said(
    tmp_path: Path, line: str, other: str, problem: str
) -> None:
    text = (FOLDER / "de.toml").read_text("utf-8")
    assert line in text
    (tmp_path / "de.toml").write_text(text.replace(line, other, 1), encoding="utf-8")
    with pytest.raises(WordsError, match=problem):
        check_same_keys(read_words(tmp_path / "de.toml"), words_of("en"), "de.toml", "en.toml")


def test_a_sentence_that_needs_the_policy_says_so() -> None:
    with pytest.raises(WordsError, match="return_days"):
        write("return_later", "en")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "en").mkdir()
    good = "# Returns\n\n## Returning\nWithin {return_days} days, no more.\n"
    (tmp_path / "en" / "returns.md").write_text(good, encoding="utf-8")
    return tmp_path


def test_a_shop_loads_its_own_handbook(sqlite_shop: Database, folder: Path) -> None:
    with sqlite_shop.write() as session:
        assert load_handbook(session, load_policy(), folder) == 1
    with sqlite_shop.read() as session:
        (article,) = session.scalars(select(PolicyArticle))
        assert [section.body for section in article.sections] == ["Within 30 days, no more."]
        assert article.source == str(folder)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("en/a.md", b"Returns\n", r"en/a\.md:1: the article must begin with its title"),
        ("en/a.md", b"# A\n\nText.\n\n## B\nText.\n", r"en/a\.md:3: text must stand in a section"),
        ("en/a.md", b"# A\n\n## B\n\n## C\nText.\n", r"en/a\.md:3: the section 'B' has no text"),
        ("en/a.md", b"# A\n## B\nx\n## B\ny\n", r"en/a\.md:4: the section 'B' stands in line 2 already"),
        ("en/a.md", b"# A\n## B\nIn {return_dais} days.\n", r"en/a\.md:3: .*\{return_dais\}"),
        ("en/a.md", b"# A\n## B\n\xff\n", r"en/a\.md:3: not UTF-8"),
        ("en/a.md", b"", r"en/a\.md:1: the article must begin"),
        ("fr/a.md", b"# A\n## B\nx\n", r"fr/: not a language that the assistant speaks"),
    ],
)
def test_a_wrong_handbook_is_named_by_file_and_line_and_changes_nothing(
    sqlite_shop: Database, folder: Path, name: str, content: bytes, problem: str
) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    with pytest.raises(HandbookError, match=problem), sqlite_shop.write() as session:
        load_handbook(session, load_policy(), folder)
    with sqlite_shop.read() as session:
        assert len(session.scalars(select(PolicyArticle)).all()) == 12 * len(languages())


@pytest.fixture
def without_handbook(sqlite_shop: Database) -> Database:
    with sqlite_shop.write() as session:
        for article in session.scalars(select(PolicyArticle)):
            session.delete(article)
    return sqlite_shop


def test_without_a_handbook_no_rules_are_told(
    without_handbook: Database, typed: TypedReader, begin: Begin
) -> None:
    with without_handbook.read() as session:
        assert not has_handbook(session)
    pipeline = SupportPipeline(without_handbook, typed, WrittenReplies(), clock=now)
    for question in ("ask refund_policy", "ask payment_methods", "有哪些支付方式 = ask payment_methods"):
        answer = pipeline.answer(begin(without_handbook), question)
        assert not answer.citations
        assert any(unknown(language) in answer.reply for language in languages())
        assert not re.search(r"\d", answer.reply)


def unknown(language: str) -> str:
    return words_of(language).sentences["policy_unknown"]


def test_a_german_conversation_from_the_question_to_the_cancellation(
    talk: Talk, typed: TypedReader, sqlite_shop: Database, order_of: OrderOf
) -> None:
    refund = "Wie lange dauert eine Erstattung?"
    typed.readings[refund] = "ask refund_policy"
    number = order_of(sqlite_shop, ANNA, OrderStatus.PENDING)
    answers = talk(
        "Hallo, wo bleibt meine Bestellung? = status",
        f"{number}, {ANNA} = identify",
        f"Dann möchte ich die Bestellung {number} bitte stornieren = cancel {number}",
        "ja = yes",
        refund,
    )
    assert {answer.language for answer in answers} == {"de"}
    assert "die Bestellnummer und die E-Mail-Adresse" in answers[0].reply
    assert f"Bestellung #{number} ist offen" in answers[1].reply
    assert f"Soll ich Bestellung #{number} stornieren" in answers[2].reply
    assert f"Die Bestellung #{number} ist storniert." in answers[3].reply
    order = stored(sqlite_shop, number)
    assert order.status == OrderStatus.CANCELLED
    assert re.search(r"\d,\d\d \$", answers[3].reply), "amounts are written in the German way"
    assert "5 bis 7 Werktage" in answers[4].reply
    assert answers[4].citations == ["Erstattung › Dauer der Erstattung"]


@pytest.mark.parametrize(
    ("question", "topic", "citation"),
    [
        ("Was kostet der Versand bei Ihnen?", "delivery_options", "Versand › Versandarten"),
        ("Wie lange dauert die Lieferung?", "delivery_period", "Versand › Lieferzeiten"),
        ("Welche Zahlungsarten gibt es?", "payment_methods", "Zahlung und Rechnung › Zahlungsarten"),
        ("Gibt es eine Stornogebühr?", "cancellation_fee", "Stornierung › Stornogebühr"),
        ("Wie lösche ich mein Konto?", "delete_account", "Konto › Konto löschen"),
        ("Wann ist der Kundenservice erreichbar?", "contact", "Kontakt und Beschwerden › Kundenservice"),
    ],
)
def test_german_questions_are_answered_from_the_german_handbook(
    talk: Talk, typed: TypedReader, question: str, topic: str, citation: str
) -> None:
    typed.readings[question] = f"ask {topic}"
    assert talk(question)[0].citations == [citation]


def test_who_writes_in_an_unspoken_language_is_told_the_spoken_ones_and_the_conversation_goes_on(
    talk: Talk, sqlite_shop: Database, order_of: OrderOf
) -> None:
    number = order_of(sqlite_shop, ANNA, OrderStatus.PENDING)
    first, second = talk(
        f"Bonjour, où est ma commande {number}, s'il vous plaît ?", f"Where is {number}? {ANNA} = status"
    )
    assert "anglais, allemand et chinois" in first.reply
    assert not first.facts
    assert first.intent.name is None
    assert f"#{number} is pending" in second.reply
    assert second.language == "en"
