"""Pipes between this process and a sandboxed program, which has another user id."""

from __future__ import annotations

import os
from types import TracebackType


class Pipe:
    """`inlet` is written, `outlet` read; both are file descriptors of this process, closed when a `with` ends.

    A program behind the walls may also open either by its name in /proc/self/fd, whoever it is there.
    """

    def __init__(self, content: bytes | None = None) -> None:
        """With `content`, at most 64 KiB, the pipe has just that and then ends."""
        self.outlet, self.inlet = os.pipe()
        os.fchmod(self.inlet, 0o666)
        os.set_blocking(self.outlet, content is not None)
        if content is not None:
            os.write(self.inlet, content)
            self.close_inlet()

    def read_all(self, most_bytes: int = 65536) -> bytes:
        """What has been written so far, up to a size. Does not wait."""
        found = bytearray()
        while len(found) < most_bytes:
            try:
                data = os.read(self.outlet, 65536)
            except BlockingIOError:
                break
            if not data:
                break
            found += data
        return bytes(found)

    def close_inlet(self) -> None:
        if self.inlet >= 0:
            os.close(self.inlet)
            self.inlet = -1

    def close_outlet(self) -> None:
        if self.outlet >= 0:
            os.close(self.outlet)
            self.outlet = -1

    def release_inlet(self) -> int:
        """Whoever takes it closes it."""
        taken, self.inlet = self.inlet, -1
        return taken

    def release_outlet(self) -> int:
        """Whoever takes it closes it."""
        taken, self.outlet = self.outlet, -1
        return taken

    def __enter__(self) -> Pipe:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close_inlet()
        self.close_outlet()
