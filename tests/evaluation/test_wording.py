"""`duet eval wording`: what is counted, on the real small model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.settings import Settings
from apps.support.replies.writer import ReplyWriter
from core_model import DuetChatModel, Engine, load_engine
from evaluation import wording
from evaluation.cases import CaseFile
from evaluation.errors import DataError

DATA = Settings().adapters_dir / "support-reply" / "test.jsonl"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = load_engine("smollm2-135m-instruct", weights="int8")
    yield engine
    engine.close()


def test_what_a_draw_left_out_is_counted_and_said_by_the_written_sentence(
    engine: Engine, tmp_path: Path
) -> None:
    pairs = wording.load(DATA, limit=3)
    writer = ReplyWriter(DuetChatModel(engine=engine), most_tokens=2)
    with CaseFile(tmp_path / "cases.jsonl", {}) as cases:
        wording.run(pairs, writer, cases, together=3)
        figures = wording.metrics(cases.cases.values())
    assert figures["replies"] == 3
    assert figures["last_resort"] == figures["required"] == 1  # two tokens hold no order number
    assert figures["required_at_first"] == figures["unsupported"] == 0
    assert 0 < figures["rouge_l"] <= 1


def test_an_interrupted_run_writes_only_what_is_missing(engine: Engine, tmp_path: Path) -> None:
    pairs, seen = wording.load(DATA, limit=2), []
    writer = ReplyWriter(DuetChatModel(engine=engine), most_tokens=2)
    for _ in range(2):
        with CaseFile(tmp_path / "cases.jsonl", {}) as cases:
            wording.run(pairs, writer, cases, together=1, on_case=seen.append)
    assert len(seen) == 2


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label\n", encoding="utf-8")
    with pytest.raises(DataError, match="make-replies"):
        wording.load(tmp_path / "rows.csv")
