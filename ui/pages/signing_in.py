"""Who uses the pages: a key is shown once, and a cookie stands for it from then on."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from html import escape
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope

from apps.auth import Access, AuthError, Caller, is_forwarded
from apps.auth import Scope as KeyScope
from apps.permissions import FailureLimiter
from ui.pages.labels import text

COOKIE = "duet_session"
MOST_SESSIONS = 1_000
_MOST_FORM_BYTES = 4_096


class SigningIn:
    """The sessions of this process. A key is looked at again on every request: a revoked one ends its sessions."""

    def __init__(self, access: Access, failures: FailureLimiter) -> None:
        self._access = access
        self._failures = failures
        self._keys: OrderedDict[str, str] = OrderedDict()  # by the cookie's value, the oldest first

    async def check(self, scope: Scope) -> None:
        """Raise AuthError unless the request may use the pages, which show every customer and what the desk sees."""
        await run_in_threadpool(self._caller, Headers(scope=scope))

    async def sign_in(self, scope: Scope, receive: Receive) -> Response:
        """The answer to the form. Raises RateLimitError after too many wrong keys."""
        request = Request(scope, receive)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_FORM_BYTES:
                return login_page(401)
        key = parse_qs(body.decode("utf-8", "replace")).get("key", [""])[0]
        address = request.client.host if request.client else ""
        try:
            await run_in_threadpool(self._failures.checked, address, lambda: self._admin(key))
        except AuthError:
            return login_page(401, text("wrong_key", "en"))
        token = secrets.token_urlsafe(32)
        self._keys[token] = key
        while len(self._keys) > MOST_SESSIONS:
            self._keys.popitem(last=False)
        answer = RedirectResponse(_asked_for(request.headers), 303)
        secure = scope["scheme"] == "https" or request.headers.get("x-forwarded-proto") == "https"
        answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure)
        return answer

    def sign_out(self, scope: Scope) -> Response:
        self._keys.pop(_cookie(Headers(scope=scope)), None)
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(COOKIE)
        return answer

    def _caller(self, headers: Headers) -> Caller:
        if self._access.needs_key():
            return self._admin(self._keys.get(_cookie(headers), ""))
        return self._access.caller(None, headers.get("host"), forwarded=is_forwarded(headers))

    def _admin(self, key: str) -> Caller:
        caller = self._access.caller(f"Bearer {key}", None)
        if not caller.allows(KeyScope.ADMIN):
            raise AuthError("the pages need a key with the scope admin")
        return caller


def login_page(status: int, problem: str = "") -> Response:
    """Asks for a key."""
    page = _LOGIN.replace("<!--problem-->", escape(problem))
    return HTMLResponse(page, status, {"Cache-Control": "no-store", "WWW-Authenticate": "Bearer"})


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


_LOGIN = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Duet</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f7f8f7; color: #33413d;
  font: 1.05rem/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }}
form {{ display: grid; gap: .8rem; width: 20rem; }} input, button {{ font: inherit; padding: .5rem; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #101413; color: #c9d3cf; }} }}
</style></head>
<body><form method="post" action="/login">
<label for="key">{escape(text("login", "en"))}<br><span lang="zh-Hans">{escape(text("login", "zh"))}</span></label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<button>{escape(text("sign_in", "en"))}</button><p role="alert"><!--problem--></p></form></body></html>"""


def _asked_for(headers: Headers) -> str:
    """The page of this server on which the form was shown."""
    path = urlsplit(headers.get("referer", "")).path
    return path if path.startswith("/") and path[1:].isalnum() and path != "/login" else "/"
