"""What can be looked up in a message: e-mails, order numbers, postcodes. Looked up, never trusted.

Any number that the importer takes is one that a customer can say: every word with a digit is compared with the
orders that may be meant, and where a shop's numbers are of letters alone, every word of as many letters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_NUMBER = re.compile(
    r"#?(?<![\w@$€£¥.,-])#?(?:[A-Za-z]{1,31}[-_]){0,8}[A-Za-z]{0,31}\d[A-Za-z\d_-]*(?![\w@%])", re.ASCII
)
_GROUPED = re.compile(r"(?<![\w@$€£¥.,-])(#?)(?:([A-Za-z]{1,4}) )?(\d{2,8}(?: \d{2,8})+)(?![\w@%])", re.ASCII)
"""A number as people dictate it: "W 123 4567"."""
_THOUSANDS = re.compile(r"(?<![\w@$€£¥.,-])#?\d{1,3}(?:,\d{3})+(?![\w@%])", re.ASCII)
_LETTERS = re.compile(r"#?(?<![\w@$€£¥.,-])#?[A-Za-z]{4,32}(?![\w@%-])", re.ASCII)
_ANNOUNCED = re.compile(
    r"(?:#|\border(?:er|s)?\b[^\w]*(?:(?:(?:number|num|no|nr|id)\b\W*)+(?:(?:is|was)\b\W*)?|"
    r"(?P<verb>(?:is|was)\b\W*))?|\b(?:number|nr|no)\b\W*(?:(?:is|was)\b\W*)?|"
    r"\b(?:bestell|auftrags)\w*\W*|单号?\W*|單號?\W*|订单(?:号|编号)?\W*|訂單(?:號|編號)?\W*)$",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"(?<![\w-])(?:\d{4,7}(?:-\d{3,4})?|\d{3} ?\d{2}|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|"
    r"[A-Z]\d[A-Z] ?\d[A-Z]\d)(?![\w-])",
    re.IGNORECASE | re.ASCII,
)
_LETTERED_POSTCODES = (
    re.compile(r"(?<![\w-])\d{4} ?[A-Z]{2}(?![\w-])", re.IGNORECASE | re.ASCII),
    re.compile(r"(?<![\w-])[A-Z]{2,3}[- ]?\d{4}(?![\w-])", re.IGNORECASE | re.ASCII),
)
"""Looked for by themselves: the letters may as well be the word beside the figures, as in "it is 1010"."""
LEAST_BARE_DIGITS = 3
"""A shorter number is an order's only where it is announced as one: "#42", "order 42"."""
LEAST_GUEST_DIGITS = 4
LEAST_GROUPED_DIGITS = 5
MOST_FOUND = 12


@dataclass(frozen=True)
class Identifiers:
    """What a message names. `tagged` is the message as the reader sees it: `#P` for an order, `@` for an e-mail."""

    tagged: str
    emails: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()  # that may be order numbers, as they are stored: upper case, without '#'
    orders: tuple[str, ...] = ()  # handles of the orders that are named
    unknown: tuple[str, ...] = ()  # numbers that look like an order's and are none of the customer's


