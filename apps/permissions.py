"""What a route asks of its caller, and how often a key may ask."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from apps.auth import AuthError, Caller, RateLimitError, Scope

MOST_WRONG_KEYS = 20
"""A minute, from one address."""
MOST_LET_IN = 10_000


def caller_of(request: Request) -> Caller:
    """FastAPI dependency: who sent the request, as the server found out before."""
    caller: Caller = request.state.caller
    return caller


def needs(*scopes: Scope) -> Any:
    """A FastAPI dependency of a route: one of the scopes; with none, any key. Raises ScopeError."""
    return Depends(Needs(scopes))


@dataclass(frozen=True)
class Needs:
    """What a route asks of its caller."""

    scopes: tuple[Scope, ...]

    def __call__(self, request: Request) -> None:
        caller_of(request).require(*self.scopes)


class RateLimiter:
    """Requests of each key in the last minute, in this process."""

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def check(self, caller: Caller) -> None:
        """Count a request. Raises RateLimitError where it is one too many."""
        if caller.limited and not self._window.hit(self._limit, caller.name):
            free_at, _ = self._window.get_window_stats(self._limit, caller.name)
            wait_s = max(1, math.ceil(free_at - time.time()))
            raise RateLimitError(f"{self._limit.amount} requests a minute for one key", wait_s)


class FailureLimiter:
    """Wrong keys of each address in the last minute, in this process.

    Where there were too many, no key is looked at any more, except one that this address was let in with before.
    """

    def __init__(self, per_minute: int = MOST_WRONG_KEYS) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._let_in: set[tuple[str, str]] = set()

    def checked(self, address: str, find: Callable[[], Caller]) -> Caller:
        """The caller that `find` finds. Raises what it raises, and RateLimitError."""
        is_open = self._window.test(self._limit, address)
        try:
            caller = find()
        except AuthError:
            if is_open:
                self._window.hit(self._limit, address)
                raise
            raise self._refusal(address) from None
        if not is_open and (address, caller.name) not in self._let_in:
            raise self._refusal(address)
        self._let_in.add((address, caller.name))
        if len(self._let_in) > MOST_LET_IN:
            self._let_in.clear()
        return caller

    def _refusal(self, address: str) -> RateLimitError:
        free_at, _ = self._window.get_window_stats(self._limit, address)
        return RateLimitError(
            "too many wrong keys from this address", max(1, math.ceil(free_at - time.time()))
        )
