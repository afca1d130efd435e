"""How much memory all sandboxed programs of this process may use together."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


class MemoryBudget:
    """Runs wait until what they may use fits in. One that is larger than all of it runs alone."""

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = total_bytes
        self._used_bytes = 0
        self._changed = threading.Condition()

    @contextmanager
    def of(self, wanted_bytes: int) -> Iterator[None]:
        """Take a share for as long as the `with` lasts. Must not be nested: two that wait for each other never end."""
        share = min(wanted_bytes, self.total_bytes)
        with self._changed:
            self._changed.wait_for(lambda: self._used_bytes + share <= self.total_bytes)
            self._used_bytes += share
        try:
            yield
        finally:
            with self._changed:
                self._used_bytes -= share
                self._changed.notify_all()


def machine_bytes() -> int:
    """The machine's memory, or what a container leaves of it."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE")
    for path in map(Path, _CGROUP_LIMITS):
        try:
            total = min(total, int(path.read_text()))
        except (OSError, ValueError):  # no such cgroup, or "max"
            continue
    return total


BUDGET = MemoryBudget(machine_bytes() // 2)
"""Half of the memory: the model needs the other one."""
