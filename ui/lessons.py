"""What the assistant's two adapters learn from: readings for the reader, drafts for the replies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.support.learning.drafts import sent_drafts
from apps.support.learning.readings import judged_readings
from apps.support.learning.versions import Versions
from apps.support.reading.reader import Reader
from apps.support.replies.writer import ReplyWriter
from apps.support.shop.database import Database
from core_model.chat_model import DuetChatModel
from core_model.engine import Engine
from core_model.training.recipe import Source
from evaluation import wording
from evaluation.cases import CaseFile
from evaluation.errors import DataError
from evaluation.learning import gate
from evaluation.learning import readings as reader_rows
from evaluation.learning import replies as reply_rows
from evaluation.reader_data.build import build_reader_data
from evaluation.reply_pairs.pairs import Pair
from evaluation.support import reading
from evaluation.support.reading import ReadingCase, ReadingExample
from ui.learning import Collected, Judged

TOGETHER = 4
"""Replies written at a time."""
FIXED = "fixed"
"""Of the adapter's folder of versions: where the files are that are made from the wordings."""


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
        counts = dict(Counter(row.kind for row in rows))
        return Collected(rows, counts, last, reader_rows.corrections(judged))

    def key(self, row: ReadingExample) -> Hashable:
        return row.prompt

    def write(self, folder: Path, rows: Sequence[ReadingExample]) -> tuple[Source, ...]:
        return reader_rows.write_rows(
            folder, rows, reading.read_examples(self._file("training.jsonl")).values()
        )

    def measure(
        self, engine: Engine, adapter: str, newest: Sequence[ReadingExample], cases: Path
    ) -> ReaderMeasured:
        reader = Reader(engine, adapter)
        fixed = reading.read_examples(self._file("test.jsonl"), self.limit)
        kept = dict(enumerate(newest))
        self.note(f"reading {len(fixed)} fixed and {len(kept)} new messages with {adapter}")
        return ReaderMeasured(
            _read(reader, fixed, cases / "fixed.cases.jsonl"),
            _read(reader, kept, cases / "newest.cases.jsonl"),
        )

    def judge(
        self, found: Collected[ReadingExample], served: ReaderMeasured, learnt: ReaderMeasured
    ) -> Judged:
        comparisons = reader_rows.compared((served.fixed, learnt.fixed), (served.newest, learnt.newest))
        contradicted = reader_rows.contradicted(served.newest, learnt.newest)
        corrected = reader_rows.corrected(found.corrections, served.fixed)
        figures = [dict(row) for row in reader_rows.figures_of(comparisons, contradicted, corrected)]
        return Judged(figures, gate.objections(comparisons, contradicted, corrected))

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
        return Collected(rows, counts, max((draft.id for draft in drafts), default=after), [])

    def key(self, row: Pair) -> Hashable:
        return reply_rows.prompt_of(row)

    def write(self, folder: Path, rows: Sequence[Pair]) -> tuple[Source, ...]:
        first = self.versions.delivered / "written.jsonl"
        if not first.is_file():
            raise DataError(f"{first} is not there: `duet adapters make-replies` makes it")
        return reply_rows.write_rows(folder, rows, first.read_text(encoding="utf-8").splitlines())

    def measure(self, engine: Engine, adapter: str, newest: Sequence[Pair], cases: Path) -> ReplyMeasured:
        writer = ReplyWriter(DuetChatModel(engine=engine), window=self.window, adapter=adapter)
        fixed = wording.load(self.versions.delivered / "test.jsonl", self.limit)
        self.note(f"writing {len(fixed)} fixed and {len(newest)} new replies with {adapter}")
        return ReplyMeasured(
            _write(writer, fixed, cases / "fixed.cases.jsonl"),
            _write(writer, newest, cases / "newest.cases.jsonl"),
        )

    def judge(self, found: Collected[Pair], served: ReplyMeasured, learnt: ReplyMeasured) -> Judged:
        comparisons = reply_rows.compared((served.fixed, learnt.fixed), (served.newest, learnt.newest))
        figures = [{**vars(figure), "role": figure.role.value} for figure in comparisons]
        return Judged(figures, gate.objections(comparisons))


def _read(reader: Reader, examples: dict[int, ReadingExample], path: Path) -> list[ReadingCase]:
    with CaseFile(path, {"adapter": reader.adapter}) as cases:
        reading.run(reader, examples, cases)
        return reading.cases_of(cases, examples)


def _write(writer: ReplyWriter, pairs: Sequence[Pair], path: Path) -> list[dict[str, Any]]:
    with CaseFile(path, {"adapter": writer.adapter}) as cases:
        wording.run(pairs, writer, cases, TOGETHER)
        return [cases.cases[str(number)] for number in range(len(pairs))]
