"""CSV files as they come."""

from __future__ import annotations

from pathlib import Path

import pytest

from core_model.csv_file import MOST_CELL_CHARACTERS, CsvEncodingError, CsvFileError, open_csv

MARK = b"\xef\xbb\xbf"


def rows(path: Path, encoding: str | None = None) -> list[dict[str, str]]:
    return [row for _, row in open_csv(path, encoding).rows()]


@pytest.mark.parametrize("encoding", [None, "utf-8", "UTF-8", "utf8", "utf_8", "utf-8-sig"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path, encoding: str | None) -> None:
    path = tmp_path / "marked.csv"
    path.write_bytes(MARK + "text,label\nhällo,greet\n".encode())
    assert rows(path, encoding) == [{"text": "hällo", "label": "greet"}]


@pytest.mark.parametrize("before", ["\n", "\n  \n\r\n", "\nsep=;\n"])
def test_blank_lines_before_the_header_are_passed_over(tmp_path: Path, before: str) -> None:
    path = tmp_path / "blank.csv"
    path.write_text(f"{before}text;label\na, b;c\n", newline="")
    assert rows(path) == [{"text": "a, b", "label": "c"}]
    assert open_csv(path).header_line == before.count("\n") + 1


def test_nothing_but_blank_lines_is_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "blank.csv").write_text("\n\n\n")
    with pytest.raises(CsvFileError, match="the file is empty"):
        open_csv(tmp_path / "blank.csv")


def test_a_header_may_be_as_long_as_any_cell(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    name = "x" * 200_000  # more than the csv module takes by itself
    path.write_text(f"{name},b\n1,2\n")
    assert open_csv(path).columns == (name, "b")
    path.write_text("x" * (MOST_CELL_CHARACTERS + 1) + ",b\n1,2\n")
    with pytest.raises(CsvFileError, match="field larger"):
        open_csv(path)


def test_another_encoding_is_told_without_naming_anybodys_option(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("text,label\nhällo,greet\n".encode("cp1252"))
    with pytest.raises(CsvEncodingError, match="line 2: byte 0xe4 is not UTF-8") as caught:
        rows(path)
    assert "--" not in str(caught.value)
    assert rows(path, "cp1252")[0]["text"] == "hällo"
