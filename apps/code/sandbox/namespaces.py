"""Run a command in new Linux namespaces: what bubblewrap does, for machines that have no bubblewrap.

A program of its own (`python -I -S namespaces.py PLAN`, see `isolation.py` for the plan), because a process
must be single-threaded to enter a user namespace. Three processes: the outer one waits, the middle one builds
the new root and is pid 1 of the pid namespace (when it ends, the kernel ends everything in there), the inner
one becomes the command.

Sources: unshare(2), user_namespaces(7), pid_namespaces(7), pivot_root(2), mount_setattr(2), prctl(2).
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
_CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT = 1, 2, 4, 32
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_MNT_DETACH = 2
_SYS_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 24, 38
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_NOBODY = 65534

_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("attr_set", "attr_clr", "propagation", "userns_fd")]


def _call(what: str, function: Any, *arguments: Any) -> None:
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    arguments = [text.encode() for text in (source, target, kind)]
    _call(f"mount {target}", _libc.mount, *arguments, ctypes.c_ulong(flags), options.encode())


def _bind(source: str, target: str, read_only: bool) -> None:
    if Path(source).is_dir():
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).touch()
    _mount(source, target, "none", _MS_BIND | _MS_REC)
    if read_only:
        attributes = _MountAttributes(attr_set=_MOUNT_ATTR_RDONLY)
        size = ctypes.c_size_t(ctypes.sizeof(attributes))
        arguments = (_AT_FDCWD, target.encode(), _AT_RECURSIVE, ctypes.byref(attributes), size)
        _call(f"read-only {target}", _libc.syscall, _SYS_MOUNT_SETATTR, *arguments)


def _enter(as_root: bool) -> None:
    flags = _CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWPID | _CLONE_NEWNET
    user, group = os.getuid(), os.getgid()
    _call("unshare", _libc.unshare, flags if as_root else flags | _CLONE_NEWUSER)
    if not as_root:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{_NOBODY} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{_NOBODY} {group} 1")


def _build_root(plan: dict[str, Any]) -> None:
    """A tmpfs with the planned binds becomes /; everything else is gone."""
    _mount("none", "/", "none", _MS_REC | _MS_PRIVATE)
    # /proc is the one folder that is sure to exist and is never the source of a bind
    root = "/proc"
    _mount("tmpfs", root, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755,size=1m")
    for folder in ("proc", plan["scratch"].lstrip("/")):
        Path(root, folder).mkdir(parents=True, exist_ok=True)
    scratch_options = f"mode=1777,size={plan['scratch_bytes']}"
    _mount("tmpfs", root + plan["scratch"], "tmpfs", _MS_NOSUID | _MS_NODEV, scratch_options)
    for source, target in plan["read_only"]:
        _bind(source, root + target, read_only=True)
    for source, target in plan["writable"]:
        _bind(source, root + target, read_only=False)
    for device in plan["devices"]:
        _bind(f"/dev/{device}", f"{root}/dev/{device}", read_only=False)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        Path(f"{root}/dev/{name}").symlink_to(target)
    for target, name in plan["links"]:
        Path(root + name).symlink_to(target)
    _mount("proc", f"{root}/proc", "proc", _MS_NOSUID | _MS_NODEV)
    os.chdir(root)
    _call("pivot_root", _libc.syscall, _SYS_PIVOT_ROOT[os.uname().machine], b".", b".")
    _call("leave the old root", _libc.umount2, b".", _MNT_DETACH)
    _mount("none", "/", "none", _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_BIND)


def _become(user: int | None) -> None:
    """Give up every privilege for good."""
    for capability in range(64):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails past the last one the kernel knows
    _call("no new privileges", _libc.prctl, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


class _FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("rules", ctypes.c_char_p)]


def _forbid_calls(rules: bytes) -> None:
    program = _FilterProgram(len(rules) // 8, rules)
    _call(
        "system call filter", _libc.prctl, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0
    )


def _exit_as(pid: int) -> NoReturn:
    """Wait for `pid`, reaping orphans, and end as it did; a signal n becomes exit code 128 + n."""
    while True:
        ended, status = os.wait()
        if ended == pid:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _die_with_parent() -> None:
    _call("die with parent", _libc.prctl, _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def main() -> None:
    plan = json.loads(sys.argv[1])
    _die_with_parent()
    _enter(as_root=plan["user"] is not None)
    init = os.fork()
    if init:
        _exit_as(init)
    _die_with_parent()
    os.setsid()
    _build_root(plan)
    inner = os.fork()
    if inner:
        _exit_as(inner)
    _become(plan["user"])
    os.chdir(plan["scratch"])
    _forbid_calls(bytes.fromhex(plan["forbidden_calls"]))
    os.execvp(plan["command"][0], plan["command"])


if __name__ == "__main__":
    main()
