"""A report is never written over what is measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ui.cli import app


@pytest.mark.parametrize(
    "command",
    [
        ["intents", "--data", "{file}"],
        ["reading", "--data", "{file}"],
        ["tasks", "--data", "{file}", "--shop", "{other}"],
        ["tasks", "--data", "{other}", "--shop", "{file}"],
        ["replies", "--data", "{file}"],
    ],
)
def test_a_report_over_its_data_is_refused(command: list[str], tmp_path: Path) -> None:
    file, other = tmp_path / "file.json", tmp_path / "other.json"
    file.write_text("precious", encoding="utf-8")
    other.write_text("[]", encoding="utf-8")
    arguments = [part.format(file=file, other=other) for part in command]
    result = CliRunner().invoke(app, ["eval", *arguments, "--output", str(file)])
    assert result.exit_code == 2
    assert "another file" in result.output.replace("\n", " ")
    assert file.read_text(encoding="utf-8") == "precious"
