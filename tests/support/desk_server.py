"""A desk to talk to: an HTTP server that keeps what it is sent, as Chatwoot and Zendesk do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "a-webhook-secret"
BOT_TOKEN, AGENT_TOKEN = "bot-token", "agent-token"
EMAIL, API_TOKEN = "bot@shop.example", "api-token"


class DeskServer:
    """What the desk holds, and how it behaves.

    `refuse`: the statuses of the next requests. `lose_answers`: requests are taken, and the connection is closed
    without an answer, this many times. `hold`: requests are taken, and answered only when it is cleared.
    """

    def __init__(self) -> None:
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.status: dict[str, str] = {}
        self.tags: dict[str, set[str]] = {}
        self.refuse: list[int] = []
        self.lose_answers = 0
        self.hold = threading.Event()
        self.lock = threading.Lock()
        self.next_id = 1000
        self.url = ""

    def replies(self, thread: str) -> list[str]:
        """What customers see of the assistant."""
        return [
            message["content"]
            for message in self.messages.get(thread, [])
            if message["message_type"] == 1 and not message["private"]
        ]

    def notes(self, thread: str) -> list[str]:
        return [message["content"] for message in self.messages.get(thread, []) if message["private"]]

    def wait_for_replies(self, thread: str, count: int, timeout_s: float = 120) -> None:
        deadline = time.monotonic() + timeout_s
        while len(self.replies(thread)) < count:
            assert time.monotonic() < deadline, (thread, self.messages)
            time.sleep(0.02)

    def add(self, thread: str, content: str, kind: int, private: bool, **more: Any) -> dict[str, Any]:
        with self.lock:
            self.next_id += 1
            message = {
                "id": self.next_id,
                "content": content,
                "message_type": kind,
                "private": private,
                "created_at": int(time.time()),
                **more,
            }
            self.messages.setdefault(thread, []).append(message)
            return message

    def chatwoot_webhook(self, thread: str, content: str | None, **changed: Any) -> dict[str, Any]:
        """The body that Chatwoot sends when a customer has written."""
        account, conversation = map(int, thread.split("/"))
        message = self.add(thread, content or "", 0, private=False)
        return {
            "event": "message_created",
            "id": message["id"],
            "content": content,
            "content_type": "text",
            "content_attributes": {},
            "message_type": "incoming",
            "private": False,
            "source_id": None,
            "created_at": datetime.now(UTC).isoformat(),
            "account": {"id": account, "name": "Shop"},
            "inbox": {"id": 3, "name": "Website"},
            "sender": {"id": 7, "name": "Anna", "email": "anna.keller@example.com", "type": "contact"},
            "conversation": {
                "id": conversation,
                "inbox_id": 3,
                "status": self.status.get(thread, "pending"),
                "channel": "Channel::WebWidget",
                "meta": {"sender": {"id": 7, "name": "Anna"}, "assignee": None},
            },
            **changed,
        }

    def zendesk_webhook(self, ticket: str, body: str, **comment: Any) -> dict[str, Any]:
        """The body that Zendesk sends when a comment was added."""
        message = self.add(ticket, body, 0, private=False)
        return {
            "account_id": 22129848,
            "detail": self.zendesk_detail(ticket),
            "event": {
                "comment": {
                    "id": str(message["id"]),
                    "body": body,
                    "is_public": True,
                    "author": {"id": "8447388090494", "is_staff": False, "name": "Anna"},
                    **comment,
                },
                "meta": {"sequence": {"id": f"SEQ{message['id']}", "position": 1}},
            },
            "id": f"event-{message['id']}",
            "subject": f"zen:ticket:{ticket}",
            "time": datetime.now(UTC).isoformat(),
            "type": "zen:event-type:ticket.comment_added",
            "zendesk_event_version": "2022-11-06",
        }

    def zendesk_detail(self, ticket: str, **changed: Any) -> dict[str, Any]:
        return {
            "actor_id": "8447388090494",
            "assignee_id": None,
            "created_at": "2026-01-08T10:12:07Z",
            "description": "",
            "id": ticket,
            "is_public": True,
            "requester_id": "8447388090494",
            "status": "OPEN",
            "subject": "A question",
            "submitter_id": "8447388090494",
            "tags": sorted(self.tags.get(ticket, ())),
            "via": {"channel": "email"},
            **changed,
        }


def sign_chatwoot(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    signature = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {
        "X-Chatwoot-Signature": f"sha256={signature}",
        "X-Chatwoot-Timestamp": stamp,
        "X-Chatwoot-Delivery": "0c1b",
    }


def sign_zendesk(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    stamp = datetime.fromtimestamp(time.time() if at is None else at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()
    return {
        "X-Zendesk-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
        "X-Zendesk-Webhook-Id": "01ABC",
    }


@contextmanager
def desk_server() -> Iterator[DeskServer]:
    desk = DeskServer()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: Any) -> None: ...

        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def do_PUT(self) -> None:
            self._answer("PUT")

        def do_DELETE(self) -> None:
            self._answer("DELETE")

        def _answer(self, method: str) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            if desk.refuse:
                self._send(desk.refuse.pop(0), {"error": "refused"})
                return
            status, answer = _route(desk, method, self.path, self.headers, body)
            of_chatwoot = method == "POST" and self.path.endswith("/messages")
            if of_chatwoot or "comment" in body.get("ticket", {}):
                while desk.hold.is_set():
                    time.sleep(0.01)
            if method != "GET" and desk.lose_answers:
                desk.lose_answers -= 1
                self.close_connection = True
                return
            self._send(status, answer)

        def _send(self, status: int, answer: dict[str, Any]) -> None:
            content = json.dumps(answer).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                return  # the client was killed

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    desk.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield desk
    desk.hold.clear()
    server.shutdown()
    server.server_close()


def _route(desk: DeskServer, method: str, path: str, headers: Any, body: Any) -> tuple[int, dict[str, Any]]:
    path, _, query = path.partition("?")
    chatwoot = re.fullmatch(r"/api/v1/accounts/(\d+)/conversations/(\d+)/(\w+)", path)
    if chatwoot:
        return _chatwoot(desk, method, chatwoot, query, headers.get("api_access_token"), body)
    zendesk = re.fullmatch(r"/api/v2/tickets/(\d+)(/tags|/comments)?\.json", path)
    if zendesk:
        shown = base64.b64encode(f"{EMAIL}/token:{API_TOKEN}".encode()).decode()
        if headers.get("Authorization") != f"Basic {shown}":
            return 401, {"error": "Couldn't authenticate you"}
        return _zendesk(desk, method, zendesk[1], zendesk[2], body)
    return 404, {"error": "not found"}


def _chatwoot(
    desk: DeskServer, method: str, path: re.Match[str], query: str, token: str | None, body: Any
) -> tuple[int, dict[str, Any]]:
    thread, what = f"{path[1]}/{path[2]}", path[3]
    if token not in (BOT_TOKEN, AGENT_TOKEN):
        return 401, {"error": "Invalid Access Token"}
    if (method, what) == ("POST", "messages"):
        return 200, desk.add(thread, body["content"], 1, body.get("private", False))
    if (method, what) == ("POST", "toggle_status"):
        desk.status[thread] = body["status"]
        return 200, {"payload": {"success": True, "current_status": body["status"]}}
    if (method, what) == ("GET", "messages"):
        if token == BOT_TOKEN:
            return 401, {"error": "Access to this endpoint is not authorized for bots"}
        after = int(query.removeprefix("after=") or 0)
        return 200, {"meta": {}, "payload": [m for m in desk.messages.get(thread, []) if m["id"] > after]}
    return 404, {"error": "not found"}


def _zendesk(
    desk: DeskServer, method: str, ticket: str, what: str | None, body: Any
) -> tuple[int, dict[str, Any]]:
    if what == "/tags":
        tags = desk.tags.setdefault(ticket, set())
        tags.update(body["tags"]) if method == "PUT" else tags.difference_update(body["tags"])
        return 200, {"tags": sorted(tags)}
    if what == "/comments":
        comments = [
            {
                "id": message["id"],
                "body": message["content"],
                "public": not message["private"],
                "created_at": datetime.fromtimestamp(message["created_at"], UTC).strftime(
                    "%Y-%m-%dT%H:%M:%SZ"
                ),
                "metadata": message.get("metadata", {"system": {}, "custom": {}}),
            }
            for message in reversed(desk.messages.get(ticket, []))
        ]
        return 200, {"comments": comments, "count": len(comments)}
    change = body["ticket"]
    desk.status[ticket] = change.get("status", desk.status.get(ticket, "new"))
    events = []
    if "comment" in change:
        metadata = {"system": {}, "custom": change.get("metadata", {})}
        comment = change["comment"]
        made = desk.add(ticket, comment["body"], 1, not comment["public"], metadata=metadata)
        events.append({"id": made["id"], "type": "Comment", "body": comment["body"]})
    return 200, {"ticket": {"id": int(ticket), "status": desk.status[ticket]}, "audit": {"events": events}}
