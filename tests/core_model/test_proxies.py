"""Proxies in the environment, as people set them for other programs."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest

from core_model.places import HubFile, PlaceError
from core_model.proxies import write_no_proxy_for_httpx


@pytest.mark.parametrize(
    ("hosts", "readable"),
    [
        ("localhost,127.0.0.1,[::1]", "localhost,127.0.0.1,::1"),
        ("::1/128", "::1"),
        ("10.0.0.0/8, .example.com ,fd00::/8", "10.0.0.0/8,.example.com"),
        ("*", "*"),
    ],
)
def test_no_proxy_is_rewritten_so_that_clients_can_be_made(
    monkeypatch: pytest.MonkeyPatch, hosts: str, readable: str
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", hosts)
    write_no_proxy_for_httpx()
    assert os.environ["NO_PROXY"] == readable
    httpx.Client().close()


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "gopher://127.0.0.1:9", "http://[::1:9"])
def test_a_place_behind_a_proxy_that_cannot_be_used_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    place = HubFile("http://hub.example", "a/b", "main", "model.gguf")
    with pytest.raises(PlaceError):
        place.fetch(10, tmp_path / "partial", lambda *_: None)
