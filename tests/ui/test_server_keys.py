"""API keys with scopes, and how often one may be used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from apps import api_keys
from apps.auth import KeyNameError, Scope
from apps.settings import Settings
from apps.support.shop.database import Database
from core_model import Engine
from tests.conftest import EDGE
from tests.ui.conftest import borrowed, serving, wait_until_ready
from tests.ui.silent_adapters import write_silent_adapter
from tests.ui.test_server_errors import refused
from ui.cli import app
from ui.server import OPEN_PATHS

ANNA = "anna.keller@example.com"


@dataclass(frozen=True)
class Guarded:
    url: str
    database: Database

    def make(self, name: str, *scopes: Scope) -> str:
        with self.database.write() as session:
            return api_keys.create(session, name, scopes)

    def ask(self, key: str | None, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.request(method, self.url + path, json=body, headers=headers, timeout=60)


@pytest.fixture
def guarded(edge_engine: Engine, tmp_path: Path) -> Iterator[Guarded]:
    write_silent_adapter(tmp_path / "support-reader", edge_engine, EDGE)
    settings = Settings(home=tmp_path, adapters_dir=tmp_path, api_keys=(), rate_limit=40)
    with serving(settings, borrowed(edge_engine)) as url:
        wait_until_ready(url)
        database = Database(settings.database_url)
        yield Guarded(url, database)
        database.close()


def test_a_key_opens_what_its_scopes_name_and_nothing_else(guarded: Guarded) -> None:
    keys = {scope: guarded.make(scope.value, scope) for scope in Scope}
    conversation = guarded.ask(keys[Scope.SUPPORT], "POST", "/api/support/conversations", {}).json()["id"]
    asked = {
        ("GET", "/v1/models"): {Scope.MODELS},
        ("POST", "/v1/unload_lora_adapter"): set(),
        ("POST", "/api/support/conversations"): {Scope.SUPPORT, Scope.TRUSTED},
        ("GET", f"/api/support/conversations/{conversation}"): {Scope.SUPPORT, Scope.TRUSTED, Scope.DESK},
        ("GET", "/api/support/conversations"): {Scope.DESK},
        ("GET", "/api/support/tickets"): {Scope.DESK},
        ("GET", "/metrics"): set(Scope),
    }
    for (method, path), allowed in asked.items():
        for scope, key in keys.items():
            answer = guarded.ask(key, method, path, {} if method == "POST" else None)
            if scope in allowed | {Scope.ADMIN}:
                assert answer.status_code not in (401, 403), (method, path, scope)
            else:
                error = refused(answer, 403)
                assert error["code"] == "missing_scope"
                assert all(
                    named in error["message"] for named in (allowed or {Scope.ADMIN}) - {Scope.TRUSTED}
                )


def test_only_a_trusted_key_may_name_the_customer(guarded: Guarded) -> None:
    body = {"customer_email": ANNA}
    error = refused(
        guarded.ask(guarded.make("widget", Scope.SUPPORT), "POST", "/api/support/conversations", body), 403
    )
    assert "trusted" in error["message"]
    answer = guarded.ask(guarded.make("shop", Scope.TRUSTED), "POST", "/api/support/conversations", body)
    assert answer.status_code == 404  # an empty shop: the key was allowed to ask


def test_every_route_asks_for_a_scope(guarded: Guarded) -> None:
    useless = guarded.make("useless")
    paths = guarded.ask(useless, "GET", "/openapi.json").json()["paths"]
    asked = [(method, path) for path, methods in paths.items() for method in methods]
    assert len(asked) > 20
    for number, (method, path) in enumerate(asked):
        if path not in (*OPEN_PATHS, "/metrics"):
            other = guarded.make(f"useless {number}")  # a key may ask so often a minute
            assert guarded.ask(other, method, path, {}).status_code == 403, (method, path)


def test_a_key_is_needed_from_the_moment_there_is_one_until_the_last_is_revoked(guarded: Guarded) -> None:
    assert guarded.ask(None, "GET", "/v1/models").status_code == 200
    key = guarded.make("first", Scope.MODELS)
    assert refused(guarded.ask(None, "GET", "/v1/models"), 401)["code"] == "invalid_api_key"
    assert guarded.ask(key, "GET", "/v1/models").status_code == 200
    with guarded.database.write() as session:
        api_keys.revoke(session, "first")
    assert guarded.ask(None, "GET", "/v1/models").status_code == 200


def test_a_revoked_key_is_refused_at_once(guarded: Guarded) -> None:
    key, _other = guarded.make("first", Scope.MODELS), guarded.make("second", Scope.MODELS)
    with guarded.database.write() as session:
        api_keys.revoke(session, "first")
    assert guarded.ask(key, "GET", "/v1/models").status_code == 401


def test_the_pages_are_shut_as_soon_as_there_is_a_key(guarded: Guarded) -> None:
    assert httpx.get(guarded.url, timeout=60).status_code == 200
    guarded.make("first", Scope.MODELS)
    assert httpx.get(guarded.url, timeout=60).status_code == 401


def test_a_flood_is_told_when_to_come_back_and_other_keys_are_served(guarded: Guarded) -> None:
    busy, calm = guarded.make("busy", Scope.DESK), guarded.make("calm", Scope.DESK)
    answers = [guarded.ask(busy, "GET", "/api/support/tickets") for _ in range(43)]
    assert [answer.status_code for answer in answers] == [200] * 40 + [429] * 3
    assert refused(answers[-1], 429)["code"] == "rate_limit_exceeded"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert guarded.ask(calm, "GET", "/api/support/tickets").status_code == 200


def test_only_the_hash_of_a_key_is_stored(guarded: Guarded) -> None:
    key = guarded.make("shop", Scope.SUPPORT)
    with guarded.database.engine.connect() as connection:
        row = str(connection.execute(text("select * from api_keys")).mappings().one())
    assert key not in row
    assert len(key) >= 43


def test_a_name_is_given_once(guarded: Guarded) -> None:
    guarded.make("shop", Scope.SUPPORT)
    for name in ("shop", " shop ", "", "x" * 300):
        with pytest.raises(KeyNameError):
            guarded.make(name, Scope.SUPPORT)


def test_keys_are_made_listed_and_revoked_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUET_DATABASE_URL", f"sqlite:///{tmp_path}/shop.db")
    run = CliRunner().invoke
    made = run(app, ["keys", "create", "editor", "--scope", "models", "--scope", "desk"])
    key = re.search(r"duet-[\w-]{43}", made.stdout)
    assert key is not None
    listed = run(app, ["keys", "list"]).stdout
    assert "editor" in listed
    assert "desk models" in listed
    assert key.group() not in listed
    assert run(app, ["keys", "revoke", "editor"]).exit_code == 0
    assert run(app, ["keys", "revoke", "nobody"]).exit_code == 1
    assert run(app, ["keys", "create", "other", "--scope", "everything"]).exit_code == 2
    assert run(app, ["keys", "create", "other"]).exit_code == 2
