"""`/docs` and `/openapi.json`. What the page needs is served from here: no machine needs the internet to show it."""

from __future__ import annotations

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import FileResponse, HTMLResponse, JSONResponse

OPENAPI = "/openapi.json"
PAGE = "/docs"
_SCRIPT, _STYLE = f"{PAGE}/swagger-ui-bundle.js", f"{PAGE}/swagger-ui.css"
_ASSETS = Path(fastapi_offline.__file__).parent / "static"
DOCUMENTS = frozenset({OPENAPI, PAGE, _SCRIPT, _STYLE})


def add_documents(app: FastAPI) -> None:
    """Add the routes."""

    @app.get(OPENAPI, include_in_schema=False)
    async def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    @app.get(PAGE, include_in_schema=False)
    async def documents() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=OPENAPI,
            title=app.title,
            swagger_js_url=_SCRIPT,
            swagger_css_url=_STYLE,
            swagger_favicon_url="data:,",
        )

    @app.get(_SCRIPT, include_in_schema=False)
    async def script() -> FileResponse:
        return FileResponse(_ASSETS / "swagger-ui-bundle.js", media_type="text/javascript")

    @app.get(_STYLE, include_in_schema=False)
    async def style() -> FileResponse:
        return FileResponse(_ASSETS / "swagger-ui.css", media_type="text/css")
