"""Requests that may be sent again: the same key gets the same answer, and the work is done once."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from datetime import timedelta
from typing import Any

from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.turn import FactsFound, IntentFound, Token, TurnEvent, TurnResult
from apps.support.errors import ConflictError
from apps.support.shop.database import Database
from apps.support.shop.models import IdempotencyKey
from apps.support.shop.models.columns import utc_now

MOST_KEY_CHARACTERS = 255
ABANDONED_AFTER = timedelta(minutes=5)
"""A request without an answer after this long died with its process; its key may be used again."""


def answer_once(
    pipeline: SupportPipeline, conversation_id: str, text: str, key: str | None
) -> Generator[TurnEvent, None, None]:
    """The turn's events; with a key that was answered before, the stored answer's."""
    if key is None:
        yield from pipeline.stream(conversation_id, text)
        return
    database, scope = pipeline.database, f"message {conversation_id}"[:128]
    stored = claim(database, scope, key, text)
    if stored is not None:
        yield from _replay(TurnResult.model_validate(stored))
        return
    result: TurnResult | None = None
    try:
        for event in pipeline.stream(conversation_id, text):
            if isinstance(event, TurnResult):
                # Stored before the client gets it: an answer that got lost on the way is there for the retry.
                result = event
                settle(database, scope, key, result.model_dump(mode="json"))
            yield event
    finally:
        if result is None:
            settle(database, scope, key, None)


def _replay(result: TurnResult) -> Iterator[TurnEvent]:
    if result.reply:
        yield IntentFound(intent=result.intent, entities=result.entities, language=result.language)
        yield FactsFound(facts=result.facts, citations=result.citations, actions=result.actions)
        yield Token(text=result.reply)
    yield result


def claim(database: Database, scope: str, key: str, request: str) -> dict[str, Any] | None:
    """Take the key for this request. Returns the stored answer where the request was answered before.

    Raises ConflictError where the key belongs to another request, or while the first is under way.
    """
    digest = hashlib.sha256(request.encode("utf-8", "replace")).hexdigest()
    with database.write() as session:
        stored = session.get(IdempotencyKey, (scope, key), with_for_update=True)
        if stored is not None and stored.request_sha256 != digest:
            raise ConflictError("this Idempotency-Key was used for another request")
        if stored is not None and stored.response is not None:
            return stored.response
        if stored is not None and utc_now() - stored.created_at < ABANDONED_AFTER:
            raise ConflictError("the request with this Idempotency-Key is still being answered")
        if stored is not None:
            stored.created_at = utc_now()
        else:
            session.add(IdempotencyKey(scope=scope, key=key, request_sha256=digest))
    return None


def settle(database: Database, scope: str, key: str, response: dict[str, Any] | None) -> None:
    """Store the answer; None gives the key back, because there was no answer."""
    with database.write() as session:
        stored = session.get(IdempotencyKey, (scope, key))
        if stored is None:
            return
        if response is None:
            session.delete(stored)
        else:
            stored.response = response
