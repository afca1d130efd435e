"""Messages that are no shop's business, for whoever trains a classifier from a shop's own words."""

from __future__ import annotations

import csv
from pathlib import Path

from core_model.training.data import read_rows
from evaluation.reader_data.catalog import ReaderDataError
from evaluation.reader_data.wordings import read_wordings

KINDS = ("none", "unclear", "anger", "danger")
"""Of the reader's wordings. Its shop topics are left out: any of them may be one of the shop's labels."""


def out_of_scope_texts(folder: Path) -> list[str]:
    """The texts in the reader's folder that no shop has a label for. Raises ReaderDataError."""
    rows = folder / "intents" / "out-of-scope.csv"
    if not rows.is_file():
        raise ReaderDataError(f"{rows} is not there: nothing says what is none of a shop's business")
    texts = [row.text for row in read_rows(rows, "text", "label")]
    wordings = read_wordings(sorted((folder / "wordings").glob("*.txt")))
    texts += [wording.text for kind in KINDS for wording in wordings.get(kind, []) if "{" not in wording.text]
    return list(dict.fromkeys(texts))


def write_out_of_scope(folder: Path, path: Path, label: str) -> int:
    """The same as a CSV file of text and label; returns the number of rows. Raises ReaderDataError."""
    texts = out_of_scope_texts(folder)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([text, label] for text in texts)
    return len(texts)
