"""The recipe of an adapter that is made from a shop's own words: a CSV file of texts and labels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from apps.settings import PACKAGED_ADAPTERS

OUT_OF_SCOPE = "out_of_scope"
OTHERS_FILE = "out-of-scope.csv"
LEAST_OTHERS = 300
"""Rows that are none of the shop's business, where the shop's own are fewer; otherwise as many as those."""
HELD_OUT = 0.12
"""A shop has few rows, and the out-of-scope threshold is chosen on those held out."""


@dataclass(frozen=True)
class ShopWords:
    """What `duet adapters train --csv` is given."""

    csv: Path
    text: str
    label: str
    name: str
    model: str


def write_recipe(words: ShopWords, adapters: Path) -> Path:
    """Write the recipe to its folder in `adapters`; an equal one that is there already stays.

    Where the file has no rows labelled out_of_scope, some are laid beside the recipe and trained on.
    Raises RecipeError, TrainingDataError, ReaderDataError.
    """
    from core_model.training.data import read_rows
    from core_model.training.errors import RecipeError

    rows = read_rows(words.csv, words.text, words.label)
    has_others = any(row.label == OUT_OF_SCOPE for row in rows)
    content = _recipe(words, 0 if has_others else max(LEAST_OTHERS, len(rows)))
    try:
        content.encode()
    except UnicodeEncodeError:
        raise RecipeError(
            f"{str(words.csv)!r}: the path is not UTF-8; rename the file or its folder"
        ) from None
    recipe = adapters / words.name / "recipe.toml"
    if recipe.is_file() and (differing := _difference(recipe.read_text(encoding="utf-8"), content)):
        before, now = differing
        raise RecipeError(
            f"{recipe} is there already, with {before!r} where {now!r} is asked for: remove it, or choose "
            "another --name"
        )
    recipe.parent.mkdir(parents=True, exist_ok=True)
    if not has_others:
        from evaluation.reader_data.out_of_scope import write_out_of_scope

        write_out_of_scope(PACKAGED_ADAPTERS / "support-reader", recipe.parent / OTHERS_FILE, OUT_OF_SCOPE)
    recipe.write_text(content, encoding="utf-8")
    return recipe


def _difference(before: str, now: str) -> tuple[str, str] | None:
    """The first lines that differ."""
    lines = zip_longest(before.splitlines(), now.splitlines(), fillvalue="")
    return next(((old, new) for old, new in lines if old != new), None)


def _recipe(words: ShopWords, others: int) -> str:
    lines = [
        f"name = {_toml(words.name)}",
        'kind = "classification"',
        f"model = {_toml(words.model)}",
        "",
        "[[data]]",
        f"path = {_toml(str(words.csv.resolve()))}",
        f"text = {_toml(words.text)}",
        f"label = {_toml(words.label)}",
        "",
    ]
    if others:
        lines += [
            "# What is none of the shop's business.",
            "[[data]]",
            f"path = {_toml(OTHERS_FILE)}",
            f"per_label = {others}",
            "",
        ]
    return "\n".join([*lines, "[training]", f"held_out = {HELD_OUT}", ""])


def _toml(text: str) -> str:
    """A TOML string: JSON's, but for the escapes of what is beyond 16 bits, and DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
