"""What the assistant's two adapters learn from: readings for the reader, drafts for the replies."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.support.reading.reader import Reader
from apps.support.replies.writer import ReplyWriter
from apps.support.shop.database import Database
from core_model.chat_model import DuetChatModel
from core_model.engine import Engine
from evaluation import wording
from evaluation.cases import CaseFile
from evaluation.errors import DataError
from evaluation.learning import gate
from evaluation.learning import readings as reader_rows
from evaluation.learning import replies as reply_rows
from evaluation.learning.drafts import sent_drafts
from evaluation.learning.judged import judged_readings
from evaluation.learning.versions import Versions
from evaluation.reader_data.build import build_reader_data
from evaluation.reply_pairs.pairs import Pair, write_training
from evaluation.support import reading
from evaluation.support.reading import ReadingCase, ReadingExample
from ui.learning import KEPT_APART, Collected, Judged

TOGETHER = 4
"""Replies written at a time."""
FIXED = "fixed"


@dataclass(frozen=True)
class ReaderMeasured:
    fixed: list[ReadingCase]
    newest: list[ReadingCase]


@dataclass(frozen=True)
class ReaderLesson:
    """Messages and what they are to be read as. `limit` of the fixed test's rows, evenly spaced."""

    versions: Versions
    note: Callable[[str], None]
    limit: int | None = None

    def collect(
        self, database: Database, after: int, engine: Engine, adapter: str
    ) -> Collected[ReadingExample]:
        with database.read() as session:
            judged = judged_readings(session, after)
        rows = reader_rows.examples_of(judged, Reader(engine, adapter))
        last = max((judgement.id for judgement in judged), default=after)
        return Collected(rows, dict(Counter(row.kind for row in rows)), last)

    def split(self, rows: Sequence[ReadingExample]) -> tuple[list[ReadingExample], list[ReadingExample]]:
        return reader_rows.kept_apart(rows, KEPT_APART)

    def write(self, path: Path, rows: Sequence[ReadingExample]) -> int:
        first = list(reading.read_examples(self._file("training.jsonl")).values())
        count = min(len(first), len(rows) * reader_rows.REPLAYED)
        return reader_rows.write_rows(path, rows, random.Random(1).sample(first, count))

    def measure(
        self, engine: Engine, adapter: str, newest: Sequence[ReadingExample], folder: Path, mark: str
    ) -> ReaderMeasured:
        reader = Reader(engine, adapter)
        fixed = reading.read_examples(self._file("test.jsonl"), self.limit)
        kept = dict(enumerate(newest))
        fixed_file = self.versions.root / FIXED / f"{mark}-{self.limit or 'all'}.cases.jsonl"
        self.note(f"reading {len(fixed)} fixed and {len(kept)} new messages with {mark}")
        return ReaderMeasured(
            _read(reader, fixed, fixed_file, mark), _read(reader, kept, folder / f"{mark}.cases.jsonl", mark)
        )

    def judge(self, served: ReaderMeasured, learnt: ReaderMeasured) -> Judged:
        comparisons = reader_rows.compared((served.fixed, learnt.fixed), (served.newest, learnt.newest))
        contradicted = reader_rows.contradicted(served.newest, learnt.newest)
        figures = [dict(row) for row in reader_rows.figures_of(comparisons, contradicted)]
        return Judged(figures, gate.objections(comparisons, contradicted))

    def _file(self, name: str) -> Path:
        """Of the delivered adapter; made from its wordings where it is not there."""
        delivered = self.versions.delivered
        if (delivered / name).is_file():
            return delivered / name
        made = self.versions.root / FIXED
        if not (made / name).is_file():
            self.note(f"making {name} from the wordings in {delivered.name}")
            build_reader_data(delivered, made, None, 1, 1, self.note)
        return made / name


@dataclass(frozen=True)
class ReplyMeasured:
    fixed: list[dict[str, Any]]
    newest: list[dict[str, Any]]


@dataclass(frozen=True)
class ReplyLesson:
    """Facts and the words in which the desk sent them."""

    versions: Versions
    window: int
    note: Callable[[str], None]
    limit: int | None = None

    def collect(self, database: Database, after: int, engine: Engine, adapter: str) -> Collected[Pair]:
        with database.read() as session:
            drafts = sent_drafts(session, after)
        rows = reply_rows.pairs_of(drafts)
        accepted = sum(draft.accepted for draft in drafts)
        counts = {"accepted": accepted, "edited": len(drafts) - accepted, "not true": len(drafts) - len(rows)}
        return Collected(rows, counts, max((draft.id for draft in drafts), default=after))

    def split(self, rows: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
        count = round(len(rows) * KEPT_APART)
        return list(rows[: len(rows) - count]), list(rows[len(rows) - count :])

    def write(self, path: Path, rows: Sequence[Pair]) -> int:
        write_training(path, rows)
        first = self.versions.delivered / "written.jsonl"
        if not first.is_file():
            raise DataError(f"{first} is not there: `duet adapters make-replies` makes it")
        own = path.read_text(encoding="utf-8").splitlines()
        lines = first.read_text(encoding="utf-8").splitlines()
        count = min(len(lines), len(rows) * reply_rows.REPLAYED)
        lines = own + random.Random(1).sample(lines, count)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return len(lines)

    def measure(
        self, engine: Engine, adapter: str, newest: Sequence[Pair], folder: Path, mark: str
    ) -> ReplyMeasured:
        writer = ReplyWriter(DuetChatModel(engine=engine), window=self.window, adapter=adapter)
        fixed = wording.load(self.versions.delivered / "test.jsonl", self.limit)
        fixed_file = self.versions.root / FIXED / f"{mark}-{self.limit or 'all'}.cases.jsonl"
        self.note(f"writing {len(fixed)} fixed and {len(newest)} new replies with {mark}")
        return ReplyMeasured(
            _write(writer, fixed, fixed_file, mark),
            _write(writer, newest, folder / f"{mark}.cases.jsonl", mark),
        )

    def judge(self, served: ReplyMeasured, learnt: ReplyMeasured) -> Judged:
        comparisons = reply_rows.compared((served.fixed, learnt.fixed), (served.newest, learnt.newest))
        figures = [{**vars(figure), "role": figure.role.value} for figure in comparisons]
        return Judged(figures, gate.objections(comparisons))


def _read(reader: Reader, examples: dict[int, ReadingExample], path: Path, mark: str) -> list[ReadingCase]:
    run = {"adapter": mark, "rows": _digest([vars(example) for example in examples.values()])}
    with CaseFile(path, run) as cases:
        reading.run(reader, examples, cases)
        return reading.cases_of(cases, examples)


def _write(writer: ReplyWriter, pairs: Sequence[Pair], path: Path, mark: str) -> list[dict[str, Any]]:
    run = {"adapter": mark, "rows": _digest([pair.situation.message + pair.reply for pair in pairs])}
    with CaseFile(path, run) as cases:
        wording.run(pairs, writer, cases, TOGETHER)
        return [cases.cases[str(number)] for number in range(len(pairs))]


def _digest(rows: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
