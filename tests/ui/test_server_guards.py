"""What other sites, other machines and people without a key are kept from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from apps import api_keys
from apps.auth import Scope
from apps.permissions import MOST_WRONG_KEYS
from apps.settings import Settings
from apps.support.shop.database import Database
from tests.ui.conftest import Server, wait_for_pages
from ui.pages.signing_in import COOKIE
from ui.server import create_app

JOIN = "/gradio_api/queue/join"


class Gate:
    """A server's application before its model is loaded and its pages are built: who comes in is known by then."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(home=folder, adapters_dir=folder, api_keys=())
        self.database = Database(settings.database_url)
        self.database.upgrade()
        self._client = TestClient(
            create_app(settings), base_url="http://127.0.0.1:8000", follow_redirects=False
        )

    def make(self, name: str, *scopes: Scope) -> str:
        with self.database.write() as session:
            return api_keys.create(session, name, scopes)

    def revoke(self, name: str) -> None:
        with self.database.write() as session:
            api_keys.revoke(session, name)

    def ask(self, key: str | None, method: str, path: str, **headers: str) -> httpx.Response:
        shown = {} if key is None else {"Authorization": f"Bearer {key}"}
        return self._client.request(method, path, headers={**headers, **shown})

    def sign_in(self, key: str) -> httpx.Response:
        answer = self._client.post("/login", data={"key": key})
        self._client.cookies.clear()
        return answer

    def session(self, key: str) -> str:
        """The header of a browser that has signed in."""
        return f"{COOKIE}={self.sign_in(key).cookies[COOKIE]}"


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(tmp_path)
    yield gate
    gate.database.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", JOIN), ("GET", "/config"), ("OPTIONS", JOIN), ("POST", "/login")]
)
def test_another_sites_page_cannot_use_the_pages(
    server: Server, headers: dict[str, str], method: str, path: str
) -> None:
    answer = httpx.request(method, server.url + path, headers=headers, timeout=60)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_link_from_another_site_opens_a_page(server: Server) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert httpx.get(server.url, headers=link, timeout=60).status_code == 200
    assert httpx.post(server.url, headers=link, timeout=60).status_code == 403


def test_no_answer_of_the_pages_is_shared_and_no_cookie_is_lax(server: Server) -> None:
    wait_for_pages(server.url)
    for path in ("/", "/config", "/theme.css"):
        answer = httpx.get(server.url + path, headers={"Origin": server.url}, timeout=60)
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert all("SameSite=Strict" in cookie for cookie in answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize("path", ["/", "/health", "/v1/models", "/nothing", "/docs"])
def test_no_answer_is_framed_or_guessed_at(server: Server, path: str) -> None:
    headers = httpx.get(server.url + path, timeout=60).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_the_page_of_the_api_needs_nothing_from_elsewhere(server: Server) -> None:
    page = httpx.get(f"{server.url}/docs", timeout=60).text
    assert "//" not in page.replace("</script>", "").split("<!-- ", 1)[0].replace("<!DOCTYPE", "")
    for name, begins in (("swagger-ui-bundle.js", "/*!"), ("swagger-ui.css", ".swagger-ui")):
        assert f'"/docs/{name}"' in page
        assert httpx.get(f"{server.url}/docs/{name}", timeout=60).text.startswith(begins)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/docs/swagger-ui.css"])
def test_documents_need_a_key_where_there_are_keys_or_a_session(gate: Gate, path: str) -> None:
    assert gate.ask(None, "GET", path).status_code == 200
    key = gate.make("first", Scope.ADMIN)
    assert gate.ask(None, "GET", path).status_code == 401
    assert gate.ask(key, "GET", path).status_code == 200
    assert gate.ask(None, "GET", path, Cookie=gate.session(key)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/desk"),
        ("GET", "/config"),
        ("GET", "/gradio_api/heartbeat/x"),
        ("POST", "/gradio_api/cancel"),
        ("POST", "/gradio_api/reset"),
        ("POST", JOIN),
    ],
)
def test_every_part_of_the_pages_needs_a_session_where_there_are_keys(
    gate: Gate, method: str, path: str
) -> None:
    key = gate.make("first", Scope.ADMIN)
    assert gate.ask(None, method, path).status_code == 401
    assert gate.ask(None, method, path, Cookie=f"{COOKIE}=guessed").status_code == 401
    assert gate.ask(None, method, path, Cookie=gate.session(key)).status_code in (200, 503)  # being built


def test_a_revoked_key_ends_the_sessions_that_it_opened(gate: Gate) -> None:
    key = gate.make("first", Scope.ADMIN)
    gate.make("second", Scope.ADMIN)
    answer = gate.sign_in(key)
    assert answer.status_code == 303
    for attribute in ("HttpOnly", "SameSite=strict"):
        assert attribute in answer.headers["set-cookie"]
    cookie = f"{COOKIE}={answer.cookies[COOKIE]}"
    assert gate.ask(None, "GET", "/", Cookie=cookie).status_code == 200
    gate.revoke("first")
    assert gate.ask(None, "GET", "/", Cookie=cookie).status_code == 401


def test_signing_out_ends_the_session(gate: Gate) -> None:
    cookie = gate.session(gate.make("first", Scope.ADMIN))
    gate.ask(None, "POST", "/logout", Cookie=cookie)
    assert gate.ask(None, "GET", "/", Cookie=cookie).status_code == 401


def test_only_a_key_for_everything_opens_the_pages(gate: Gate) -> None:
    assert gate.sign_in(gate.make("desk", Scope.DESK)).status_code == 401
    assert gate.sign_in("no key at all").status_code == 401
    assert COOKIE not in gate.sign_in("").cookies


def test_wrong_keys_are_soon_looked_at_no_more(gate: Gate) -> None:
    known, new = gate.make("known", Scope.MODELS), gate.make("new", Scope.ADMIN)
    assert gate.ask(known, "GET", "/metrics").status_code == 200
    tried = [gate.ask(f"wrong-{number}", "GET", "/metrics").status_code for number in range(MOST_WRONG_KEYS)]
    assert tried == [401] * MOST_WRONG_KEYS
    late = gate.ask("wrong again", "GET", "/metrics")
    assert late.status_code == 429
    assert 1 <= int(late.headers["Retry-After"]) <= 60
    assert gate.ask(new, "GET", "/metrics").status_code == 429  # as if it had been guessed
    assert gate.sign_in(new).status_code == 429
    assert gate.ask(known, "GET", "/metrics").status_code == 200


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"])
@pytest.mark.parametrize("path", ["/metrics", "/", "/docs"])
def test_without_keys_nothing_that_a_proxy_passes_on_is_served(gate: Gate, name: str, path: str) -> None:
    assert gate.ask(None, "GET", path).status_code == 200
    answer = gate.ask(None, "GET", path, **{name: "203.0.113.7"})
    assert answer.status_code == 401
    assert "duet keys create" in answer.json()["error"]["message"]


def test_a_proxy_may_pass_on_what_has_a_key(gate: Gate) -> None:
    key = gate.make("first", Scope.MODELS)
    assert gate.ask(key, "GET", "/metrics", **{"X-Forwarded-For": "203.0.113.7"}).status_code == 200


@pytest.mark.parametrize("host", ["[", "evil.example", "]:80", ""])
def test_a_host_that_is_not_this_machine_is_refused(gate: Gate, host: str) -> None:
    assert gate.ask(None, "GET", "/metrics", Host=host).status_code == 401
