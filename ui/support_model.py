"""`duet-support` of the OpenAI endpoints: the support pipeline behind a protocol that keeps no state."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import aclosing
from threading import Lock

from starlette.concurrency import run_in_threadpool

from apps.events import in_thread
from apps.support.conversations import records
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.turn import Token, TurnResult
from core_model.errors import RequestError
from ui.openai.schemas import ChatMessage, ChatRequest

MOST_REMEMBERED = 4096


class SupportReplies:
    """Answers the last message; what came before only finds the stored conversation it belongs to.

    Each call brings the whole transcript. A stored conversation is found by the hash of what was said in it
    so far and is taken out while it goes on, so two customers with equal beginnings never meet in one. What
    a client merely claims was said proves nothing: an unknown transcript begins a new conversation.
    """

    def __init__(self, pipeline: SupportPipeline) -> None:
        self._pipeline = pipeline
        self._conversations: OrderedDict[str, list[str]] = OrderedDict()
        self._lock = Lock()

    async def __call__(self, request: ChatRequest, choice: int) -> AsyncIterator[str]:
        """The reply's pieces. Raises RequestError unless the last message is the customer's."""
        said = [message for message in request.messages if message.role in ("user", "assistant")]
        if not said or said[-1].role != "user" or not said[-1].text.strip():
            raise RequestError("the last message must be the customer's own text", "messages")
        conversation = await run_in_threadpool(self._find, _key(said[:-1]))
        reply = ""
        async with aclosing(in_thread(self._pipeline.stream(conversation, said[-1].text))) as events:
            async for event in events:
                if isinstance(event, Token):
                    reply += event.text
                    yield event.text
                elif isinstance(event, TurnResult):
                    answered = [*said, ChatMessage(role="assistant", content=reply)]
                    self._remember(_key(answered), conversation)

    def _find(self, key: str) -> str:
        with self._lock:
            waiting = self._conversations.get(key)
            if waiting:
                found = waiting.pop()
                if not waiting:
                    del self._conversations[key]
                return found
        with self._pipeline.database.write() as session:
            opened = records.open_conversation(session, channel="openai", language=None, trusted_email=None)
            return opened.id

    def _remember(self, key: str, conversation: str) -> None:
        with self._lock:
            self._conversations.setdefault(key, []).append(conversation)
            self._conversations.move_to_end(key)
            while len(self._conversations) > MOST_REMEMBERED:
                self._conversations.popitem(last=False)


def _key(messages: list[ChatMessage]) -> str:
    transcript = json.dumps([[message.role, message.text] for message in messages])
    return hashlib.sha256(transcript.encode("utf-8", "surrogatepass")).hexdigest()
