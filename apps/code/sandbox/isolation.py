"""The walls of the sandbox: the command line that puts a program behind them.

Three kinds, the best that works here is used: bubblewrap; our own use of the same kernel namespaces
(`namespaces.py`); and, only when asked for, none but resource limits.
"""

import fcntl
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import BinaryIO

from apps.code.sandbox.limits import MIB, Limits, SandboxUnavailableError
from apps.code.sandbox.pipes import Pipe
from apps.code.sandbox.system_calls import forbidden_calls, has_filter

SCRATCH = "/tmp"
WORK = "/sandbox"
OUTPUT = "/output"
STARTED = "s"

_NOBODY = 65534
_SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/alternatives")
_DEVICES = ("null", "zero", "full", "random", "urandom")


class Isolation(StrEnum):
    BUBBLEWRAP = "bubblewrap"
    NAMESPACES = "namespaces"
    NONE = "none"


@dataclass(frozen=True)
class Walls:
    """What the program sees of the file system: `work` read-only at /sandbox, `output` writable as /output.

    The started command must inherit `calls`, which reads the bytes of `forbidden_calls()`; `info`, which
    bubblewrap tells the process id of its pid 1 (JSON, "child-pid"); and `status`, a pipe that STARTED is written
    into once the walls are up.
    """

    work: Path
    calls: int
    info: int
    status: int
    output: Path | None = None
    read_only: tuple[Path, ...] = ()


def enclose(isolation: Isolation, command: Sequence[str], walls: Walls, limits: Limits) -> list[str]:
    """The command that runs `command` inside; resource limits included."""
    limited = _with_limits(command, limits, walls.status)
    match isolation:
        case Isolation.BUBBLEWRAP:
            return _bubblewrap(limited, walls, limits)
        case Isolation.NAMESPACES:
            return _namespaces(limited, walls, limits)
        case Isolation.NONE:
            return limited


def best_isolation() -> Isolation:
    """The strongest isolation that works on this machine.

    Raises SandboxUnavailableError with what to install or allow when there is none.
    """
    refusals = []
    for isolation in (Isolation.BUBBLEWRAP, Isolation.NAMESPACES):
        refusal = why_unusable(isolation)
        if refusal is None:
            return isolation
        refusals.append(f"{isolation.value}: {refusal}")
    raise SandboxUnavailableError(
        "generated programs are not run, because nothing here can isolate them ("
        + "; ".join(refusals)
        + "). "
        "Install bubblewrap 0.7 or newer (apt install bubblewrap) and allow user namespaces; "
        "or run without isolation on a machine that you can afford to lose, by saying so explicitly."
    )