def find_identifiers(text: str, orders: Mapping[str, str], *, known: bool, letters: int = 0) -> Identifiers:
    """Look up what the message names. `orders` maps the customer's order numbers to their handles.

    Of somebody unproven nothing is looked up: every longer number is only tagged as one. `letters`: of how many
    letters the shop's numbers are, where they are of letters alone.
    """
    emails = tuple(dict.fromkeys(match[0].lower().rstrip(".") for match in _EMAIL.finditer(text)))
    codes = [match[0].upper() for form in (_POSTCODE, *_LETTERED_POSTCODES) for match in form.finditer(text)]
    postcodes = tuple(dict.fromkeys(codes))[:MOST_FOUND]
    digits = _by_digits(orders)
    rest = _joined(_EMAIL.sub("@", text), None if not known else {*orders, *digits})
    numbers: list[str] = []
    named: list[str] = []
    unknown: list[str] = []

    def tag(match: re.Match[str]) -> str:
        word = match[0].lstrip("#").upper().strip("-_")
        count = sum(character.isdigit() for character in word)
        before = _ANNOUNCED.search(rest, 0, match.start())
        # "my order is 5 days late" names no order, "my order is 40178" does.
        announced = match[0].startswith("#") or (
            before is not None and (not before["verb"] or count >= LEAST_BARE_DIGITS)
        )
        if not announced and count < LEAST_BARE_DIGITS:
            return match[0]
        numbers.append(word)
        if not known:
            return "#" if announced or count >= LEAST_GUEST_DIGITS else match[0]
        handle = orders.get(word) or (digits.get(word) if word.isdigit() else None)
        if handle is not None:
            named.append(handle)
            return f"#{handle}"
        if announced or _looks_like(word, orders):
            unknown.append(word)
            return "#?"
        return match[0]

    def tag_letters(match: re.Match[str]) -> str:
        word = match[0].lstrip("#").upper()
        if known:
            handle = orders.get(word)
            if handle is None:
                return match[0]
            numbers.append(word)
            named.append(handle)
            return f"#{handle}"
        # A shouted message has other words in capitals.
        told = (
            match[0].startswith("#")
            or match[0] == rest.strip(" .!?")
            or (match[0].isupper() and not rest.isupper())
        )
        if len(word) != letters or not told:
            return match[0]
        numbers.append(word)
        return "#"

    tagged = _NUMBER.sub(tag, rest)
    if letters or any(number.isalpha() for number in orders):
        tagged = _LETTERS.sub(tag_letters, tagged)
    return Identifiers(
        tagged,
        emails,
        postcodes,
        tuple(dict.fromkeys(numbers))[:MOST_FOUND],
        tuple(dict.fromkeys(named)),
        tuple(dict.fromkeys(unknown)),
    )


def _joined(text: str, own: set[str] | None) -> str:
    """The text with order numbers in one piece. `own`: those that can be meant; None where that is not known."""

    def join(match: re.Match[str]) -> str:
        sign, letters, groups = match[1], match[2] or "", match[3].replace(" ", "")
        if len(groups) < LEAST_GROUPED_DIGITS:
            return match[0]
        before = "" if sign or not letters else f"{letters} "
        if own is not None:
            whole = f"{letters}{groups}".upper()
            return (
                f"{sign}{whole}" if whole in own else f"{before}{sign}{groups}" if groups in own else match[0]
            )
        if letters and (len(letters) == 1 or letters.isupper()):
            return f"{sign}{letters}{groups}"
        return f"{before}{sign}{groups}" if sign or _ANNOUNCED.search(text, 0, match.start(3)) else match[0]

    def close(match: re.Match[str]) -> str:
        announced = match[0].startswith("#") or _ANNOUNCED.search(text, 0, match.start())
        return match[0].replace(",", "") if announced else match[0]

    text = _GROUPED.sub(join, text)
    return _THOUSANDS.sub(close, text)


def with_handles(text: str, orders: Mapping[str, str]) -> str:
    """The text with the customer's own order numbers as the reader sees them, and all other figures as they are.

    A mere number stays, unless it is announced as an order's: it may be that of a house.
    """

    def tag(match: re.Match[str]) -> str:
        handle = orders.get(match[0].lstrip("#").upper())
        announced = not match[0].isdigit() or _ANNOUNCED.search(text, 0, match.start()) is not None
        return f"#{handle}" if handle is not None and announced else match[0]

    return _NUMBER.sub(tag, text)


def plain_postcode(code: str) -> str:
    """Without spaces; of a US ZIP+4 the five digits that people know."""
    return re.sub(r"^(\d{5})-?\d{4}$", r"\1", re.sub(r"\s", "", code).upper())


def without_emails(text: str) -> str:
    """The text as a model is shown it: an address in it is proof, and nothing to be repeated or asked about."""
    return _EMAIL.sub(" ", text)


def _by_digits(orders: Mapping[str, str]) -> dict[str, str]:
    """The digits of each number whose digits are its own: W9502127 is also known as 9502127."""
    found: dict[str, str | None] = {}
    for number, handle in orders.items():
        bare = re.sub(r"\D", "", number)
        if bare:
            found[bare] = None if bare in found else handle
    return {bare: handle for bare, handle in found.items() if handle is not None}


def _looks_like(word: str, orders: Mapping[str, str]) -> bool:
    """Whether the word has the form of the customer's order numbers: letters and as many digits."""

    def shape(number: str) -> str:
        return re.sub(r"\d", "0", number)

    shapes = {shape(number) for number in orders}
    bare = {re.sub(r"\D", "", number) for number in orders}
    has_letters = any(number[:1].isalpha() for number in orders)
    return shape(word) in shapes or (
        has_letters and word.isdigit() and len(word) in {len(b) for b in bare if len(b) > 5}
    )
