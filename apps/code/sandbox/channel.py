"""What a program tells over a channel of its own, signed with a secret of the run (`apps/code/runtimes`)."""

from __future__ import annotations

import secrets


def new_secret() -> bytes:
    """32 bytes that stand at a line's beginning."""
    return secrets.token_hex(16).encode()


def signed_lines(report: bytes, secret: bytes) -> tuple[tuple[str, ...], bool]:
    """What was told with the secret, in order, and whether the end was: a last line that is the secret alone.

    A line without the secret is somebody else's; a report that has one has no end.
    """
    mark = secret.decode()
    *lines, rest = report.decode(errors="replace").split("\n")
    told = [line.removeprefix(mark) for line in lines if line.startswith(mark)]
    ended = not rest and len(told) == len(lines) and told[-1:] == [""] and "" not in told[:-1]
    return tuple(line for line in told if line), ended
