from __future__ import annotations

import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from apps.settings import Settings, SettingsError, load_settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DUET_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_page_lists_every_setting_and_no_other() -> None:
    listed = re.findall(r"^\| `(DUET_\w+)`", PAGE.read_text(), flags=re.MULTILINE)
    assert sorted(listed) == sorted(f"DUET_{name.upper()}" for name in Settings.model_fields)


def test_the_database_lies_under_home_unless_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUET_HOME", "/srv/duet")
    assert load_settings().database_url == "sqlite:////srv/duet/duet.db"
    monkeypatch.setenv("DUET_DATABASE_URL", "postgresql+psycopg://db/shop")
    assert load_settings().database_url == "postgresql+psycopg://db/shop"


def test_a_home_in_the_users_folder_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUET_HOME", "~/duet")
    assert load_settings().home == Path.home() / "duet"
    assert load_settings().database_url == f"sqlite:///{Path.home()}/duet/duet.db"


def test_settings_come_from_a_dotenv_file_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DUET_PORT=9001\nOTHER=1\n")
    assert load_settings().port == 9001


def test_paths_and_keys_are_plain_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUET_MODEL_PATHS", "/mnt/models:/opt/one.gguf")
    monkeypatch.setenv("DUET_API_KEYS", "first, second")
    settings = load_settings()
    assert settings.model_paths == (Path("/mnt/models"), Path("/opt/one.gguf"))
    assert settings.api_keys == ("first", "second")
    assert "first" not in repr(settings)


def test_a_value_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUET_WEIGHTS", "int3")
    monkeypatch.setenv("DUET_PORT", "many")
    with pytest.raises(SettingsError, match=r"DUET_WEIGHTS.*DUET_PORT"):
        load_settings()


def test_only_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DUET_DATABASE_URL", raising=False)
    monkeypatch.setenv("DUET_THREADS", "0")
    with pytest.raises(SettingsError) as told:
        load_settings()
    assert str(told.value) == "DUET_THREADS: Input should be greater than or equal to 1"


def test_a_name_that_is_no_setting_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DUET_PROT=9001\nOTHER=1\n")
    monkeypatch.setenv("DUET_SOMETHING_ELSE", "1")
    with capture_logs() as told:
        load_settings()
    meant = {line["name"]: line["meant"] for line in told}
    assert meant["DUET_PROT"] == "DUET_PORT"
    assert "settings.md" in meant["DUET_SOMETHING_ELSE"]
    assert meant.keys().isdisjoint({"OTHER", "DUET_PORT"})
