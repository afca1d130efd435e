"""The system calls a sandboxed program is refused, as a seccomp filter (classic BPF).

They are ways to hold memory that no limit of ours counts (anonymous memory files, System V shared memory,
kernel keys), to go around this filter (io_uring), or doors into the kernel that a solution never needs.
Sources: seccomp(2), linux/filter.h, linux/audit.h, the kernel's syscall tables.
"""

import errno
import os
import struct

# name → number on x86_64, number in the table that all newer architectures share
_FORBIDDEN = {
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "ptrace": (101, 117),
    "mount": (165, 40),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "perf_event_open": (298, 241),
    "setns": (308, 268),
    "memfd_create": (319, 279),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "memfd_secret": (447, 447),
}
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # audit number, column above
_X32_CALLS = 0x40000000  # x86_64 has a second entry to the same calls, numbered from here

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET = 0, 4  # struct seccomp_data


def has_filter() -> bool:
    return os.uname().machine in _ARCHITECTURES


def forbidden_calls() -> bytes:
    """The filter for this machine's architecture, as an array of struct sock_filter."""
    architecture, column = _ARCHITECTURES[os.uname().machine]
    numbers = [pair[column] for pair in _FORBIDDEN.values()]
    rules = [
        (_LOAD, 0, 0, _ARCHITECTURE_OFFSET),
        (_JUMP_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_OFFSET),
        (_JUMP_IF_AT_LEAST, len(numbers) + 1, 0, _X32_CALLS),
    ]
    # each comparison jumps over the rest and the "allow" to the "fail" at the end
    rules += [(_JUMP_IF_EQUAL, len(numbers) - index, 0, number) for index, number in enumerate(numbers)]
    rules += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _FAIL)]
    return b"".join(struct.pack("=HBBI", *rule) for rule in rules)
