"""The Gradio pages inside the server: built while the model loads, reachable where no API route matches."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html import escape

import structlog
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from apps.auth import NeedsKeyError
from ui.headers import is_from_another_site, without_sharing
from ui.pages.labels import text
from ui.pages.signing_in import SigningIn, login_page
from ui.runtime import Runtime

log = structlog.get_logger(__name__)

_PAGES = frozenset({"/", "/code", "/desk"})
_SIGNING = frozenset({"/login", "/logout"})
# What the pages ask for. Gradio has more routes (a proxy, files, uploads, run history): they stay shut.
_PARTS = re.compile(
    r"/(?:assets/|static/|svelte/|theme\.css|config|favicon\.ico|robots\.txt"
    r"|gradio_api/(?:queue/(?:join|data)|run/predict|cancel|reset|heartbeat/))"
)


class Pages:
    """ASGI application. Until Gradio is imported and built it answers with a page that waits."""

    def __init__(self, signing_in: SigningIn, runtime: Callable[[], Runtime]) -> None:
        """`runtime` gives what the pages stand on, or raises NotReadyError while it is being loaded."""
        self._signing_in = signing_in
        self._runtime = runtime
        self._gradio: ASGIApp | None = None
        self._failed = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Build the pages in the background; stop them at the end."""
        stop = asyncio.Event()
        task = asyncio.create_task(self._run(stop))
        try:
            yield
        finally:
            stop.set()
            await task

    async def _run(self, stop: asyncio.Event) -> None:
        try:
            app = await asyncio.to_thread(self._build)
        except Exception:
            # The APIs serve without pages; whoever opens one must not wait for ever.
            log.exception("the pages could not be built")
            self._failed = True
            return
        async with app.router.lifespan_context(app):
            self._gradio = app
            log.info("pages ready")
            await stop.wait()
            self._gradio = None

    def _build(self) -> FastAPI:
        # Gradio takes seconds to import: here it costs neither the API nor `duet --help` anything.
        from ui.pages.site import build_site

        return build_site(self._runtime)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if scope["type"] != "http" or not (path in _PAGES or path in _SIGNING or _PARTS.match(path)):
            raise HTTPException(404)
        if is_from_another_site(scope):
            raise HTTPException(403, "a page of another site cannot use this one")
        if path in _SIGNING:
            await (await self._sign(scope, receive))(scope, receive, send)
            return
        try:
            await self._signing_in.check(scope)
        except NeedsKeyError:
            if path not in _PAGES:
                raise
            await login_page(401)(scope, receive, send)
            return
        if self._gradio is not None:
            await self._gradio(scope, receive, without_sharing(send))
        elif self._failed:
            raise HTTPException(500, "the pages could not be built; the server's log says why")
        elif path in _PAGES:
            await HTMLResponse(_WAITING, headers={"Cache-Control": "no-store"})(scope, receive, send)
        else:
            raise HTTPException(503, "the pages are being built; try again in a moment")

    async def _sign(self, scope: Scope, receive: Receive) -> Response:
        if scope["method"] != "POST":
            return RedirectResponse("/", 303)
        if scope["path"] == "/logout":
            return self._signing_in.sign_out(scope)
        return await self._signing_in.sign_in(scope, receive)


_WAITING = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>Duet</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f7f8f7; color: #33413d;
  font: 1.05rem/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #101413; color: #c9d3cf; }} }}
</style></head>
<body><p>{escape(text("starting", "en"))}<br>
<span lang="zh-Hans">{escape(text("starting", "zh"))}</span></p></body></html>"""
