"""The system calls a sandboxed program is refused, as a seccomp filter (classic BPF).

They are ways to hold memory that no limit of ours counts (anonymous memory files, System V shared memory, kernel keys,
network buffers, file systems of one's own), to get the privileges for that (namespaces), to go around this filter
(io_uring), or doors into the kernel that a solution never needs.
Sources: seccomp(2), clone(2), linux/filter.h, linux/audit.h, the kernel's syscall tables.
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
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "mount": (165, 40),
    "umount2": (166, 39),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "perf_event_open": (298, 241),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "memfd_create": (319, 279),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "pidfd_getfd": (438, 438),
    "mount_setattr": (442, 442),
    "memfd_secret": (447, 447),
}
_CLONE = (56, 220)
# its flags lie in memory, which a filter cannot see: the C library falls back to clone where it is unknown
_CLONE3 = (435, 435)
_SOCKETS = {"socket": (41, 198), "socketpair": (53, 199)}
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, _NEWCGROUP, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET
_AF_UNIX = 1
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # audit number, column above
_X32_CALLS = 0x40000000  # x86_64 has a second entry to the same calls, numbered from here

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _JUMP_IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
_UNKNOWN = 0x00050000 | errno.ENOSYS
# in struct seccomp_data; the lower half of the first argument
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET, _ARGUMENT_OFFSET = 0, 4, 16


def has_filter() -> bool:
    return os.uname().machine in _ARCHITECTURES


def forbidden_calls() -> bytes:
    """The filter for this machine's architecture, as an array of struct sock_filter.

    A jump's two numbers are how many rules it skips when its test holds, and when it does not.
    """
    architecture, column = _ARCHITECTURES[os.uname().machine]
    rules = [
        (_LOAD, 0, 0, _ARCHITECTURE_OFFSET),
        (_JUMP_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_OFFSET),
        (_JUMP_IF_AT_LEAST, 0, 1, _X32_CALLS),
        (_RETURN, 0, 0, _FAIL),
        (_JUMP_IF_EQUAL, 0, 1, _CLONE3[column]),
        (_RETURN, 0, 0, _UNKNOWN),
    ]
    for number in (pair[column] for pair in _FORBIDDEN.values()):
        rules += [(_JUMP_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _FAIL)]
    rules += [
        (_JUMP_IF_EQUAL, 0, 4, _CLONE[column]),
        (_LOAD, 0, 0, _ARGUMENT_OFFSET),
        (_JUMP_IF_ANY_BIT, 0, 1, _NEW_NAMESPACES),
        (_RETURN, 0, 0, _FAIL),
        (_RETURN, 0, 0, _ALLOW),
    ]
    for number in (pair[column] for pair in _SOCKETS.values()):
        rules += [
            (_JUMP_IF_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _ARGUMENT_OFFSET),
            (_JUMP_IF_EQUAL, 1, 0, _AF_UNIX),
            (_RETURN, 0, 0, _FAIL),
            (_RETURN, 0, 0, _ALLOW),
        ]
    rules += [(_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *rule) for rule in rules)
