"""The HTTP server: every protocol, one model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated

import structlog
from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from starlette.concurrency import run_in_threadpool

from apps.api_keys import StoredKeys
from apps.auth import Access, Caller, is_forwarded
from apps.code import api as code_api
from apps.permissions import FailureLimiter, RateLimiter, needs
from apps.settings import Settings
from apps.support import api as support_api
from apps.support.errors import DatabaseNotReadyError
from apps.support.helpdesks import api as integrations_api
from apps.support.helpdesks.configured import configured_desks
from apps.support.shop.database import Database
from ui import infill, llama_cpp, tabby
from ui.body_limit import LimitBody
from ui.documents import DOCUMENTS, add_documents
from ui.headers import SecureHeaders
from ui.metrics import CountRequests, Metrics
from ui.ollama import answering
from ui.ollama import models as ollama_models
from ui.openai import chat, classify, completions, models
from ui.openai.errors import install_error_handlers
from ui.pages import Pages
from ui.pages.signing_in import SigningIn
from ui.runtime import (
    LoadRuntime,
    Runtime,
    classifiers,
    code_assistant,
    load_runtime,
    loaded_runtime,
    runtime_when_ready,
    support_assistant,
)

log = structlog.get_logger(__name__)

OPEN_PATHS = frozenset({"/health", "/ready", "/integrations/chatwoot", "/integrations/zendesk"})
"""Routes that need no key: what a process supervisor asks, and webhooks, which the desks sign."""


def create_app(settings: Settings, load: LoadRuntime = load_runtime) -> FastAPI:
    """The application. Its model is loaded in the background, so that it answers at once."""
    metrics = Metrics()
    # Its own connections: keys are looked up from the first second on, also while the model is being loaded.
    database = Database(settings.database_url)
    access = Access(settings.host, settings.api_keys, StoredKeys(database))
    limiter = RateLimiter(settings.rate_limit)
    failures = FailureLimiter()
    signing_in = SigningIn(access, failures)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(_upgrade, database)
        loading = asyncio.create_task(asyncio.to_thread(load, settings, metrics))
        loading.add_done_callback(_log_loaded)
        app.state.loading = loading
        async with pages.running():
            yield
        await asyncio.wait([loading])
        if loading.exception() is None:
            await asyncio.to_thread(loading.result().close)
        database.close()

    async def authenticate(
        request: Request,
        authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
        host: Annotated[str | None, Header(include_in_schema=False)] = None,
    ) -> None:
        # Not `request.url`, which is put together from what the caller says of the host.
        path = request.scope["path"]
        if path in OPEN_PATHS:
            return
        if path in DOCUMENTS and authorization is None:  # opened in a browser, as the pages are
            await signing_in.check(request.scope)
            return

        def find() -> Caller:
            return access.caller(authorization, host, forwarded=is_forwarded(request.headers))

        address = request.client.host if request.client else ""
        asked = find if authorization is None else partial(failures.checked, address, find)
        caller = await run_in_threadpool(asked)
        limiter.check(caller)
        request.state.caller = caller

    app = FastAPI(
        title="Duet",
        description="A support assistant and a code assistant on one small model.",
        lifespan=lifespan,
        dependencies=[Depends(authenticate)],
        openapi_url=None,  # FastAPI's own routes of documents ask for no key: see below
    )
    # Not mounted: a mount at / would also answer for API routes that are asked with a wrong method.
    pages = Pages(signing_in, lambda: loaded_runtime(app))
    app.router.default = pages
    app.add_middleware(LimitBody)
    app.add_middleware(SecureHeaders)
    app.add_middleware(CountRequests, metrics=metrics)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_private_network=True,
            allow_headers=("*",),  # clients send headers of their own, and the origin is one that is trusted
        )
    install_error_handlers(app)
    routers = (chat, completions, classify, models, infill, llama_cpp, tabby, answering, ollama_models)
    for module in routers:
        app.include_router(module.router)
    app.include_router(code_api.create_router(code_assistant))
    app.include_router(support_api.create_router(support_assistant, classifiers))
    app.include_router(integrations_api.create_router(database, configured_desks(settings)))

    @app.get("/health", tags=["operation"])
    async def health() -> dict[str, str]:
        """The process is up."""
        return {"status": "ok"}

    @app.get("/ready", tags=["operation"])
    async def ready(runtime: Annotated[Runtime, Depends(runtime_when_ready)]) -> dict[str, str]:
        """The model is loaded and the database reachable: requests will be answered."""
        await asyncio.to_thread(runtime.database.check_ready)
        return {"status": "ready", "model": runtime.models.base.id}

    add_documents(app)

    @app.get("/metrics", tags=["operation"], dependencies=[needs()])
    async def show_metrics() -> Response:
        """Counters in Prometheus' format."""
        return Response(metrics.page(), media_type="text/plain; version=0.0.4")

    return app


def _upgrade(database: Database) -> None:
    try:
        database.upgrade()
    except DatabaseNotReadyError as error:
        # /ready tells; what shows a key of DUET_API_KEYS and needs no database is served all the same.
        log.error("the database is not ready", reason=str(error))


def _log_loaded(loading: asyncio.Task[Runtime]) -> None:
    error = loading.exception()
    if error is None:
        log.info("ready", model=loading.result().models.base.id)
    else:
        log.error("the model could not be loaded", reason=str(error), exc_info=error)
