"""A customer's data replaced by invented values, the same ones wherever they stand in a conversation's rows.

What the shop knows of the customer is replaced by values of its kind; any other e-mail or long number by one of
the same shape. What a customer tells of others in free words (a neighbour's name) is not known, and stays.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable

from faker import Faker
from sqlalchemy import select
from sqlalchemy.orm import Session

from apps.support.conversations import records
from apps.support.shop.models import Address, Conversation, Customer, Order

_LOCALES = {"zh": "zh_CN", "de": "de_DE"}
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_NUMBER = re.compile(r"(?<![\d.,$€£¥])(?!(?:19|20)\d\d(?!\d))\d{4,}(?![\d.,]*\d)", re.ASCII)
"""What may be an account or a telephone; a year is none, nor is an amount."""
_WORD = re.compile(r"[^\W\d_]{2,}")


class Pseudonyms:
    """What stands for what."""

    def __init__(self, invented: dict[str, str], rng: random.Random) -> None:
        self._invented = {known: value for known, value in invented.items() if known.strip()}
        self._rng = rng
        longest_first = sorted(map(re.escape, self._invented), key=len, reverse=True)
        words = "|".join(longest_first)
        # Between letters of the same script a short name is a part of another word; in Chinese there are no spaces.
        self._known = re.compile(rf"(?<![A-Za-zÀ-ÿ\d])(?:{words})(?![A-Za-zÀ-ÿ\d])", re.I) if words else None
        self._folded = {known.casefold(): value for known, value in self._invented.items()}

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
        if self._known is not None:
            text = self._known.sub(lambda match: self._folded[match[0].casefold()], text)
        text = _EMAIL.sub(lambda match: self._once(match[0], "customer@example.com"), text)
        return _NUMBER.sub(lambda match: self._once(match[0], _other_digits(match[0], self._rng)), text)

    def _once(self, found: str, invented: str) -> str:
        """What stands for something that is met again; what was invented is left as it is."""
        if found in self._folded.values():
            return found
        return self._folded.setdefault(found.casefold(), invented)


def _customers(session: Session, conversation: Conversation) -> list[Customer]:
    """Who the conversation is with: its customer, and the owners of the orders that were proven in it."""
    found = [conversation.customer] if conversation.customer else []
    proven = records.load_state(conversation).proven
    for order in session.scalars(select(Order).where(Order.number.in_(proven))):
        found.append(order.customer)
    return list(dict.fromkeys(found))


def _of_person(customer: Customer, fake: Faker) -> dict[str, str]:
    name, invented = customer.name, fake.name()
    parts = dict(zip(_WORD.findall(name), _WORD.findall(invented), strict=False))
    return {name: invented, **parts, customer.email: "customer@example.com"}


def _of_address(address: Address, fake: Faker, known: dict[str, str]) -> dict[str, str]:
    values = {
        address.line1: fake.street_address().replace("\n", " "),
        address.line2: f"No. {fake.building_number()}",
        address.city: fake.city(),
        address.postcode: fake.postcode(),
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
