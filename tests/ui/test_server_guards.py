"""What other sites, other machines and people without a key are kept from."""

from __future__ import annotations

import httpx
import pytest

from apps import api_keys
from apps.auth import Scope
from apps.permissions import MOST_WRONG_KEYS
from tests.ui.conftest import Guarded, Server, wait_for_pages
from ui.pages.signing_in import COOKIE

JOIN = "/gradio_api/queue/join"


def sign_in(guarded: Guarded, key: str) -> httpx.Response:
    return httpx.post(f"{guarded.url}/login", data={"key": key}, timeout=60)


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


@pytest.mark.parametrize(
    "path",
    [
        "/docs",
        "/openapi.json",
        "/config",
        "/gradio_api/heartbeat/x",
        "/gradio_api/cancel",
        "/gradio_api/reset",
    ],
)
def test_where_there_are_keys_everything_else_needs_one(guarded: Guarded, path: str) -> None:
    key = guarded.make("first", Scope.ADMIN)
    method = "POST" if path.endswith(("cancel", "reset")) else "GET"
    assert guarded.ask(None, method, path).status_code == 401
    if path in ("/docs", "/openapi.json"):
        assert guarded.ask(key, method, path).status_code == 200
        token = sign_in(guarded, key).cookies[COOKIE]
        assert httpx.get(guarded.url + path, cookies={COOKIE: token}, timeout=60).status_code == 200


def test_a_revoked_key_ends_the_sessions_that_it_opened(guarded: Guarded) -> None:
    key = guarded.make("first", Scope.ADMIN)
    guarded.make("second", Scope.ADMIN)
    answer = sign_in(guarded, key)
    assert answer.status_code == 303
    for attribute in ("HttpOnly", "SameSite=strict"):
        assert attribute in answer.headers["set-cookie"]
    session = {COOKIE: answer.cookies[COOKIE]}
    assert httpx.get(guarded.url, cookies=session, timeout=60).status_code == 200
    with guarded.database.write() as session_of_database:
        api_keys.revoke(session_of_database, "first")
    assert httpx.get(guarded.url, cookies=session, timeout=60).status_code == 401


def test_signing_out_ends_the_session(guarded: Guarded) -> None:
    session = {COOKIE: sign_in(guarded, guarded.make("first", Scope.ADMIN)).cookies[COOKIE]}
    httpx.post(f"{guarded.url}/logout", cookies=session, timeout=60)
    assert httpx.get(guarded.url, cookies=session, timeout=60).status_code == 401


def test_only_a_key_for_everything_opens_the_pages(guarded: Guarded) -> None:
    assert sign_in(guarded, guarded.make("desk", Scope.DESK)).status_code == 401
    assert sign_in(guarded, "no key at all").status_code == 401
    assert COOKIE not in sign_in(guarded, "").cookies


def test_wrong_keys_are_soon_looked_at_no_more(guarded: Guarded) -> None:
    known, new = guarded.make("known", Scope.MODELS), guarded.make("new", Scope.MODELS)
    assert guarded.ask(known, "GET", "/v1/models").status_code == 200
    tried = [
        guarded.ask(f"wrong-{number}", "GET", "/v1/models").status_code for number in range(MOST_WRONG_KEYS)
    ]
    assert tried == [401] * MOST_WRONG_KEYS
    assert guarded.ask("wrong again", "GET", "/v1/models").status_code == 429
    assert sign_in(guarded, "wrong as well").status_code == 429
    assert guarded.ask(new, "GET", "/v1/models").status_code == 429  # as if it had been guessed
    assert guarded.ask(known, "GET", "/v1/models").status_code == 200


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"])
@pytest.mark.parametrize("path", ["/v1/models", "/", "/docs"])
def test_without_keys_nothing_that_a_proxy_passes_on_is_served(
    guarded: Guarded, name: str, path: str
) -> None:
    answer = httpx.get(guarded.url + path, headers={name: "203.0.113.7"}, timeout=60)
    assert answer.status_code == 401
    assert "duet keys create" in answer.json()["error"]["message"]


def test_a_proxy_may_pass_on_what_has_a_key(guarded: Guarded) -> None:
    headers = {
        "Authorization": f"Bearer {guarded.make('first', Scope.MODELS)}",
        "X-Forwarded-For": "203.0.113.7",
    }
    assert httpx.get(f"{guarded.url}/v1/models", headers=headers, timeout=60).status_code == 200


@pytest.mark.parametrize("host", ["[", "evil.example", "]:80", ""])
def test_a_host_that_is_not_this_machine_is_refused(server: Server, host: str) -> None:
    answer = httpx.get(f"{server.url}/v1/models", headers={"Host": host}, timeout=60)
    assert answer.status_code in (400, 401)
