"""What a route asks of its caller, and how often a key may ask."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from apps.auth import Caller, RateLimitError, Scope


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
            raise RateLimitError(self._limit.amount, max(1, math.ceil(free_at - time.time())))
