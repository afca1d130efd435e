"""`/integrations`: the desks' webhooks. A customer's message is stored and answered afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from apps.support.errors import NotConfiguredError
from apps.support.helpdesks.answering import store_event
from apps.support.helpdesks.desks import Desk
from apps.support.shop.database import Database
from apps.support.shop.models import DeskName


class Received(BaseModel):
    """`ignored` is what needs no answer: the assistant's own messages, notes, other events."""

    status: Literal["accepted", "repeated", "ignored"]


def create_router(database: Database, desks: Mapping[DeskName, Desk]) -> APIRouter:
    """The routes. They need no API key: the desk's signature stands for it."""
    router = APIRouter(prefix="/integrations", tags=["integrations"])

    @router.post("/chatwoot")
    async def chatwoot(request: Request) -> Received:
        """An agent bot's webhook of Chatwoot."""
        return await _receive(DeskName.CHATWOOT, request)

    @router.post("/zendesk")
    async def zendesk(request: Request) -> Received:
        """A webhook of Zendesk that is subscribed to ticket events."""
        return await _receive(DeskName.ZENDESK, request)

    async def _receive(name: DeskName, request: Request) -> Received:
        desk = desks.get(name)
        if desk is None:
            raise NotConfiguredError(
                f"{name} is not set up here: docs/integrations.md names its settings (DUET_{name.upper()}_…)"
            )
        event = desk.read(request.headers, await request.body(), datetime.now(UTC))
        if event is None:
            return Received(status="ignored")
        stored = await run_in_threadpool(store_event, database, event)
        return Received(status="accepted" if stored else "repeated")

    return router
