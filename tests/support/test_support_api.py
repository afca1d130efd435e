"""`/api/support` over HTTP, with the real small model behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from sqlalchemy import select

from apps.auth import LOCAL
from apps.support.api import create_router
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.errors import ConflictError, NotFoundError, UnusableValueError
from apps.support.playbooks.options import can_have
from apps.support.shop.database import Database
from apps.support.shop.models import AuditEntry, Order, OrderStatus, Variant
from tests.support.conftest import ANNA

BASE = "/api/support"
OrderOf = Callable[[Database, str, OrderStatus], str]


def as_this_machine(request: Request) -> None:
    request.state.caller = LOCAL


@pytest.fixture
def client(sqlite_assistant: SupportPipeline) -> Iterator[TestClient]:
    app = FastAPI(dependencies=[Depends(as_this_machine)])
    app.include_router(create_router(lambda: sqlite_assistant))
    for kind, status in ((NotFoundError, 404), (ConflictError, 409), (UnusableValueError, 400)):
        app.add_exception_handler(
            kind, lambda _request, error, status=status: JSONResponse({"error": str(error)}, status)
        )
    with TestClient(app) as client:
        yield client


def begin(client: TestClient, **body: str) -> str:
    answer = client.post(f"{BASE}/conversations", json=body)
    assert answer.status_code == 201
    return str(answer.json()["id"])


def say(client: TestClient, conversation: str, text: str, **headers: str) -> Any:
    return client.post(f"{BASE}/conversations/{conversation}/messages", json={"text": text}, headers=headers)


def events(body: str) -> list[tuple[str, dict[str, Any]]]:
    frames = [frame.split("\n") for frame in body.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in frames]


def test_a_message_is_answered_as_the_contract_says(
    client: TestClient, sqlite_shop: Database, order_of: OrderOf
) -> None:
    number = order_of(sqlite_shop, ANNA, OrderStatus.SHIPPED)
    answer = say(
        client, begin(client, customer_email=ANNA), f"where is order {number}? = status {number}"
    ).json()
    assert {"reply", "intent", "entities", "facts", "actions", "handed_over"} <= set(answer)
    assert answer["intent"]["name"] == "track_order"
    assert {"name", "confidence", "alternatives"} == set(answer["intent"])
    assert answer["facts"]["order"] == f"#{number}"


def test_a_message_is_streamed_as_events(client: TestClient) -> None:
    conversation = begin(client)
    answer = say(client, conversation, "ask delivery_period", Accept="text/event-stream")
    assert answer.headers["content-type"].startswith("text/event-stream")
    frames = events(answer.text)
    names = [name for name, _ in frames]
    assert names[:2] == ["intent", "facts"]
    assert set(names[2:-1]) == {"token"}
    assert names[-1] == "done"
    assert "".join(data["text"] for name, data in frames if name == "token") == frames[-1][1]["reply"]


def test_a_repeated_request_gets_the_same_answer_and_is_done_once(
    client: TestClient, sqlite_shop: Database, order_of: OrderOf
) -> None:
    conversation = begin(client, customer_email=ANNA)
    say(client, conversation, f"cancel {order_of(sqlite_shop, ANNA, OrderStatus.PENDING)}")
    key = {"Idempotency-Key": "a-1"}
    first = say(client, conversation, "yes", **key)
    assert first.json()["actions"] == [{"name": "cancel", "status": "done"}]
    assert say(client, conversation, "yes", **key).json() == first.json()
    replayed = events(say(client, conversation, "yes", Accept="text/event-stream", **key).text)
    assert replayed[-1] == ("done", first.json())
    shown = client.get(f"{BASE}/conversations/{conversation}").json()
    assert len(shown["messages"]) == 4
    other = say(client, conversation, "no", **key)
    assert other.status_code == 409


def test_an_unknown_conversation_is_not_found(client: TestClient) -> None:
    for answer in (
        say(client, "nobody", "greet"),
        say(client, "nobody", "hello", Accept="text/event-stream"),
        say(client, "nobody", "hello", **{"Idempotency-Key": "b-1"}),
        client.get(f"{BASE}/conversations/nobody"),
        client.get(f"{BASE}/conversations/nobody/traces"),
        client.post(f"{BASE}/conversations", json={"customer_email": "nobody@example.com"}),
        client.get(f"{BASE}/tickets/999"),
        client.post(f"{BASE}/messages/999/feedback", json={"rating": 1}),
    ):
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": 1}, {"text": "x" * 20_001}, {"text": "a", "b": 1}]
)
def test_a_wrong_body_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    answer = client.post(f"{BASE}/conversations/{begin(client)}/messages", json=body)
    assert answer.status_code == 422


def test_the_desk_takes_over_answers_and_returns(client: TestClient) -> None:
    conversation = begin(client)
    ticket = client.post(f"{BASE}/conversations/{conversation}/handover", json={}).json()
    assert (ticket["status"], ticket["reason"]) == ("open", "requested")
    assert say(client, conversation, "hello?").json()["handed_over"]
    spoken = client.post(f"{BASE}/conversations/{conversation}/agent-messages", json={"text": "Hi, Ben here"})
    assert spoken.json()["role"] == "agent"
    changed = client.patch(
        f"{BASE}/tickets/{ticket['id']}", json={"assignee": "Ben", "status": "pending"}
    ).json()
    assert (changed["assignee"], changed["status"]) == ("Ben", "pending")
    assert client.get(f"{BASE}/tickets", params={"status": "pending"}).json()["data"] == [changed]
    assert client.post(f"{BASE}/conversations/{conversation}/return").json()["status"] == "bot"
    assert client.get(f"{BASE}/tickets/{ticket['id']}").json()["status"] == "closed"
    assert say(client, conversation, "greet").json()["reply"]


def test_lists_come_in_pages_that_miss_and_repeat_nothing(client: TestClient) -> None:
    made = [begin(client) for _ in range(7)]
    seen: list[str] = []
    before = None
    while True:
        page = client.get(
            f"{BASE}/conversations", params={"limit": 3} | ({"before": before} if before else {})
        )
        seen += [conversation["id"] for conversation in page.json()["data"]]
        before = page.json()["next"]
        if before is None:
            break
    assert sorted(seen) == sorted(made)


def test_feedback_on_a_reply_is_kept(client: TestClient) -> None:
    conversation = begin(client)
    reply = say(client, conversation, "greet").json()["reply_id"]
    body = {"rating": -1, "comment": "no", "corrected_intent": "track_order", "corrected_commands": "orders"}
    for path in (f"/messages/{reply}/feedback", f"/conversations/{conversation}/messages/{reply}/feedback"):
        assert client.post(f"{BASE}{path}", json=body).status_code == 201
    for wrong in ({"rating": 5}, {"rating": -1, "corrected_commands": "fly away"}):
        assert client.post(f"{BASE}/messages/{reply}/feedback", json=wrong).status_code == 422


def test_a_text_is_classified_without_a_conversation(client: TestClient) -> None:
    found = client.post(f"{BASE}/classify", json={"text": "我的快递到哪了，订单 W1234567 = status"}).json()
    assert found["intent"]["name"] == "track_order"
    assert found["entities"]["order_numbers"] == ["W1234567"]
    assert found["language"] == "zh"


def test_a_draft_is_written_for_a_person_to_send(client: TestClient) -> None:
    conversation = begin(client)
    body = {"conversation_id": conversation, "text": "ask cancellation_fee"}
    draft = client.post(f"{BASE}/draft", json=body).json()
    assert draft["citations"] == ["Cancellations › Cancellation fee"]
    assert client.get(f"{BASE}/conversations/{conversation}").json()["messages"] == []
    said = f"{BASE}/conversations/{conversation}/agent-messages"
    sent = {"text": draft["reply"], "draft_id": draft["draft_id"]}
    assert client.post(said, json=sent).status_code == 201
    assert client.post(said, json={**sent, "draft_id": 999}).status_code == 404
    assert client.post(f"{BASE}/draft", json={"conversation_id": conversation}).status_code == 404


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "'; drop table messages; --", "\u202e\u0007{0}%s"]
)
def test_markup_and_sql_come_back_as_the_text_they_are(client: TestClient, text: str) -> None:
    conversation = begin(client, channel=text)
    say(client, conversation, text)
    client.post(f"{BASE}/conversations/{conversation}/handover", json={"reason": text})
    shown = client.get(f"{BASE}/conversations/{conversation}").json()
    assert shown["channel"] == text
    assert shown["messages"][0]["text"] == text


def test_a_trace_tells_how_long_each_step_took(client: TestClient) -> None:
    conversation = begin(client)
    say(client, conversation, "greet")
    trace = client.get(f"{BASE}/conversations/{conversation}/traces").json()["data"][0]
    assert trace["said"]["source"] == "written"
    assert all(value >= 0 for value in trace["milliseconds"].values())


def test_a_shop_tells_what_happened_to_an_order(
    client: TestClient, sqlite_shop: Database, order_of: OrderOf
) -> None:
    number = order_of(sqlite_shop, ANNA, OrderStatus.PENDING)
    told = {"status": "shipped", "tracking_number": "1Z9", "carrier": "DHL", "shipped_on": "2024-05-02"}
    answer = client.patch(f"{BASE}/orders/{number}", json=told)
    assert answer.status_code == 200
    assert answer.json()["before"]["status"] == "pending"
    assert answer.json()["after"]["1Z9.carrier"] == "DHL"
    assert client.patch(f"{BASE}/orders/{number}", json=told).json() == {"before": {}, "after": {}}
    with sqlite_shop.read() as session:
        order = session.scalars(select(Order).where(Order.number == number)).one()
        assert (order.status, order.shipments[-1].tracking_number) == (OrderStatus.SHIPPED, "1Z9")
        entry = session.scalars(select(AuditEntry).where(AuditEntry.order_id == order.id)).one()
        assert (entry.action, entry.before["status"]) == ("order_told", "pending")
    assert client.patch(f"{BASE}/orders/NO-1", json=told).status_code == 404
    assert client.patch(f"{BASE}/orders/{number}", json={"status": "eaten"}).status_code == 422
    assert client.patch(f"{BASE}/orders/{number}", json={"total": 1}).status_code == 422


def test_a_shop_tells_a_price_and_a_stock(client: TestClient, sqlite_shop: Database) -> None:
    with sqlite_shop.read() as session:
        sku = session.scalars(select(Variant.sku).limit(1)).one()
    answer = client.patch(f"{BASE}/variants/{sku}", json={"price": "12.95", "stock": 0})
    assert answer.status_code == 200
    with sqlite_shop.read() as session:
        variant = session.scalars(select(Variant).where(Variant.sku == sku)).one()
        assert (variant.price, variant.stock, can_have(variant)) == (1295, 0, False)
        assert session.scalars(select(AuditEntry.after).where(AuditEntry.action == "variant_told")).one()[
            "sku"
        ] == (sku)
    assert client.patch(f"{BASE}/variants/{sku}", json={"price": "12.955"}).status_code == 400
    assert client.patch(f"{BASE}/variants/none", json={"stock": 1}).status_code == 404
