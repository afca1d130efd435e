"""A CSV file as it comes from spreadsheets and shops: encoding, separator and header found out, rows one by one."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from core_model.errors import CoreError

SEPARATORS = {",": "','", ";": "';'", "\t": "tabs", "|": "'|'"}
MOST_CELL_CHARACTERS = 1_000_000
MOST_BLANK_LINES = 100
_BYTE_ORDER_MARKS = {  # the longer ones first
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_NO_TEXT = {
    b"PK\x03\x04": "an Excel workbook or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF document",
}
_UNSEEN = "\ufeff\u200b\u200e\u200f\u2060"
"""What web pages leave at the ends of copied words; no table means it."""

Row = dict[str, str]
"""The cells that are not empty, by column."""


class CsvFileError(CoreError):
    """The file is no CSV table; names the line where one is wrong."""

    def __init__(self, problem: str, row: str | None = None) -> None:
        super().__init__(f"{row}: {problem}" if row else problem)
        self.problem = problem
        self.row = row


class CsvEncodingError(CsvFileError):
    """The file has another encoding than the one it was read with."""


@dataclass(frozen=True)
class CsvFile:
    """`columns` as they stand in the header, but for spaces around them."""

    path: Path
    encoding: str
    separator: str
    columns: tuple[str, ...]
    header_line: int

    @property
    def described_separator(self) -> str:
        return SEPARATORS[self.separator]

    def rows(self, names: Sequence[str] | None = None) -> Iterator[tuple[int, Row]]:
        """Each row that is not empty, with the line on which it begins; `names` stand for the columns.

        Raises CsvFileError.
        """
        with _open(self.path, self.encoding) as file:
            for number, cells in _records(file, self.path, self.encoding, self.separator):
                if number <= self.header_line or not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(self.columns):
                    problem = f"has {len(cells)} cells, the header {len(self.columns)}"
                    raise CsvFileError(
                        f"{problem}, separated by {self.described_separator}", row=f"line {number}"
                    )
                named = zip(names or self.columns, cells, strict=True)
                seen = ((name, cell.strip(_UNSEEN)) for name, cell in named if name)
                yield number, {name: cell for name, cell in seen if cell.strip()}


def open_csv(path: Path, encoding: str | None = None) -> CsvFile:
    """Find out how the file is written. Raises CsvFileError."""
    found = _encoding_of(path)
    # Who says UTF-8 has not said that there is no byte order mark.
    encoding = found if encoding is None or _is_utf_8(encoding, found) else encoding
    csv.field_size_limit(MOST_CELL_CHARACTERS)
    with _open(path, encoding) as file:
        try:
            blank, first = _first_line(file)
        except (UnicodeError, LookupError) as error:
            raise _wrong_encoding(path, encoding) from error
    told = first.rstrip("\r\n").strip('"')
    if told.lower().startswith("sep=") and told[4:] in SEPARATORS:  # what Excel reads and writes
        separator, header_line = told[4:], blank + 2
    else:
        separator, header_line = max(SEPARATORS, key=lambda mark: len(_split(first, mark))), blank + 1
    with _open(path, encoding) as file:
        for number, cells in _records(file, path, encoding, separator):
            if number >= header_line and any(cell.strip() for cell in cells):
                header_line = number
                columns = tuple(name.strip(_UNSEEN).strip() for name in cells)
                break
        else:
            raise CsvFileError("the file is empty", row="line 1")
    return CsvFile(path, encoding, separator, columns, header_line)


def _first_line(file: TextIO) -> tuple[int, str]:
    """How many blank lines a file begins with, and the first that is not blank; "" where there is none."""
    for blank in range(MOST_BLANK_LINES):
        line = file.readline(MOST_CELL_CHARACTERS)
        if line.strip() or not line:
            return blank, line
    return MOST_BLANK_LINES, ""


def _split(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _is_utf_8(encoding: str, found: str) -> bool:
    return found == "utf-8-sig" and encoding.lower().replace("_", "-") in ("utf-8", "utf8")


def _encoding_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            beginning = file.read(4)
    except OSError as error:
        raise CsvFileError(f"cannot read {path}: {error.strerror}") from error
    for mark, what in _NO_TEXT.items():
        if beginning.startswith(mark):
            raise CsvFileError(f"{path} is {what}: save the table as 'CSV UTF-8'")
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if beginning.startswith(mark):
            return encoding
    return "utf-8"


def _open(path: Path, encoding: str) -> TextIO:
    try:
        return path.open(encoding=encoding, newline="")
    except OSError as error:
        raise CsvFileError(f"cannot read {path}: {error.strerror}") from error
    except LookupError as error:
        raise CsvFileError(f"there is no encoding {encoding!r}") from error


def _records(file: TextIO, path: Path, encoding: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(file, delimiter=separator, strict=True)
    while True:
        begins = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CsvFileError(f"not CSV: {error}", row=f"line {begins}") from error
        except UnicodeError as error:
            raise _wrong_encoding(path, encoding) from error
        if any("\0" in cell for cell in cells):
            advice = "take it out, or name the encoding, which may be utf-16-le"
            raise CsvFileError(f"a cell holds a NUL character: {advice}", row=f"line {begins}")
        yield begins, cells


def _wrong_encoding(path: Path, encoding: str) -> CsvEncodingError:
    """The error with the line and the byte at which it breaks, which the buffered reader does not know."""
    advice = "save it as 'CSV UTF-8', or name the encoding that it has"
    if encoding.startswith(("utf-16", "utf-32")):
        return CsvEncodingError(f"{path} is not {encoding.upper()}: {advice}")
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                problem = f"byte {line[error.start]:#04x} is not {encoding.removesuffix('-sig').upper()}"
                return CsvEncodingError(f"{problem}: {advice}", row=f"line {number}")
    return CsvEncodingError(f"{path} is not {encoding.upper()}: {advice}")
