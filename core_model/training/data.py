"""Labelled rows: read, cleaned, split, made noisy."""

from __future__ import annotations

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core_model.csv_file import CsvFileError, open_csv
from core_model.training.errors import TrainingDataError
from core_model.training.recipe import Source

_SPACES = re.compile(r"\s+")
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


@dataclass(frozen=True)
class Example:
    """One utterance and its class."""

    text: str
    label: str


@dataclass(frozen=True)
class DataFile:
    """What the card says of a file."""

    path: str
    sha256: str
    rows: int


def clean(text: str) -> str:
    """One line without outer spaces: what both training and serving read."""
    return _SPACES.sub(" ", text).strip()


def read_rows(path: Path, text: str, label: str) -> list[Example]:
    """A CSV file with a header; a column may be named in other capitals. Raises TrainingDataError with the line."""
    try:
        file = open_csv(path)
        columns = {name.casefold(): name for name in reversed(file.columns)}
        missing = [name for name in (text, label) if name.casefold() not in columns]
        if missing:
            raise TrainingDataError(
                f"{path} has no column {' and '.join(map(repr, missing))}; separated by "
                f"{file.described_separator} it has {', '.join(file.columns)}"
            )
        examples = []
        for line, row in file.rows():
            cells = {name: row.get(columns[name.casefold()], "") for name in (text, label)}
            example = Example(clean(cells[text]), clean(cells[label]))
            if not example.text or not example.label:
                raise TrainingDataError(f"{path}: line {line} has an empty {label if example.text else text}")
            examples.append(example)
    except CsvFileError as error:
        raise TrainingDataError(f"{path}: {error}") from error
    return examples


def select(rows: Sequence[Example], source: Source, seed: int) -> list[Example]:
    """The rows that a source asks for, without repeated texts."""
    if source.only:
        known = {row.label for row in rows}
        unknown = sorted(set(source.only) - known)
        if unknown:
            raise TrainingDataError(f"{source.path} has no rows labelled {', '.join(unknown)}")
        rows = [row for row in rows if row.label in source.only]
    unique = list({row.text: row for row in rows}.values())
    if source.per_label:
        shuffled = sorted(unique, key=lambda row: _draw(row.text, seed))
        counts: dict[str, int] = defaultdict(int)
        kept = set()
        for row in shuffled:
            counts[row.label] += 1
            if counts[row.label] <= source.per_label:
                kept.add(row.text)
        unique = [row for row in unique if row.text in kept]
    if source.as_label is not None:
        unique = [Example(row.text, source.as_label) for row in unique]
    return unique


def split(rows: Iterable[Example], held_out: float, seed: int) -> tuple[list[Example], list[Example]]:
    """(training rows, held-out rows): of every label the same part, at least one row, never all of them.

    Raises TrainingDataError for a label with a single row.
    """
    by_label: dict[str, list[Example]] = defaultdict(list)
    for row in rows:
        by_label[row.label].append(row)
    training, kept = [], []
    for label, members in sorted(by_label.items()):
        if len(members) < 2:
            raise TrainingDataError(f"label {label!r} has a single row; at least 2 are needed, 10 are better")
        members = sorted(members, key=lambda row: _draw(row.text, seed))
        count = max(1, round(len(members) * held_out))
        kept += members[:count]
        training += members[count:]
    return training, kept


def describe(path: Path, rows: int) -> DataFile:
    """The file's name and hash. The path is as short as its folder's name allows, never this machine's."""
    return DataFile(f"{path.parent.name}/{path.name}", hashlib.sha256(path.read_bytes()).hexdigest(), rows)


def make_noisy(text: str, rng: random.Random) -> str:
    """The same text as people type it in a hurry: one or two typing errors, no capitals, no punctuation."""
    if rng.random() < 0.4:
        text = text.lower()
    if rng.random() < 0.4:
        text = text.rstrip("?!.。？！ ")
    if rng.random() < 0.7:
        for _ in range(rng.choice((1, 1, 2))):
            text = _mistype(text, rng)
    return text


def _mistype(text: str, rng: random.Random) -> str:
    if len(text) < 5:
        return text
    at = rng.randrange(len(text) - 1)
    character, following = text[at], text[at + 1]
    if not (character.isascii() and character.isalpha()):
        return text
    kind = rng.randrange(4)
    if kind == 0:  # left out
        return text[:at] + text[at + 1 :]
    if kind == 1:  # typed twice
        return text[:at] + character + text[at:]
    if kind == 2 and following.isalpha():  # in the wrong order
        return text[:at] + following + character + text[at + 2 :]
    return text[:at] + _key_beside(character, rng) + text[at + 1 :]


def _key_beside(letter: str, rng: random.Random) -> str:
    row = next(row for row in _KEYBOARD if letter.lower() in row)
    at = row.index(letter.lower())
    return rng.choice(row[max(0, at - 1) : at] + row[at + 1 : at + 2])


def _draw(text: str, seed: int) -> bytes:
    """A row's place in a shuffle that does not depend on the other rows."""
    return hashlib.sha256(f"{seed}:{text}".encode()).digest()
