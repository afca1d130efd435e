"""What answers tell browsers: nobody frames them, nobody guesses their type; and which requests are another site's."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "frame-ancestors 'none'; object-src 'none'; base-uri 'self'",
    "Referrer-Policy": "same-origin",
}


class SecureHeaders:
    """ASGI middleware: headers that every answer has."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


def without_sharing(send: Send) -> Send:
    """Answers that no other site may read, whatever the application behind says, and cookies that none may use."""

    async def unshared(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, _strict(value) if name.lower() == b"set-cookie" else value)
                for name, value in message["headers"]
                if not name.lower().startswith(b"access-control-")
            ]
        await send(message)

    return unshared


def is_from_another_site(scope: Scope) -> bool:
    """Whether a page of another origin sends the request: following a link to a page of ours is none of that.

    Browsers say it themselves (Fetch Metadata); over plain HTTP to another machine they only name the origin.
    """
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site")
    if site is not None:
        is_link = scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate"
        return site not in ("same-origin", "none") and not is_link
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc != headers.get("host")
    except ValueError:
        return True


def _strict(cookie: bytes) -> bytes:
    parts = [part for part in cookie.split(b";") if not part.strip().lower().startswith(b"samesite")]
    return b";".join([*parts, b" SameSite=Strict"])
