"""`duet serve`: the pages and all protocols on one port."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from apps.auth import is_loopback
from apps.settings import Settings, load_settings
from ui.commands.models import make_ready

if TYPE_CHECKING:
    from fastapi import FastAPI


KEEP_ALIVE_S = 75
"""Longer than proxies keep idle connections (nginx, load balancers: 60): who closes first must not be asked again."""


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [default: DUET_HOST].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [default: DUET_PORT].")] = None,
    model: Annotated[
        str | None, typer.Option(help="Base model, by name or path [default: DUET_MODEL].")
    ] = None,
) -> None:
    """Serve the pages and every API until interrupted; fetches the model first if it is not here."""
    given = {"host": host, "port": port, "model": model}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    _check_listening(settings)

    import uvicorn

    from ui.logs import configure_logs

    log_config = configure_logs(settings.log_format, settings.log_level)

    def application() -> FastAPI:
        from ui.server import create_app

        return create_app(settings)

    config = uvicorn.Config(
        application,
        factory=True,
        host=settings.host,
        port=settings.port,
        log_config=log_config,
        log_level=settings.log_level,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=KEEP_ALIVE_S,
        # Anybody can send these headers: they are believed where the proxies are named (uvicorn's own variable).
        proxy_headers="FORWARDED_ALLOW_IPS" in os.environ,
    )
    # Before anything that takes long, so that a port that is taken is told at once.
    listening = config.bind_socket()
    make_ready(settings)
    with suppress(KeyboardInterrupt):  # Ctrl-C comes up again once uvicorn has shut everything down
        uvicorn.Server(config).run(sockets=[listening])


def _check_listening(settings: Settings) -> None:
    """Raise UnprotectedServerError where other machines could reach a server that asks for no key."""
    if settings.api_keys or is_loopback(settings.host):
        return
    from apps.api_keys import StoredKeys
    from apps.auth import Access
    from apps.support.shop.database import Database

    database = Database(settings.database_url)
    try:
        database.upgrade()
        Access(settings.host, (), StoredKeys(database)).check_listening()
    finally:
        database.close()
