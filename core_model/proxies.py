"""The environment's proxies, as httpx and what stands on it can use them."""

from __future__ import annotations

import ipaddress
import os

_NAMES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def proxy_variables() -> str:
    """The variables that are set, for messages about them."""
    found = [name for name in (*_NAMES, *map(str.lower, _NAMES)) if os.environ.get(name)]
    return ", ".join(found) or "the proxy settings"


def write_no_proxy_for_httpx() -> None:
    """Rewrite NO_PROXY in this process's environment: httpx breaks at IPv6 addresses as other programs take them.

    `[::1]` and `::1/128` become `::1`; a network of several IPv6 addresses is left out, as httpx knows none.
    """
    for name in ("NO_PROXY", "no_proxy"):
        hosts = os.environ.get(name)
        if hosts:
            readable = [_for_httpx(host.strip()) for host in hosts.split(",")]
            os.environ[name] = ",".join(host for host in readable if host)


def _for_httpx(host: str) -> str:
    bare = host.removeprefix("[").replace("]", "", 1) if host.startswith("[") else host
    try:
        network = ipaddress.ip_network(bare, strict=False)
    except ValueError:
        return host
    if network.version == 4:
        return host
    return str(network.network_address) if network.num_addresses == 1 else ""
