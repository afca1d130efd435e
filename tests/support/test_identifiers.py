"""Numbers, e-mails and postcodes in a message: looked up, never trusted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.support.reading.cleaning import clean
from apps.support.reading.identifiers import find_identifiers, plain_postcode, with_handles, without_emails
from tests.data import data_file

SHORT = {"1002": "P", "1007": "Q"}
LONG = {"W1234567": "P", "W7654321": "Q"}


@pytest.mark.parametrize(
    ("text", "orders", "tagged"),
    [
        ("Cancel 1002", SHORT, "Cancel #P"),
        ("Cancel #1002 and 1007.", SHORT, "Cancel #P and #Q."),
        ("Cancel 1003", SHORT, "Cancel #?"),
        ("where is order 42?", SHORT, "where is order #??"),
        ("order W1234567 please", LONG, "order #P please"),
        ("my order number is w1234567.", LONG, "my order number is #P."),
        ("it is 7654321", LONG, "it is #Q"),
        ("it is W9999999", LONG, "it is #?"),
        ("订单W1234567到哪了", LONG, "订单#P到哪了"),
        ("订单号：1234567", LONG, "订单号：#P"),
        ("call me at 10:30 about 3 items, size 42", LONG, "call me at 10:30 about 3 items, size 42"),
        ("the $135.24 one in 500 ml", LONG, "the $135.24 one in 500 ml"),
        ("mail a1234567@example.com", LONG, "mail @"),
        ("to 445 Maple Drive, 76165", LONG, "to 445 Maple Drive, 76165"),
        ("return the 1002ml bottle, it came on 10-02", SHORT, "return the 1002ml bottle, it came on 10-02"),
        ("my order is 5 days late", SHORT, "my order is 5 days late"),
        ("my order number is 42", SHORT, "my order number is #?"),
    ],
)
def test_what_a_message_names_is_tagged(text: str, orders: dict[str, str], tagged: str) -> None:
    assert find_identifiers(text, orders, known=True).tagged == tagged


def test_of_a_stranger_nothing_is_looked_up() -> None:
    found = find_identifiers("where is W1234567? anna@Example.com., 28552", LONG, known=False)
    assert (found.tagged, found.orders, found.unknown) == ("where is #? @., #", (), ())
    assert found.emails == ("anna@example.com",)
    assert found.numbers == ("W1234567", "28552")
    assert "28552" in found.postcodes


@given(
    st.from_regex(r"[A-Z0-9]{1,9}(-[A-Z0-9]{1,7}){0,2}", fullmatch=True).filter(
        lambda number: len(number) >= 3 and any(map(str.isdigit, number))
    ),
    st.sampled_from(["#", "order ", "order no. "]),
)
def test_any_number_of_an_order_is_one_that_a_customer_can_say(number: str, before: str) -> None:
    found = find_identifiers(f"hello, {before}{number.lower()}, thanks", {number: "P"}, known=True)
    assert found.orders == ("P",)


@given(st.from_regex(r"([A-Z]{1,6}-){0,2}[A-Z]{0,3}[0-9]{3,10}(-[A-Z0-9]{1,5})?", fullmatch=True))
def test_a_number_of_three_digits_needs_no_announcement(number: str) -> None:
    assert find_identifiers(f"{number} is late", {number: "P"}, known=True).orders == ("P",)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("订单Ｗ１２３４５６７在哪", "W1234567"),
        ("order 112\u20111234567\u20111234567", "112-1234567-1234567"),
        ("ＯＲＤ－２０２４－００１２３", "ORD-2024-00123"),
        ("＃１００１?", "1001"),
    ],
)
def test_a_number_is_known_whatever_keyboard_wrote_it(text: str, number: str) -> None:
    assert find_identifiers(clean(text), {number: "P"}, known=True).orders == ("P",)


@pytest.mark.parametrize(
    ("text", "orders", "tagged"),
    [
        ("where is W 123 4567?", LONG, "where is #P?"),
        ("where is w-123-4567?", {"W-123-4567": "P"}, "where is #P?"),
        ("it is 123 45 67, call me at 030 555 1234", LONG, "it is #P, call me at 030 555 1234"),
        ("am 765 4321", LONG, "am #Q"),
        ("Cancel #1,002 please", SHORT, "Cancel #P please"),
        ("order no. 1,002?", SHORT, "order no. #P?"),
        ("I paid 1,002 dollars on 10 02", SHORT, "I paid 1,002 dollars on 10 02"),
        ("where is xkbknabjk?", {"XKBKNABJK": "P"}, "where is #P?"),
        ("XKBKNABJK", {"XKBKNABJK": "P"}, "#P"),
        ("where is my something?", {"XKBKNABJK": "P"}, "where is my something?"),
    ],
)
def test_a_number_is_known_in_groups_and_of_letters_alone(
    text: str, orders: dict[str, str], tagged: str
) -> None:
    assert find_identifiers(text, orders, known=True).tagged == tagged


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("where is W 123 4567?", ("W1234567",)),
        ("order 112 3456", ("1123456",)),
        ("#1,001 hasn't come", ("1001",)),
        ("where is XKBKNABJK? Please help", ("XKBKNABJK",)),
        ("my order XKBKNABJK,", ("XKBKNABJK",)),
        ("#xkbknabjk", ("XKBKNABJK",)),
        ("xkbknabjk", ("XKBKNABJK",)),
        ("my order is confirmed, or something", ()),
        ("I NEED SOMETHING NOW", ()),
    ],
)
def test_a_stranger_may_write_a_number_in_groups_or_of_letters(text: str, numbers: tuple[str, ...]) -> None:
    assert find_identifiers(text, {}, known=False, letters=9).numbers == numbers


def test_words_are_no_numbers_where_the_numbers_of_the_shop_have_digits() -> None:
    assert find_identifiers("where is XKBKNABJK?", {}, known=False).numbers == ()


def test_digits_that_two_orders_share_name_neither() -> None:
    found = find_identifiers("cancel 1001", {"A-1001": "P", "B-1001": "Q"}, known=True)
    assert found.orders == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("zip 28552", "28552"),
        ("BA1 1AA", "BA1 1AA"),
        ("my postcode: 1012 ab", "1012 AB"),
        ("邮编100022", "100022"),
        ("the postcode is 1010", "1010"),
        ("VLT 1117", "VLT 1117"),
    ],
)
def test_postcodes_are_found_as_people_write_them(text: str, code: str) -> None:
    assert code in find_identifiers(text, {}, known=False).postcodes


def test_a_postcode_is_compared_as_people_know_it() -> None:
    assert plain_postcode("28552-1234") == "28552"
    assert plain_postcode("ba1 1aa") == "BA11AA"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("where is W1? my email is anna@example.com", "where is W1? my email is"),
        ("我的邮箱是anna@example.com，订单到哪了", "我的邮箱是 ，订单到哪了"),
        ("no mail here", "no mail here"),
    ],
)
def test_the_model_is_not_shown_the_proof(text: str, shown: str) -> None:
    assert without_emails(text).strip() == shown


@given(st.text(max_size=400))
def test_no_text_breaks_the_looking_up(text: str) -> None:
    for known in (True, False):
        found = find_identifiers(clean(text), LONG, known=known)
        json.dumps([found.tagged, found.numbers, found.postcodes])


def test_published_naughty_strings_are_read_as_text() -> None:
    for text in json.loads(data_file("naughty-strings/blns.json").read_text(encoding="utf-8")):
        assert find_identifiers(clean(text), LONG, known=True).orders == ()


def test_naughty_strings_are_read_as_text() -> None:
    for text in ["'; DROP TABLE orders; --", "%s%n{0}{order}", "\ud800", "A" * 2_000, "1" * 5_000]:
        assert find_identifiers(clean(text), LONG, known=True).orders == ()


def test_an_order_number_beside_an_address_is_no_part_of_it() -> None:
    orders = {"W2702727": "P", "1001": "Q"}
    text = "send #W2702727 and order 1001 to 1001 Elm St, 76165"
    assert with_handles(text, orders) == "send #P and order #Q to 1001 Elm St, 76165"
