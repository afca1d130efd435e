"""A customer's data replaced by invented values, the same ones wherever they stand in a conversation's rows.

What the shop knows of the customer is replaced by values of its kind; any other e-mail or long number by one of
the same shape. What a customer tells of others in free words (a neighbour's name) is not known, and stays; so does
a single word of a name that is written without a capital, for many names are ordinary words.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterable
from itertools import cycle

from faker import Faker
from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.conversations import records
from apps.support.shop.models import Address, Conversation, Customer, Order

_LOCALES = {"zh": "zh_CN", "de": "de_DE"}
_EMAIL = r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
_NUMBER = re.compile(r"(?<![\d.,])\+?\(?\d(?:[ \-/()]{0,2}\d){6,}(?![.,]?\d)|\d+(?:[.,]\d+)*")
"""Digits as telephones and cards are written, with spaces and the like in between; or a number."""
_DATE = re.compile(r"(?:19|20)\d\d(?:-\d\d-\d\d)?|\d{1,2}([./-])\d{1,2}\1(?:19|20)?\d\d")
_AMOUNT = re.compile(r"\d{1,6}[.,]\d\d|[1-9]\d{0,2}[.,]\d{3}(?:[.,]\d\d)?")
_AMOUNT_OF_MONEY = re.compile(r"\d{1,9}(?:[.,]\d{2,3})*")
_LEAST_DIGITS = 4
"""Fewer are no account and no telephone."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_HAN_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}")
_HAN_TITLES = ("先生", "女士", "小姐")
_LETTER = r"A-Za-zÀ-ɏͰ-ӿ\d"
"""Between these a short name is a part of another word; in Chinese there are no spaces."""


class Pseudonyms:
    """What stands for what."""

    def __init__(self, invented: dict[str, str], rng: random.Random) -> None:
        self._invented = {known.casefold(): value for known, value in invented.items() if known.strip()}
        self._rng = rng
        words = "|".join(sorted(map(re.escape, self._invented), key=len, reverse=True))
        known = rf"(?P<known>(?<![{_LETTER}])(?:{words})(?![{_LETTER}]))|" if words else ""
        # One pass: what was invented is not looked at again.
        self._found = re.compile(f"{known}(?P<email>{_EMAIL})|(?P<number>{_NUMBER.pattern})", re.I)

    @classmethod
    def of(cls, session: Session, conversation_id: str, language: str, seed: str) -> Pseudonyms:
        """For what is said in a conversation; the same `seed` invents the same values."""
        rng = random.Random(seed)
        fake = Faker(_LOCALES.get(language, "en_US"))
        fake.seed_instance(rng.randrange(2**32))
        conversation = records.get_conversation(session, conversation_id)
        invented: dict[str, str] = {}
        for customer in _customers(session, conversation):
            invented |= _of_person(customer, fake)
            for address in [customer.address, *(order.address for order in customer.orders)]:
                invented |= _of_address(address, fake, invented)
            invented |= _of_numbers(_numbers(customer), rng)
        return cls(invented, rng)

    def replace(self, text: str) -> str:
        """The text with invented values."""
        return self._found.sub(self._replaced, text)

    def _replaced(self, match: re.Match[str]) -> str:
        found, kind = match[0], match.lastgroup
        if kind == "known" and found.isalpha() and found.islower():
            return found  # "will it arrive": without a capital a single word is no name
        if kind == "number" and not _identifies(match):
            return found
        if kind == "email":
            return self._invented.setdefault(found.casefold(), "customer@example.com")
        return self._invented.setdefault(found.casefold(), _other_digits(found, self._rng))


def _identifies(match: re.Match[str]) -> bool:
    """Whether a number may be an account or a telephone: a date is none, nor is an amount."""
    found = match[0]
    if sum(map(str.isdigit, found)) < _LEAST_DIGITS or _DATE.fullmatch(found) or _AMOUNT.fullmatch(found):
        return False
    around = match.string[: match.start()].rstrip()[-1:] + match.string[match.end() :].lstrip()[:1]
    money = any(unicodedata.category(character) == "Sc" for character in around)
    return not (money and _AMOUNT_OF_MONEY.fullmatch(found))


def _customers(session: Session, conversation: Conversation) -> list[Customer]:
    """Who the conversation is with: its customer, and the owners of the orders that were proven in it."""
    found = [conversation.customer] if conversation.customer else []
    proven = records.load_state(conversation).proven
    for order in session.scalars(select(Order).where(Order.number.in_(proven))):
        found.append(order.customer)
    return list(dict.fromkeys(found))


def _of_person(customer: Customer, fake: Faker) -> dict[str, str]:
    name, first, last = customer.name.strip(), fake.first_name(), fake.last_name()
    invented = {customer.email: "customer@example.com"}
    if _HAN_NAME.fullmatch(name):
        known = (
            name[:-2] if len(name) > 2 else name[:1]
        )  # the family's; a given name has two characters mostly
        given = name[len(known) :]
        invented |= {name: last + first, **{known + title: last + title for title in _HAN_TITLES}}
        return invented | ({given: first} if len(given) > 1 else {})
    # A name of more words than the invented one: no word of it may stay.
    return invented | {
        name: f"{first} {last}",
        **dict(zip(_WORD.findall(name), cycle((first, last)), strict=False)),
    }


def _of_address(address: Address, fake: Faker, known: dict[str, str]) -> dict[str, str]:
    values = {
        address.line1: fake.street_address().replace("\n", " "),
        address.line2: f"No. {fake.building_number()}",
        address.city: fake.city(),
        address.postcode: fake.postcode(),
        **{
            place: invented  # a code of two letters is a word too often, and tells nobody who it is
            for place, invented in (
                (address.region, fake.administrative_unit()),
                (address.country, fake.country()),
            )
            if len(place) > 2 or not place.isascii()
        },
    }
    return {old: known.get(old) or new for old, new in values.items() if old}


def _numbers(customer: Customer) -> Iterable[str]:
    yield customer.phone or ""
    for order in customer.orders:
        yield order.number
        yield from (parcel.tracking_number or "" for parcel in order.shipments)
    yield from (method.last_four or "" for method in customer.payment_methods)


def _of_numbers(numbers: Iterable[str], rng: random.Random) -> dict[str, str]:
    return {number: _other_digits(number, rng) for number in numbers if number}


def _other_digits(number: str, rng: random.Random) -> str:
    """A number of the same shape; the first digit stays no zero where it was none."""
    return re.sub(r"\d", lambda digit: "0" if digit[0] == "0" else str(rng.randrange(1, 10)), number)
