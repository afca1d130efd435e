"""Commands in terminals and environments that are not UTF-8, and behind odd proxies."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from apps.settings import Settings
from apps.support.errors import DeliveryError
from apps.support.helpdesks.configured import configured_desks
from apps.support.shop.models import DeskName
from core_model.training.recipe import read_recipe
from ui.commands.csv_recipe import ShopWords, write_recipe

SHOWS = "from ui.cli import app; app.command('show')(lambda: print('Größe 你好 🏁')); app(['show'])"
LOGS = (
    "import structlog; from ui.cli import app\n"
    "app.command('log')(lambda: structlog.get_logger().info('x')); app(['log'])"
)


def run(program: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, check=False
    )


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "utf-8"])
def test_what_is_written_to_a_file_is_utf_8_whatever_the_terminal_is(encoding: str) -> None:
    done = run(SHOWS, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().strip() == "Größe 你好 🏁"


def test_a_full_disk_is_one_line() -> None:
    done = run(
        "import os; from ui.cli import app\n"
        "app.command('fill')(lambda: open('/dev/full', 'w').write('x' * 100_000)); app(['fill'])"
    )
    assert done.returncode == 1
    assert done.stderr.decode().strip() in (
        "duet: a file: No space left on device",
        "duet: /dev/full: No space left on device",
    )


def test_a_terminal_loses_only_what_it_cannot_show() -> None:
    terminal, other_end = os.openpty()
    program = subprocess.Popen(
        [sys.executable, "-c", SHOWS], env={**os.environ, "PYTHONIOENCODING": "latin-1"}, stdout=other_end
    )
    assert program.wait(60) == 0
    os.close(other_end)
    assert os.read(terminal, 1000).decode("latin-1").strip() == "Größe ?? ?"


def test_logs_go_to_stderr() -> None:
    done = run(LOGS)
    assert done.stdout == b""
    assert b"info" in done.stderr


@pytest.mark.parametrize("name", ["意图😀.csv", "𠮷野.csv", 'a"b\\c.csv', "del\x7f.csv"])
def test_a_recipe_is_toml_whatever_the_path_of_its_data(tmp_path: Path, name: str) -> None:
    data = tmp_path / name
    data.write_text("text,label\nhello,greeting\nbye,out_of_scope\n", encoding="utf-8")
    recipe = write_recipe(ShopWords(data, "text", "label", "mine", "tiny"), tmp_path / "adapters")
    assert tomllib.loads(recipe.read_text(encoding="utf-8"))["data"][0]["path"] == str(data.resolve())
    assert read_recipe(recipe).data[0].path == str(data.resolve())


@pytest.mark.parametrize("variables", [{"ALL_PROXY": "gopher://127.0.0.1:9"}, {"NO_PROXY": "[::1]"}])
def test_a_proxy_that_cannot_be_used_fails_the_request_and_not_the_start(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = Settings(
        zendesk_url="http://127.0.0.1:9",
        zendesk_email="a@example.com",
        zendesk_token="t",
        zendesk_webhook_secret="s",
    )
    desk = configured_desks(settings)[DeskName.ZENDESK]
    with pytest.raises(DeliveryError, match=next(iter(variables))):
        desk.hand_over("1")
    desk.close()
