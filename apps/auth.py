"""Who may talk to the server and do what: keys with scopes, and nobody but this machine while there is none."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit


class AuthError(Exception):
    """The caller has not shown a valid key."""


class NeedsKeyError(AuthError):
    """There are keys, and the caller has shown none of them."""


class ScopeError(Exception):
    """The caller's key is valid but not for this."""

    def __init__(self, scopes: Iterable[Scope]) -> None:
        self.scopes = tuple(scopes)
        super().__init__(f"this key lacks the scope {' or '.join(self.scopes)}")


class RateLimitError(Exception):
    """The caller has sent more `what` than are taken."""

    def __init__(self, what: str, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"rate limit reached: {what}; try again in {retry_after_s} s")


class KeyNameError(Exception):
    """A key's name is taken, unknown or unusable."""


class UnprotectedServerError(Exception):
    """The server was about to listen to other machines without a key."""


class Scope(StrEnum):
    """What a key may be used for. `admin` includes all, `trusted` includes `support`."""

    MODELS = "models"  # OpenAI's endpoints and the code assistant
    SUPPORT = "support"  # conversations, as a channel whose word is not taken for anything
    TRUSTED = "trusted"  # conversations whose customer the caller names
    DESK = "desk"  # what people at the desk see and do
    ADMIN = "admin"  # adapters, and everything else


@dataclass(frozen=True)
class Caller:
    """Who sent a request. `limited` is False for this machine's own, keyless requests."""

    name: str
    scopes: frozenset[Scope]
    limited: bool = True

    def allows(self, scope: Scope) -> bool:
        if Scope.ADMIN in self.scopes or scope in self.scopes:
            return True
        return scope is Scope.SUPPORT and Scope.TRUSTED in self.scopes

    def require(self, *scopes: Scope) -> None:
        """Raise ScopeError unless one of the scopes is given."""
        if scopes and not any(self.allows(scope) for scope in scopes):
            raise ScopeError(scopes)


_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
LOCAL = Caller("this machine", frozenset({Scope.ADMIN}), limited=False)


class KeyStore(Protocol):
    """The keys in the database."""

    def find(self, key: str) -> Caller | None: ...

    def any(self) -> bool: ...


class Access:
    """Tells who a request comes from."""

    def __init__(self, host: str, configured: Sequence[str], stored: KeyStore) -> None:
        """`host` is the address listened to, `configured` the full-access keys of DUET_API_KEYS."""
        self._listens_to_others = not is_loopback(host)
        self._host = host
        self._configured = configured
        self._stored = stored

    def needs_key(self) -> bool:
        """Whether there is any key, so that one must be shown. Raises DatabaseNotReadyError."""
        return bool(self._configured) or self._stored.any()

    def check_listening(self) -> None:
        """Raise UnprotectedServerError where other machines could reach a server that asks for no key."""
        if self._listens_to_others and not self.needs_key():
            raise UnprotectedServerError(
                f"{self._host} can be reached from other machines, and no key protects it: make one with "
                "`duet keys create`, set DUET_API_KEYS, or listen on 127.0.0.1"
            )

    def caller(self, authorization: str | None, host: str | None, *, forwarded: bool = False) -> Caller:
        """Who sends a request with the headers of these names.

        Raises AuthError unless it carries a key, or there is none and it is a local one. Without keys a request
        under another host name is refused: it is what a foreign web page can make a browser send here (DNS
        rebinding); and one that a proxy has `forwarded`, which may come from anywhere.
        """
        scheme, _, shown = (authorization or "").partition(" ")
        shown = shown.strip()
        if scheme.lower() == "bearer" and shown:
            # Every key is compared, and in constant time, so that the time taken tells nothing.
            matches = [hmac.compare_digest(shown.encode(), key.encode()) for key in self._configured]
            if any(matches):
                return Caller(f"DUET_API_KEYS {matches.index(True) + 1}", frozenset({Scope.ADMIN}))
            found = self._stored.find(shown)
            if found is not None:
                return found
        if self._listens_to_others or self.needs_key():
            raise NeedsKeyError("a valid API key is needed: Authorization: Bearer KEY")
        if forwarded:
            raise AuthError(
                "a proxy has sent this, and the server has no API keys: make one with `duet keys create`, or set "
                "DUET_API_KEYS, before others can reach it"
            )
        name = _host_name(host or "")
        if not is_loopback(name):
            raise AuthError(
                f"this server has no API keys (`duet keys create`, DUET_API_KEYS) and answers to localhost only, "
                f"not {name!r}"
            )
        return LOCAL


def is_forwarded(headers: Mapping[str, str]) -> bool:
    """Whether a proxy says that it passes somebody else's request on."""
    return any(name in headers for name in _FORWARDED)


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine and no other."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
