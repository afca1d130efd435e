"""The shops that pairs are made in: other ones for writing, for the teacher and for the test."""

from __future__ import annotations

import random
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from apps.support.shop.database import Database
from apps.support.shop.seed import PRODUCTS
from evaluation.reply_pairs.other_figures import change_figures
from evaluation.reply_pairs.phrasings import PhrasingsError
from evaluation.reply_pairs.situations import Situation, situations

WRITTEN, TEACHER, TEST = 1, 5_001, 9_001
"""Numbers of the first shop of each kind."""
TURNS_PER_SHOP = 50


class _Products(BaseModel):
    model_config = ConfigDict(extra="forbid")

    products: list[tuple[str, str]] = Field(min_length=len(PRODUCTS))


def training_turns(folder: Path, first_shop: int) -> Iterator[Situation]:
    """Endless different turns in shops that sell what FOLDER/products.toml names, each with its own policy.

    Raises PhrasingsError.
    """
    path = folder / "products.toml"
    try:
        names = _Products(**tomllib.loads(path.read_text(encoding="utf-8"))).products
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise PhrasingsError(f"{path} cannot be used: {error}") from error
    rng = random.Random(first_shop)
    return _different(change_figures(turn, rng) for turn in _turns(first_shop, names))


def turns_for_test() -> Iterator[Situation]:
    """Endless different turns in shops that sell what the demonstration shop does."""
    return _different(_turns(TEST, []))


def _turns(first_shop: int, products: list[tuple[str, str]]) -> Iterator[Situation]:
    with tempfile.TemporaryDirectory(prefix="duet-shops-") as folder:
        database = Database(f"sqlite:///{folder}/shop.db")
        try:
            database.upgrade()
            number = first_shop
            while True:
                yield from situations(database, number, TURNS_PER_SHOP, products)
                number += 1
        finally:
            database.close()


def _different(found: Iterator[Situation]) -> Iterator[Situation]:
    """Without turns that have the same notes; passages of the handbook come again with other messages."""
    seen: set[str] = set()
    for situation in found:
        key = " ".join(note.text for note in situation.notes) + (situation.heading and situation.message)
        if key not in seen:
            seen.add(key)
            yield situation
