"""`duet eval intents`: labels of others, acceptable sets, and what is out of scope."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import pytest

from core_model.training.data import Example
from evaluation.cases import CaseFile
from evaluation.errors import DataError
from evaluation.intents import Recognition, evenly_spaced, load_acceptable, metrics, only_known, run


class ByFirstWord:
    """Takes the first word of a text for its intent."""

    labels: Collection[str] = ("track_order", "check_invoice", "cancel_order")
    out_of_scope = "out_of_scope"

    def recognise(self, text: str) -> Recognition:
        word = text.split()[0]
        return Recognition(word if word in self.labels else self.out_of_scope, word, 0.8)


def found(
    rows: list[Example], tmp_path: Path, acceptable: dict[str, frozenset[str]] | None = None
) -> dict[str, float]:
    with CaseFile(tmp_path / "cases.jsonl", {}) as cases:
        run(rows, ByFirstWord(), cases, acceptable)
        return metrics(cases.cases.values(), "out_of_scope")


def test_rows_with_unknown_labels_are_out_of_scope_and_other_names_are_known(tmp_path: Path) -> None:
    rows = [
        Example("track_order please", "track_order"),
        Example("check_invoice please", "check_invoices"),
        Example("weather?", "weather"),
        Example("cancel_order the weather", "weather"),
    ]
    known, unknown = only_known(rows, ByFirstWord())
    assert [row.label for row in known] == ["track_order", "check_invoice", "out_of_scope", "out_of_scope"]
    assert unknown == ["weather"]
    figures = found(known, tmp_path)
    assert figures["accuracy"] == 0.75
    assert figures["in_scope_accuracy"] == 1.0
    assert figures["oos_recall"] == 0.5


def test_with_acceptable_sets_any_intent_of_the_set_is_right(tmp_path: Path) -> None:
    acceptable = {
        "STATUS": frozenset({"track_order", "check_invoice"}),
        "CANCEL": frozenset({"cancel_order"}),
    }
    rows = [
        Example("track_order", "STATUS"),
        Example("check_invoice", "STATUS"),
        Example("cancel_order", "CANCEL"),
        Example("track_order", "CANCEL"),
    ]
    figures = found(rows, tmp_path, acceptable)
    assert figures["accuracy"] == 0.75
    assert figures["ece"] == pytest.approx(0.05)


def test_a_limit_takes_rows_of_the_whole_file() -> None:
    rows = [Example(str(number), "track_order") for number in range(10)]
    assert [row.text for row in evenly_spaced(rows, 3)] == ["0", "3", "6"]
    assert evenly_spaced(rows, None) == rows


def test_a_file_of_acceptable_intents_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "acceptable.json"
    path.write_text(json.dumps({"A": ["track_order"]}), encoding="utf-8")
    assert load_acceptable(path, ["track_order"]) == {"A": frozenset({"track_order"})}
    with pytest.raises(DataError, match="track_order"):
        load_acceptable(path, ["cancel_order"])
    path.write_text("[1]", encoding="utf-8")
    with pytest.raises(DataError, match="JSON object"):
        load_acceptable(path, ["track_order"])
