"""`duet db import`: a shop's own data. All of a file is checked before anything of it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from apps.support.errors import ConflictError, DatabaseNotReadyError, ImportFileError
from apps.support.shop.database import Database, cause_of
from apps.support.shop.importing.comparing import Comparison
from apps.support.shop.importing.csv_tables import CsvTable
from apps.support.shop.importing.figures import DecimalMark
from apps.support.shop.importing.moments import DateOrder
from apps.support.shop.importing.options import ImportOptions, ImportReport, Progress, Tally
from apps.support.shop.importing.records import Record
from apps.support.shop.importing.retail_json import RetailShop
from apps.support.shop.importing.scratch import Scratch
from apps.support.shop.importing.staging import finish, finish_interrupted, stage, write
from apps.support.shop.locks import Work, at_once


def import_file(
    database: Database,
    path: Path,
    options: ImportOptions | None = None,
    progress: Progress = lambda *_: None,
) -> ImportReport:
    """Import a CSV or JSON export. On ImportFileError nothing was written.

    Raises ConflictError where another import is under way, DatabaseNotReadyError where the database fails.
    """
    options = options or ImportOptions()
    try:
        return _import(database, path, options, progress)
    except SQLAlchemyError as error:
        raise DatabaseNotReadyError(
            f"nothing was imported: {database.safe_url}: {cause_of(error)}"
        ) from error


def _import(database: Database, path: Path, options: ImportOptions, progress: Progress) -> ImportReport:
    with at_once(database, Work.IMPORT) as held:
        if held is None:
            raise ConflictError("another import into this database is under way; try again when it is done")
        finish(database)
        with closing(Scratch()) as scratch:
            comparison = Comparison(database, update=options.update)
            records, ignored = _read(path, options, scratch, progress)
            comparison.report.ignored_columns = ignored
            for batch in comparison.batches(records):
                scratch.add(batch)
            if not options.dry_run:
                run = stage(database, path, scratch, comparison.report)
                comparison.report.refused = write(database, run, progress)
    return comparison.report


def _read(
    path: Path, options: ImportOptions, scratch: Scratch, progress: Progress
) -> tuple[Iterator[Record], list[str]]:
    """The file's records, and the columns that mean nothing to us."""
    kind = path.suffix.lower()
    if kind in (".csv", ".tsv", ".txt"):
        progress("reading", 0, 0)
        table = CsvTable(path, options)
        return table.records(scratch, _every(100, table.rows, progress)), table.ignored_columns
    if kind != ".json":
        raise ImportFileError(f"{path} is neither .json nor a table: .csv, .tsv or .txt")
    try:
        shop = RetailShop(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ImportFileError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ImportFileError(f"{path} is not UTF-8 (byte {error.start})") from error
    return shop.records(_every(100, shop.rows, progress)), []


def _every(step: int, total: int, progress: Progress) -> Callable[[int], None]:
    def on_row(done: int) -> None:
        if done % step == 0 or done == total:
            progress("checking", done, total)

    return on_row


__all__ = [
    "DateOrder",
    "DecimalMark",
    "ImportOptions",
    "ImportReport",
    "Tally",
    "finish_interrupted",
    "import_file",
]
