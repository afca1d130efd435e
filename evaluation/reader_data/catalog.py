"""A made-up catalogue, and the people and addresses of its customers, as plain text files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

from apps.support.reading.postal import MISSING
from apps.support.shop.models import Address
from evaluation.errors import DataError

_HAN = re.compile(r"[\u3400-\u9fff]")


class ReaderDataError(DataError):
    """A file of the reader's data is not as it should be: names file and line."""


@dataclass(frozen=True)
class Product:
    name: str
    name_zh: str
    casual: tuple[str, ...]
    casual_zh: tuple[str, ...]
    options: dict[str, tuple[str, ...]]

    def called(self, language: str, rng: Random) -> str:
        """One of the ways that customers call it."""
        if language == "zh" and rng.random() < 0.85:
            return rng.choice((self.name_zh, self.name_zh, *self.casual_zh))
        return rng.choice((self.name, self.name.lower(), self.name.lower(), *self.casual))

    @cached_property
    def words(self) -> frozenset[str]:
        """What makes another product's name doubtful beside it."""
        names = (self.name.lower(), *self.casual, self.name_zh, *self.casual_zh)
        return frozenset(names) | {name.split()[-1] for name in names if name}

    def variant(self, rng: Random) -> dict[str, str]:
        return {option: rng.choice(values) for option, values in self.options.items()}


@dataclass(frozen=True)
class TypedAddress:
    text: str
    parts: Address


@dataclass(frozen=True)
class Catalog:
    """All that situations are drawn from."""

    products: tuple[Product, ...]
    said: dict[str, tuple[str, ...]]
    """How people say an option's value; keys are "value" or "value [option]"."""
    said_zh: dict[str, tuple[str, ...]]
    people: tuple[str, ...]
    addresses: tuple[TypedAddress, ...]

    def say_value(self, option: str, value: str, language: str, rng: Random) -> str:
        """A value as a customer writes it, so that it is understood without the option's name."""
        table = self.said_zh if language == "zh" and rng.random() < 0.7 else self.said
        ways = table.get(f"{value.lower()} [{option.lower()}]") or table.get(value.lower()) or ()
        bare = value.lower() in ("yes", "no", "none") or value.isdigit()
        if ways and (bare or rng.random() < 0.5):
            return rng.choice(ways)
        if bare or rng.random() < 0.12:
            return rng.choice((f"{option} {value}", f"{value} {option}", f"{option}: {value}"))
        return value if rng.random() < 0.6 else value.lower()


def read_catalog(folder: Path) -> Catalog:
    """From catalog.txt, values.txt, people.txt and addresses.txt. Raises ReaderDataError."""
    products = tuple(_product(line, where) for line, where in lines(folder / "catalog.txt"))
    said: dict[str, tuple[str, ...]] = {}
    said_zh: dict[str, tuple[str, ...]] = {}
    for line, where in lines(folder / "values.txt"):
        parts = [part.strip() for part in line.split("|")]
        if len(parts) < 2:
            raise ReaderDataError(f"{where}: value | ways to say it [| in Chinese]")
        said[parts[0].lower()] = _names(parts[1])
        said_zh[parts[0].lower()] = _names(parts[2]) if len(parts) > 2 else ()
    people = tuple(line for line, _ in lines(folder / "people.txt"))
    addresses = tuple(_address(line, where) for line, where in lines(folder / "addresses.txt"))
    return Catalog(products, said, said_zh, people, addresses)


def lines(path: Path) -> list[tuple[str, str]]:
    """The lines that say something, each with its place. Raises ReaderDataError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReaderDataError(f"{path} cannot be read: {error}") from error
    numbered = enumerate(text.splitlines(), start=1)
    return [(line.strip(), f"{path}, line {number}") for number, line in numbered if line.strip()]


def is_chinese(text: str) -> bool:
    return _HAN.search(text) is not None


def _product(line: str, where: str) -> Product:
    parts = [part.strip() for part in line.split("|")]
    if len(parts) < 4:
        raise ReaderDataError(
            f"{where}: name | Chinese name | casual names | Chinese ones [| option: values]…"
        )
    options = {}
    for part in filter(None, parts[4:]):
        option, colon, values = part.partition(":")
        if not colon:
            raise ReaderDataError(f"{where}: {part!r} is no 'option: value, value'")
        options[option.strip()] = _names(values)
    return Product(parts[0], parts[1], _names(parts[2]), _names(parts[3]), options)


def _address(line: str, where: str) -> TypedAddress:
    typed, arrow, rest = line.partition("=>")
    fields = [field.strip() for field in rest.split("|")]
    if not arrow or len(fields) != 6:
        raise ReaderDataError(f"{where}: address => line1 | line2 | city | region | postcode | country")
    given = ["" if field == MISSING else field for field in fields]
    absent = [field for field in given if field not in typed]
    if absent:
        raise ReaderDataError(f"{where}: {absent[0]!r} does not stand in the address")
    return TypedAddress(typed.strip(), Address(*given))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in re.split(r"[,，、]", text) if name.strip())
