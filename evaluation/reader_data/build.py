"""The reader's training and test files, made from the texts in its adapter's folder and from intent data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from core_model.training.data import read_rows
from evaluation.reader_data.catalog import ReaderDataError, read_catalog
from evaluation.reader_data.making import Example, Maker
from evaluation.reader_data.wordings import Wording, read_wordings, unseen_wordings

PAIRS, REFUSED, INTRODUCED, LOCATED, DESCRIBED, CHOICES, ADDRESSES = 1400, 600, 500, 1500, 600, 2300, 900
BITEXT_PER_INTENT, CHINESE_PER_INTENT = 120, 30
"""All for each time that the wordings are seen."""
TEST_SEED = 77


@dataclass(frozen=True)
class Built:
    """How many examples of each file came from where."""

    training: dict[str, int]
    test: dict[str, int]


def build_reader_data(
    folder: Path, output: Path, data_dir: Path | None, seed: int, times: int, note: Callable[[str], None]
) -> Built:
    """Write training.jsonl and test.jsonl to `output`. Raises ReaderDataError.

    Bitext's rows and the Chinese ones are taken along where they are there. Said in notes: which are not, and what
    of the test is left out because training has it, or missing.
    """
    catalog = read_catalog(folder)
    wordings = read_wordings(sorted((folder / "wordings").glob("*.txt")))
    if not wordings:
        raise ReaderDataError(f"{folder / 'wordings'} has no wordings")
    maker = Maker(catalog, wordings, seed)
    rows = _labelled_rows(folder, data_dir, seed, times, note)
    parts: dict[str, list[Example]] = {
        "wordings": list(maker.readings(times)),
        "several wishes": list(maker.several_wishes(PAIRS * times)),
        "refused for another": list(maker.refused_for_another(REFUSED * times)),
        "introduced": list(maker.introduced(INTRODUCED * times)),
        "located": list(maker.located(LOCATED * times)),
        "described": list(maker.described(DESCRIBED * times)),
        "choices": list(maker.choices(CHOICES * times)),
        "addresses": list(maker.addresses(ADDRESSES * times)),
        "labelled": list(maker.labelled(rows)),
    }
    output.mkdir(parents=True, exist_ok=True)
    _write(output / "training.jsonl", (example for examples in parts.values() for example in examples))
    unseen = Maker(catalog, _test_wordings(folder, wordings, note), TEST_SEED)
    tests = {
        "wordings": list(unseen.readings(1)),
        "several wishes": list(unseen.several_wishes(300)),
        "refused for another": list(unseen.refused_for_another(100)),
        "located": list(unseen.located(120)),
        "described": list(unseen.described(60)),
        "choices": list(unseen.choices(400)),
        "addresses": list(unseen.addresses(100)),
    }
    _write(output / "test.jsonl", (example for examples in tests.values() for example in examples))
    return Built(
        {name: len(found) for name, found in parts.items()},
        {name: len(found) for name, found in tests.items()},
    )


def _test_wordings(
    folder: Path, training: dict[str, list[Wording]], note: Callable[[str], None]
) -> dict[str, list[Wording]]:
    found = read_wordings(sorted((folder / "test").glob("*.txt")))
    left = unseen_wordings(found, training)
    dropped = sum(map(len, found.values())) - sum(map(len, left.values()))
    if dropped:
        note(f"left out of the test: {dropped} messages that training has, too")
    missing = sorted(training.keys() - left.keys())
    if missing:
        note(f"kinds without a test message: {', '.join(missing)}")
    return left


def _labelled_rows(
    folder: Path, data_dir: Path | None, seed: int, times: int, note: Callable[[str], None]
) -> list[tuple[str, str]]:
    rng = Random(seed)
    rows: list[tuple[str, str]] = []
    intents = folder / "intents"
    for name, per_label in (("chinese.csv", CHINESE_PER_INTENT * times), ("out-of-scope.csv", 10_000)):
        if (intents / name).is_file():
            rows += _some(_labelled(intents / name, "text", "label"), per_label, rng)
    bitext = data_dir / "bitext" / "train.csv" if data_dir else None
    if bitext is not None and bitext.is_file():
        rows += _some(_labelled(bitext, "utterance", "intent"), BITEXT_PER_INTENT * times, rng)
    else:
        note("without Bitext's messages: no bitext/train.csv (--data-dir names the folder with it)")
    return rows


def _labelled(path: Path, text: str, label: str) -> list[tuple[str, str]]:
    return [(row.text, row.label) for row in read_rows(path, text, label)]


def _some(rows: list[tuple[str, str]], per_label: int, rng: Random) -> list[tuple[str, str]]:
    rng.shuffle(rows)
    taken: dict[str, int] = {}
    kept = []
    for text, label in rows:
        if taken.get(label, 0) < per_label:
            taken[label] = taken.get(label, 0) + 1
            kept.append((text, label))
    return kept


def _write(path: Path, examples: Iterable[Example]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        for example in examples:
            file.write(json.dumps(vars(example), ensure_ascii=False) + "\n")
    partial.replace(path)
