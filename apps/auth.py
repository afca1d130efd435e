"""Who may talk to the server: bearer keys, and nobody but this machine while there is none."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit


class AuthError(Exception):
    """The caller has not shown a valid key."""


class UnprotectedServerError(Exception):
    """The server was about to listen to other machines without a key."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine and no other."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_listening(host: str, keys: Sequence[str]) -> None:
    """Raise UnprotectedServerError where other machines could reach a server that asks for no key."""
    if not keys and not is_loopback(host):
        raise UnprotectedServerError(
            f"{host} can be reached from other machines, and no key protects it: set DUET_API_KEYS, "
            "or listen on 127.0.0.1"
        )


def check_request(keys: Sequence[str], authorization: str | None, host: str | None) -> None:
    """Raise AuthError unless the request carries one of the keys, or there are none and it is a local one.

    `authorization` and `host` are the headers of those names. Without keys a request under another host name
    is refused: it is what a foreign web page can make a browser send here (DNS rebinding).
    """
    if not keys:
        name = urlsplit(f"//{host or ''}").hostname or ""
        if not is_loopback(name):
            raise AuthError(
                f"this server has no API keys (DUET_API_KEYS) and answers to localhost only, not {name!r}"
            )
        return
    scheme, _, shown = (authorization or "").partition(" ")
    # Every key is compared, and in constant time, so that the time taken tells nothing.
    matches = [hmac.compare_digest(shown.strip().encode(), key.encode()) for key in keys]
    if scheme.lower() != "bearer" or not any(matches):
        raise AuthError("a valid API key is needed: Authorization: Bearer KEY")
