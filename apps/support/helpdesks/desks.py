"""What every desk can do, and how it is talked to."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx

from apps.support.errors import DeliveryError, SignatureError
from apps.support.shop.models import DeskEvent, DeskName, PostKind
from core_model.proxies import proxy_variables

MOST_AGE = timedelta(minutes=5)
"""An older signed request may be one that somebody has recorded and sends again."""
TIMEOUT_S = 10.0
_FINAL = frozenset({400, 404, 405, 410, 413, 422})
"""Answers that another attempt cannot change. 401 and 403 are not among them: a token can be put right."""


@dataclass(frozen=True)
class Outgoing:
    """A post for the thread that is about to be sent, and what tells whether it is there already."""

    post_id: int
    kind: PostKind
    desk: DeskName
    thread: str
    attempt: int
    maybe_sent: bool  # an earlier attempt may have arrived
    text: str
    private: bool  # for people at the desk only
    closing: bool  # people take over: the thread does not wait for the customer
    farewell: bool  # the customer has said thanks or good-bye: the thread waits for nobody
    after: str | None  # the message that it answers
    written_at: datetime
    known: frozenset[str]  # the desk's names for other messages that were sent


class Desk(Protocol):
    """A desk's webhooks and API. What talks to the desk raises DeliveryError."""

    name: DeskName

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> DeskEvent | None:
        """What a webhook brings; None where it is nothing to answer. Raises SignatureError, PayloadError."""

    def say(self, thread: str, message: Outgoing) -> str | None:
        """Send a message; its name at the desk."""

    def find(self, thread: str, message: Outgoing) -> str | None:
        """The name of the message at the desk, if it has arrived there."""

    def hand_over(self, thread: str) -> None:
        """People at the desk take the thread. May be repeated."""

    def take_back(self, thread: str) -> None:
        """The assistant answers again. May be repeated."""

    def close(self) -> None: ...


def check_signature(expected: str, shown: str | None, sent_at: datetime, now: datetime) -> None:
    """Raise SignatureError unless the signature is right and the request is new."""
    if shown is None or not hmac.compare_digest(expected.encode(), shown.encode("utf-8", "replace")):
        raise SignatureError("the signature does not fit: is the webhook's secret the one in the settings?")
    if abs(now - sent_at) > MOST_AGE:
        raise SignatureError("the request is not from now: is one of the clocks wrong?")


def same_text(one: str | None, other: str) -> bool:
    """Whether two texts are equal but for white space, which desks trim."""
    return one is not None and one.split() == other.split()


class DeskClient:
    """A desk's API. The connection is made at the first request: a proxy that is set wrongly stops no server."""

    def __init__(self, url: str, **options: Any) -> None:
        self._url = httpx.URL(url)
        self._options = options
        self._client: httpx.Client | None = None

    def send(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """A request and its JSON answer. Raises DeliveryError."""
        host = self._url.host
        try:
            if self._client is None:
                self._client = httpx.Client(base_url=self._url, timeout=TIMEOUT_S, **self._options)
            answer = self._client.request(method, path, **options)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise DeliveryError(f"{host} cannot be reached: {error}") from error
        except httpx.HTTPError as error:
            raise DeliveryError(f"{host} did not answer: {error!r}", reached=True) from error
        except (httpx.InvalidURL, ImportError, ValueError) as error:  # a proxy that httpx cannot use
            raise DeliveryError(f"{host} cannot be reached: {error} (see {proxy_variables()})") from error
        if answer.is_success:
            return _json(answer)
        problem = f"{host} answered {answer.status_code} to {method} {path}: {answer.text[:200]}"
        raise DeliveryError(
            problem,
            final=answer.status_code in _FINAL or answer.is_redirect,
            reached=answer.status_code >= 500,
            retry_after_s=_seconds(answer.headers.get("Retry-After")),
        )

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = None  # taken, and nothing told
    return body if isinstance(body, dict) else {}


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdigit() else None
