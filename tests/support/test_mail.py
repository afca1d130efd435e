"""Of a mail only what the customer wrote is read."""

from __future__ import annotations

import pytest

from apps.support.reading.cleaning import clean
from apps.support.reading.mail import own_words

ORIGINAL = """From: Shop <help@shop.example>
Sent: Monday, 3 June 2024 10:00
Subject: Cancel your order W7654321? Refund of $129.90
Your order W7654321 was delivered to Court Street 12."""


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Yes\n\nOn Mon, 3 Jun 2024 at 10:00, Shop <help@shop.example> wrote:\n> Shall I cancel?", "Yes"),
        ("Yes\n\nOn Mon, 3 Jun 2024 at 10:00,\nShop <help@shop.example>\nwrote:\n\n> Shall I?", "Yes"),
        ("Ja\n\nAm 03.06.2024 um 10:00 schrieb Shop <help@shop.example>:\n\nSoll ich?", "Ja"),
        ("Oui\n\nLe lun. 3 juin 2024 à 10:00, Shop <help@shop.example>\na écrit :\n> Dois-je ?", "Oui"),
        ("好\n\n在 2024-06-03 10:00:00，“Shop” <help@shop.example> 写道：\n要取消吗？", "好"),
        (f"the second one\n\n-----Original Message-----\n{ORIGINAL}", "the second one"),
        (f"the second one\n\n________________________________\n{ORIGINAL}", "the second one"),
        (f"the second one\n\n---------- Forwarded message ---------\n{ORIGINAL}", "the second one"),
        (f"the second one\n\nBegin forwarded message:\n\n{ORIGINAL}", "the second one"),
        ("ok\n\n*Von:* Shop <a@b.example>\n*Gesendet:* Montag\n*Betreff:* Anwalt\n\nText", "ok"),
        (
            "好\n\n------------------ 原始邮件 ------------------\n发件人: Shop\n发送时间: 2024年6月3日\n取消",
            "好",
        ),
        ("> yes", ""),
        ("> yes\n\nWhat about the other one?", "What about the other one?"),
        ("You wrote:\n> Court Street 12\nIt is 14.", "You wrote:\nIt is 14."),
        ("> Which one?\nthe red one\n> And the size?\nM", "the red one\nM"),
        ("yes\n-- \nAnna Keller\nTel. 030 1234567", "yes"),
    ],
)
def test_quotes_and_signatures_are_left_out(text: str, own: str) -> None:
    assert clean(text) == own


@pytest.mark.parametrize(
    "text",
    [
        "Order: 1001\nEmail: a@b.example\nPostcode: 12345",
        "From: Berlin\nTo: Munich\nHow much is it?",
        "my new address is:\n12 Court Street\nwrite to x@y.example",
        "Hello\n-----\nmy parcel is late",
        "two things:\n- a return\n- an invoice",
        "it costs > 50 or -- what else?",
    ],
)
def test_what_only_looks_like_mail_stays(text: str) -> None:
    assert own_words(text) == text


@pytest.mark.parametrize("piece", ["a: ", "-", ":", "x:\n", " ", "From: a@b 10:00\n", ">\n", "-_", "x\n\n:"])
def test_no_text_breaks_it(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    assert len(own_words(text)) <= len(text)
