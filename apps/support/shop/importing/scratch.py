"""What an import keeps on disk until all of the file was checked."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator

from apps.support.errors import ImportFileError
from apps.support.shop.importing.records import Batch
from core_model.csv_file import Row

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Scratch:
    """A temporary SQLite file, which the system removes however the process ends."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("pragma synchronous = off")
        self._file.execute("create table kept (key text, line integer, cells text)")
        self._file.execute("create table batches (position integer primary key, content text)")
        self._file.execute("begin")

    def close(self) -> None:
        self._file.close()

    def keep(self, key: str, line: int, row: Row) -> None:
        self._file.execute("insert into kept values (?, ?, ?)", (key, line, json.dumps(row)))

    def kept(self) -> Iterator[tuple[str, int, Row]]:
        """Rows of one key together, keys and rows in the order in which they came."""
        first = "min(line) over (partition by key)"
        query = f"select key, line, cells from (select *, {first} as first from kept) order by first, line"
        # The cursor is left to the connection: after an error it may be closed before this generator is.
        for key, line, cells in self._file.execute(query):
            yield key, line, json.loads(cells)

    def add(self, batch: Batch) -> None:
        """Raises ImportFileError where a text holds what PostgreSQL does not keep."""
        content = batch.model_dump_json(exclude_none=True, exclude_defaults=True)
        if "\\u0000" in content and _NUL.search(content):  # the first is quick, the second exact
            raise ImportFileError("a text holds a NUL character: take it out")
        self._file.execute("insert into batches (content) values (?)", (content,))

    def batches(self) -> Iterator[str]:
        for (content,) in self._file.execute("select content from batches order by position"):
            yield content