@cache
def why_unusable(isolation: Isolation) -> str | None:
    """None when a trivial program runs behind these walls here; else what went wrong."""
    if not sys.platform.startswith("linux"):
        return "needs Linux"
    missing = [tool for tool in ("prlimit", "setpriv") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} not found (util-linux)"
    if isolation is Isolation.BUBBLEWRAP:
        if shutil.which("bwrap") is None:
            return "bwrap not found"
        version = subprocess.run(
            ["bwrap", "--version"], capture_output=True, text=True, check=False
        ).stdout.split()
        if not version or _version(version[-1]) < (0, 7):
            return (
                f"{' '.join(version) or 'bwrap'} is too old (a size limit for the scratch folder came in 0.7)"
            )
    if not has_filter():
        return f"no system call filter is known for {os.uname().machine} processors"
    with readable(forbidden_calls()) as calls, tempfile.TemporaryFile() as info, Pipe() as status:
        walls = Walls(Path("/usr/bin"), calls.fileno(), info.fileno(), status.inlet)
        trial = subprocess.run(
            enclose(isolation, ["/bin/true"], walls, Limits()),
            pass_fds=(walls.calls, walls.info, walls.status),
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        started = status.read_all() == STARTED.encode()
    return None if trial.returncode == 0 and started else trial.stderr.strip() or f"exit {trial.returncode}"


def readable(data: bytes) -> BinaryIO:
    """An open file, at its beginning, that a program can read `data` from but not change."""
    descriptor = os.memfd_create("duet", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    file = os.fdopen(descriptor, "r+b")
    file.write(data)
    file.flush()
    file.seek(0)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    return file


def sandbox_user() -> int | None:
    """The user id for one run when we are root, else None (a user namespace then does the same).

    Root is exempt from RLIMIT_NPROC, so the program must not be root; a fresh id per run makes the limit
    count that run only.
    """
    return random.randrange(20_000, 60_000) if os.geteuid() == 0 else None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def _with_limits(command: Sequence[str], limits: Limits, status: int) -> list[str]:
    cpu_s = max(1, round(limits.cpu_s + 0.5))
    address_space = limits.address_space_bytes or limits.memory_bytes + 4096 * MIB
    return [
        "prlimit",
        # SIGXCPU at the limit can be ignored, SIGKILL a second later cannot
        f"--cpu={cpu_s}:{cpu_s + 1}",
        f"--as={address_space}",
        f"--stack={limits.stack_bytes}",
        # the watchdog stops and names a fork bomb at the limit; this holds it until then
        f"--nproc={limits.processes + 32}",
        f"--nofile={limits.open_files}",
        f"--fsize={limits.file_bytes}",
        "--core=0",
        "--",
        # the last step before the program: whatever ends before it is the sandbox's own failure
        *("sh", "-c", f'printf {STARTED} >"/proc/self/fd/$0"; exec "$@"', str(status)),
        *command,
    ]


def _mounts(walls: Walls) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(read-only binds source → target, symbolic links target → name) of a minimal system."""
    binds, links = [("/usr", "/usr")], []
    for name in ("/bin", "/lib", "/lib64", "/lib32", "/libx32", "/sbin"):
        path = Path(name)
        if path.is_symlink():
            links.append((str(path.readlink()), name))
        elif path.is_dir():
            binds.append((name, name))
    extra = [path for path in walls.read_only if not path.is_relative_to("/usr")]
    binds += [(str(path), str(path)) for path in (*map(Path, _SYSTEM_FILES), *extra) if path.exists()]
    binds.append((str(walls.work), WORK))
    return binds, links


def _bubblewrap(command: Sequence[str], walls: Walls, limits: Limits) -> list[str]:
    binds, links = _mounts(walls)
    arguments = ["bwrap", "--die-with-parent", "--new-session", "--hostname", "sandbox"]
    arguments += ["--seccomp", str(walls.calls), "--info-fd", str(walls.info)]
    arguments += ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    user = sandbox_user()
    if user is None:
        arguments += ["--unshare-user", "--disable-userns", "--uid", str(_NOBODY), "--gid", str(_NOBODY)]
    arguments += ["--size", str(limits.scratch_bytes), "--perms", "1777", "--tmpfs", SCRATCH]
    for source, target in binds:
        # the folders on the way to a target are closed to others unless made on their own
        for folder in reversed(Path(target).parents[:-1]):
            arguments += ["--dir", str(folder)]
        arguments += ["--ro-bind", source, target]
    for target, name in links:
        arguments += ["--symlink", target, name]
    if walls.output is not None:
        arguments += ["--bind", str(walls.output), OUTPUT]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    # bubblewrap's own root and /dev are tmpfs without a size: if writable, a way around the memory limit
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", SCRATCH]
    if user is None:
        return [*arguments, "--", *command]
    _give(walls.output, user)
    arguments += ["--cap-drop", "ALL"]
    for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
        arguments += ["--cap-add", capability]
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    become += ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]
    return [*arguments, "--", *become, *command]


def _namespaces(command: Sequence[str], walls: Walls, limits: Limits) -> list[str]:
    binds, links = _mounts(walls)
    user = sandbox_user()
    if user is not None:
        _give(walls.output, user)
    plan = {
        "read_only": binds,
        "links": links,
        "writable": [] if walls.output is None else [(str(walls.output), OUTPUT)],
        "devices": _DEVICES,
        "scratch": SCRATCH,
        "scratch_bytes": limits.scratch_bytes,
        "user": user,
        "forbidden_calls": forbidden_calls().hex(),
        "command": list(command),
    }
    script = Path(__file__).with_name("namespaces.py")
    return [sys.executable, "-I", "-S", str(script), json.dumps(plan)]


def _give(folder: Path | None, user: int) -> None:
    """The folder and what is in it, which another user of a run before may have left."""
    if folder is None:
        return
    os.chown(folder, user, user)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), user, user, follow_symlinks=False)
