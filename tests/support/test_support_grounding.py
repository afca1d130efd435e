"""Grounded decoding: nothing that is no fact of the turn can be written."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.support.playbooks.handbook_answers import policy_note
from apps.support.replies.allowed_figures import AllowedFigures
from apps.support.replies.facts import Money, make_fact, missing
from apps.support.replies.grounding import Grounding, unsupported
from apps.support.replies.sentences import Note, write
from apps.support.shop.policy import load_policy
from apps.support.shop.policy_words import policy_words
from apps.support.words import languages, placeholders, words_of
from core_model.constraint import Constraint
from core_model.tokenizer import Tokenizer

NOTES = [
    write("order_shipped", "en", must=("order",), order="#W1234567"),
    write("total", "en", total=Money(123450, "USD")),
    write("expected", "en", must=("expected",), expected=date(2026, 11, 24)),
    write("tracking_carrier", "en", must=("tracking",), carrier="DHL", tracking="123456789012"),
    write(
        "refund_pending",
        "en",
        policy=load_policy(),
        amount=Money(123450, "USD"),
        method="the card ending in 1234",
    ),
    write("done_subscribe", "en", email="a.b@example.com"),
]
GERMAN = [
    write("order_shipped", "de", order="#W1234567"),
    write("expected", "de", expected=date(2026, 3, 4)),
    write("refund_pending", "de", policy=load_policy(), amount=Money(123450, "EUR"), method="Karte"),
]
CHINESE = [
    write("order_shipped", "zh", order="#W1234567"),
    write("expected", "zh", expected=date(2026, 11, 24)),
    write("refund_pending", "zh", policy=load_policy(), amount=Money(4990, "USD"), method="支付宝"),
]


@pytest.mark.parametrize(
    "text",
    [
        "Your order #W1234567 is on its way.",
        "order w1234567: $1,234.50, or $1234.50",
        "It comes on November 24, 2026 (24 November, Nov 24, 2026-11-24).",
        "the refund takes 5-7 business days, between 5 and 7 business days",
        "DHL, number 123456789012!",
        "a.b@example.com. Thanks",
        "The card ending in 1234",
        "It is shipped; the behalf of no one",
    ],
)
def test_facts_may_be_written_in_every_usual_form(text: str) -> None:
    assert unsupported(text, NOTES) is None


@pytest.mark.parametrize(
    "text",
    [
        "order #W1234568",
        "order W123456",
        "order W12345678",
        "W1234567-B",
        "$1,234.5",
        "$1,234",
        "€1,234.50",
        "-$1,234.50",
        "12345",
        "November 25",
        "November 24th",
        "24/11/2026",
        "5 days",
        "7 items",
        "1. first",
        "b@example.com",
        "a.b@example.com.cn",
        "two parcels",
        "tomorrow",
        "on Friday",
        "it was refunded",
        "it is delivered",
        "①",
        "٣",
        "½",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    assert unsupported(text, NOTES) is not None


@pytest.mark.parametrize(
    "text",
    ["订单 #W1234567 已发货", "预计2026年11月24日送达", "11月24日", "需要5至7个工作日", "$49.90", "US$49.90"],
)
def test_chinese_facts_may_be_written_with_and_without_spaces(text: str) -> None:
    assert unsupported(text, CHINESE) is None


@pytest.mark.parametrize("text", ["已取消", "明天到", "三天", "11月25日", "5天", "两件", "免费"])
def test_chinese_inventions_are_refused(text: str) -> None:
    assert unsupported(text, CHINESE) is not None


@pytest.mark.parametrize(
    "text",
    [
        "Bestellung #W1234567 ist versandt.",
        "am 4. März 2026, also am 4. März oder 04.03.2026",
        "1.234,50 €, 1234,50 Euro oder 1.234,50\u00a0€",
        "5 bis 7 Werktage, zwischen 5 und 7 Werktage",
    ],
)
def test_german_facts_may_be_written_in_the_german_way(text: str) -> None:
    assert unsupported(text, GERMAN) is None


@pytest.mark.parametrize(
    "text",
    [
        "1,234.50 €",
        "1.234,5 €",
        "1.234,50 $",
        "5. März",
        "zwei Pakete",
        "morgen",
        "kostenlos",
        "zugestellt",
        "fünf",
    ],
)
def test_german_inventions_are_refused(text: str) -> None:
    assert unsupported(text, GERMAN) is not None


def test_amounts_have_the_decimals_of_their_currency() -> None:
    written = {
        (currency, language): make_fact("a", Money(250000, currency), language, must=True).text
        for currency in ("USD", "JPY", "KWD", "VND")
        for language in ("en", "de")
    }
    assert written["USD", "en"] == "$2,500.00"
    assert written["USD", "de"] == "2.500,00 $"
    assert written["JPY", "en"] == "¥250,000"
    assert written["KWD", "en"] == "KWD250.000"
    assert written["KWD", "de"] == "250,000 KWD"
    assert written["VND", "de"] == "250.000 ₫"
    note = write("total", "en", total=Money(1234, "KWD"))
    assert unsupported("It is KWD 1.234, or 1.234 KWD.", [note]) is None
    assert unsupported("It is 1,234 KWD.", [note]) is not None


def test_it_is_a_constraint_of_the_core(edge_tokenizer: Tokenizer) -> None:
    assert isinstance(Grounding(AllowedFigures.of(NOTES), edge_tokenizer), Constraint)


def write_with(constraint: Grounding, tokens: list[int]) -> bool:
    for token in tokens:
        if not constraint.allows(token):
            return False
        constraint.accept(token)
    return True


@pytest.mark.parametrize("name", ["edge_tokenizer", "qwen_tokenizer"])
def test_tokens_may_cut_facts_anywhere(request: pytest.FixtureRequest, name: str) -> None:
    tokenizer: Tokenizer = request.getfixturevalue(name)
    for notes in (NOTES, CHINESE, GERMAN):
        constraint = Grounding(AllowedFigures.of(notes), tokenizer)
        text = " ".join(note.text for note in notes)
        assert write_with(constraint, tokenizer.encode(text))
        assert constraint.may_end()
        single = {tokenizer.token_bytes(token): token for token in range(tokenizer.vocab)}
        bytewise = Grounding(AllowedFigures.of(notes), tokenizer)
        assert write_with(bytewise, [single[bytes((byte,))] for byte in text.encode()])


def test_the_rest_of_a_figure_that_only_one_fact_has_is_forced(edge_tokenizer: Tokenizer) -> None:
    encode, decode = edge_tokenizer.encode, edge_tokenizer.decode
    constraint = Grounding(AllowedFigures.of(NOTES), edge_tokenizer)
    assert constraint.forced() == []
    assert write_with(constraint, encode("Your order #W12"))
    assert decode(constraint.forced()) == "34567"
    assert write_with(constraint, constraint.forced())
    assert constraint.forced() == []
    assert constraint.may_end()


def test_special_tokens_are_refused(edge_tokenizer: Tokenizer) -> None:
    constraint = Grounding(AllowedFigures.of(NOTES), edge_tokenizer)
    assert not any(constraint.allows(token) for token in edge_tokenizer.special.values())


def test_accepting_what_is_refused_raises_and_changes_nothing(edge_tokenizer: Tokenizer) -> None:
    constraint = Grounding(AllowedFigures.of(NOTES), edge_tokenizer)
    with pytest.raises(ValueError, match="no fact"):
        constraint.accept(edge_tokenizer.encode("9")[0])
    assert constraint.may_end()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_allowed_can_be_closed_and_is_supported(
    qwen_tokenizer: Tokenizer, data: st.DataObject
) -> None:
    notes = data.draw(st.sampled_from([NOTES, CHINESE, GERMAN]))
    constraint = Grounding(AllowedFigures.of(notes), qwen_tokenizer)
    snippets = [
        "W12",
        "$1,2",
        "Nov",
        "ember 24",
        " the",
        "20",
        "26",
        "年",
        "11月",
        "a.b@",
        " 5",
        " to",
        ".",
        "。",
    ]
    written: list[int] = []
    for _ in range(data.draw(st.integers(0, 25))):
        for token in qwen_tokenizer.encode(data.draw(st.sampled_from(snippets) | st.text(max_size=4))):
            if constraint.allows(token):
                constraint.fork().accept(token)
                constraint.accept(token)
                written.append(token)
    if not constraint.may_end():
        closing = constraint.closing()
        assert closing
        assert write_with(constraint, closing)
        written += closing
    assert constraint.may_end()
    assert unsupported(qwen_tokenizer.decode(written), notes) is None


def test_the_only_way_on_is_found_among_many_tokens(qwen_tokenizer: Tokenizer) -> None:
    constraint = Grounding(AllowedFigures.of(NOTES), qwen_tokenizer)
    assert write_with(constraint, qwen_tokenizer.encode("order #W123"))
    found = constraint.first_allowed(range(qwen_tokenizer.vocab))
    assert found is not None
    assert qwen_tokenizer.token_bytes(found) == b"4"


def test_every_written_sentence_is_supported_by_itself() -> None:
    values = {
        "items": "2 × T-Shirt (navy, M) and 1 × Frying Pan (28 cm)",
        "order": "#W1234567",
        "time": "5 days",
    }
    amounts = ("amount", "total", "difference", "price", "low", "high")
    policy = load_policy()
    for language in languages():
        for key, sentence in words_of(language).sentences.items():
            names = sorted(placeholders(sentence) - set(policy_words(policy, language)))
            facts = {name: values.get(name, "Something") for name in names}
            facts |= {name: Money(1995, "USD") for name in names if name in amounts}
            facts |= {name: date(2026, 2, 3) for name in names if name in ("expected", "delivered", "placed")}
            note = write(key, language, must=tuple(names), policy=policy, **facts)
            assert unsupported(note.text, [note]) is None, note.text
            assert not missing(note.facts, note.text), note.text


def test_a_fact_is_heard_in_other_words_but_not_inside_another_figure() -> None:
    day = make_fact("expected", date(2026, 11, 24), "en", must=True)
    assert day.heard_in("It comes on 24 November.")
    assert not day.heard_in("It comes on November 2.")
    count = make_fact("count", 5, "en", must=True)
    assert count.heard_in("There are five of them")
    assert not count.heard_in("There are 15 of them, 5.5 each")
    amount = make_fact("amount", Money(129900, "USD"), "en", must=True)
    assert amount.heard_in("You get 1,299.00 USD back")
    assert not amount.heard_in("You get $1,299.001 back")


def test_names_in_facts_cannot_smuggle_figures_in(edge_tokenizer: Tokenizer) -> None:
    note = Note("x", "Your item is Mug.", ())
    assert unsupported("It costs $0.00", [note]) is not None


def test_an_amount_does_not_end_the_first_sentence_of_a_passage() -> None:
    note = policy_note("Standard delivery costs $4.95 and takes 3 to 5 days. Express costs $12.95.")
    assert {fact.text for fact in note.facts} == {"$4.95", "3 to 5 days"}
