"""`duet serve` as a person starts it: a process, from the first second to Ctrl-C."""

from __future__ import annotations

import json
import logging.config
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import structlog
from uvicorn.config import LOGGING_CONFIG

from core_model import catalog
from tests.conftest import EDGE
from ui.logs import LogFormat, configure_logs

DUET = [sys.executable, "-c", "from ui.cli import app; app()"]


@contextmanager
def started(*arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    # Without a reader's adapter no second base is loaded beside the edge model.
    environment = {**os.environ, "DUET_ADAPTERS_DIR": "no-adapters", **settings}
    process = subprocess.Popen(
        [*DUET, "serve", *arguments],
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.mark.slow
def test_it_serves_until_it_is_interrupted_even_in_the_middle_of_a_stream(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    catalog.resolve(EDGE, catalog.home())
    # A home of its own, but the model from where it lies, so that nothing is fetched.
    settings = {
        "DUET_DATABASE_URL": f"sqlite:///{tmp_path}/shop.db",
        "DUET_ADAPTERS_DIR": str(tmp_path),
        "DUET_HOST": "127.0.0.1",
        "DUET_API_KEYS": "",
    }
    with started("--port", str(port), "--model", EDGE, **settings) as process:
        deadline = time.monotonic() + 120
        while True:
            assert time.monotonic() < deadline
            assert process.poll() is None, process.stderr
            try:
                if httpx.get(f"{url}/ready").status_code == 200:
                    break
            except (httpx.ConnectError, httpx.TimeoutException):
                time.sleep(0.1)
        body = {"model": EDGE, "prompt": "Once upon a time", "max_tokens": 4000, "stream": True}
        with httpx.stream("POST", f"{url}/v1/completions", json=body, timeout=60) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("data: ")
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 0


def test_it_does_not_listen_to_other_machines_without_a_key(tmp_path: Path) -> None:
    settings = {"DUET_API_KEYS": "", "DUET_DATABASE_URL": f"sqlite:///{tmp_path}/shop.db"}
    with started("--host", "0.0.0.0", **settings) as process:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "DUET_API_KEYS" in said
        assert len(said.splitlines()) == 1


def test_an_unknown_model_is_told_before_anything_is_listened_to() -> None:
    with started("--model", "no-such-model") as process:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "no-such-model" in said


def test_a_port_that_is_taken_is_told_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with started("--port", str(taken.getsockname()[1])) as process:
            _, said = process.communicate(timeout=60)
            assert process.returncode != 0
            assert "in use" in said


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_log_tells_where_something_broke_but_not_what_was_said(
    capsys: pytest.CaptureFixture[str], form: LogFormat
) -> None:
    before = structlog.get_config()
    configure_logs(form, "info")
    try:
        message = "my card is " + "4242 " * 4
        assert message
        try:
            raise ValueError("broken")
        except ValueError:
            structlog.get_logger().exception("turn failed")
    finally:
        structlog.configure(**before)
    shown = "".join(capsys.readouterr())
    assert "broken" in shown
    assert "test_serve_command.py" in shown
    assert "4242 4242" not in shown
    assert "\x1b" not in shown  # no colours where there is no terminal
    if form == "json":
        line = json.loads(shown)
        assert (line["event"], line["level"]) == ("turn failed", "error")


def test_the_servers_own_lines_are_json_too(capfd: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    config = configure_logs("json", "warning")
    try:
        logging.config.dictConfig(config)
        logging.getLogger("uvicorn.access").info('%s - "%s"', "127.0.0.1", "GET /")
        structlog.get_logger().info("not told")
        structlog.get_logger().warning("told", seconds=2)
    finally:
        structlog.configure(**before)
        logging.config.dictConfig(LOGGING_CONFIG)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ('127.0.0.1 - "GET /"', "info"),
        ("told", "warning"),
    ]
    assert all(line["timestamp"].endswith("Z") for line in lines)
