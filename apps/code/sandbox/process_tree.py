"""What a process and all its descendants use right now, read from /proc (Linux)."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_FIRST_ROOM = 256
_PAGE_BYTES = os.sysconf("SC_PAGESIZE")


@dataclass(frozen=True)
class Usage:
    processes: tuple[int, ...]
    tasks: int
    cpu_s: float
    resident_bytes: int
    open_files: int


def descendants(root: int) -> list[int]:
    """`root` and every process below it, root first. Orphans of a pid namespace hang below its pid 1."""
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        try:
            tasks = list(Path(f"/proc/{pid}/task").iterdir())
        except OSError:  # it ended while we were looking
            continue
        for task in tasks:
            try:
                waiting += map(int, (task / "children").read_bytes().split())
            except OSError:
                continue
    return found


def usage(root: int) -> Usage:
    """CPU time includes that of children already waited for."""
    pids = descendants(root)
    tasks, ticks, pages, files = 0, 0, 0, 0
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_bytes()
        except OSError:
            continue
        files += _open_files(pid)
        # proc(5); the name in parentheses may itself contain spaces and parentheses
        fields = stat[stat.rindex(b")") + 2 :].split()
        ticks += sum(map(int, fields[11:15]))
        tasks += int(fields[17])
        pages += int(fields[21])
    return Usage(tuple(pids), tasks, ticks / _TICKS_PER_S, pages * _PAGE_BYTES, files)


def _open_files(pid: int) -> int:
    """Linux 6.2 and newer say it as the folder's size, to everyone; older ones to whoever may look inside.

    Everyone else is told how many there is room for: doubled when it is full, so that more than half of it was used.
    """
    folder = Path(f"/proc/{pid}/fd")
    try:
        return folder.stat().st_size or len(list(folder.iterdir()))
    except PermissionError:
        return _room_for_files(pid) // 2
    except OSError:  # it has ended
        return 0


def _room_for_files(pid: int) -> int:
    """0 for the room that every process begins with."""
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return 0
    room = next((int(line[7:]) for line in status.splitlines() if line.startswith(b"FDSize:")), 0)
    return room if room > _FIRST_ROOM else 0


def proportional_bytes(pids: tuple[int, ...]) -> int:
    """Memory of these processes with shared pages counted once, as far as the kernel lets us read it."""
    total_kib = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_bytes()
        except OSError:
            continue
        for line in rollup.splitlines():
            if line.startswith(b"Pss:"):
                total_kib += int(line.split()[1])
    return total_kib * 1024
