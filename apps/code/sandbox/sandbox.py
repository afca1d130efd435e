"""One run: start the program behind the walls, watch it, stop it, name what happened."""

import json
import os
import re
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apps.code.sandbox.isolation import SCRATCH, Isolation, Walls, best_isolation, enclose, readable
from apps.code.sandbox.limits import Limits, Outcome, Run, SandboxError
from apps.code.sandbox.process_tree import descendants, proportional_bytes, usage
from apps.code.sandbox.system_calls import forbidden_calls

_POLL_S = 0.01
_STOP_S = 10.0
_OWN_TASKS = 2  # the outer process of the sandbox and its pid 1
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": SCRATCH, "TMPDIR": SCRATCH, "LANG": "C.UTF-8"}

# A limit held by the kernel shows as a failed call inside the program: its runtime's own words name it.
_WORDS = (
    (
        Outcome.MEMORY_LIMIT,
        re.compile(
            r"^MemoryError|std::bad_alloc|OutOfMemoryError: Java heap|OutOfMemoryError: GC overhead"
            r"|Cannot allocate memory|out of memory|virtual memory exhausted",
            re.MULTILINE,
        ),
    ),
    (
        Outcome.PROCESS_LIMIT,
        re.compile(r"Resource temporarily unavailable|can't start new thread|unable to create native thread"),
    ),
    (
        Outcome.FILE_LIMIT,
        re.compile(r"File too large|No space left on device|Too many open files|File size limit exceeded"),
    ),
)


class Sandbox:
    """Runs commands isolated. Safe to share between threads; each `run` blocks its own thread.

    Raises SandboxUnavailableError when this machine offers no isolation, unless `isolation` names one
    (`Isolation.NONE`: resource limits only, for a machine that you can afford to lose).
    """

    def __init__(self, isolation: Isolation | None = None) -> None:
        self.isolation = best_isolation() if isolation is None else isolation

    def run(
        self,
        command: Sequence[str],
        *,
        work: Path,
        output: Path | None = None,
        read_only: Sequence[Path] = (),
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        limits: Limits = Limits(),
    ) -> Run:
        """Run `command` with `work` as /sandbox (read-only), `output` as /output (writable), /tmp as scratch.

        Without isolation these folders are not mapped: the command must then name real paths
        (`path_inside` gives the right one for either). Raises SandboxError when the walls cannot be put up.
        """
        with (
            readable(stdin) as source,
            readable(forbidden_calls()) as calls,
            tempfile.TemporaryFile() as info,
        ):
            walls = Walls(work, calls.fileno(), info.fileno(), output, tuple(read_only))
            process = subprocess.Popen(
                enclose(self.isolation, command, walls, limits),
                pass_fds=(walls.calls, walls.info),
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**_ENVIRONMENT, **(environment or {})},
                cwd=work if self.isolation is Isolation.NONE else "/",
                start_new_session=True,
            )
            run = _Watch(process, limits, self.isolation).until_the_end()
            if self.isolation is Isolation.BUBBLEWRAP:
                info.seek(0)
                _wait_for_empty_namespace(info.read())
        if run.outcome is Outcome.WRONG_EXIT and run.stderr.startswith(
            ("bwrap: ", "prlimit: failed", "setpriv: ")
        ):
            raise SandboxError(run.stderr.strip())
        return run

    def path_inside(self, folder: Path, inside: str) -> str:
        """What the program calls `folder`, which the sandbox shows as `inside`."""
        return str(folder) if self.isolation is Isolation.NONE else inside


def _wait_for_empty_namespace(info: bytes) -> None:
    """Bubblewrap's outer process ends with the program; the kernel then kills what was left behind."""
    if not info:  # it ended before there was a namespace
        return
    try:
        init = os.pidfd_open(json.loads(info)["child-pid"])
    except ProcessLookupError:
        return
    with selectors.DefaultSelector() as selector:
        selector.register(init, selectors.EVENT_READ)
        ended = selector.select(_STOP_S)
    os.close(init)
    if not ended:
        raise SandboxError(f"processes of a sandboxed program are still there after {_STOP_S:.0f} s")


@dataclass
class _Watch:
    """Reads a started process's output and polls what its tree uses, until it ends or must be stopped."""

    process: "subprocess.Popen[bytes]"
    limits: Limits
    isolation: Isolation
    started: float = field(default_factory=time.monotonic)
    peak_bytes: int = 0
    cpu_s: float = 0.0
    exit_descriptor: int = -1

    def until_the_end(self) -> Run:
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        streams = {self.process.stdout.fileno(): bytearray(), self.process.stderr.fileno(): bytearray()}
        self.exit_descriptor = os.pidfd_open(self.process.pid)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self.exit_descriptor, selectors.EVENT_READ)
                for descriptor in streams:
                    os.set_blocking(descriptor, False)
                    selector.register(descriptor, selectors.EVENT_READ)
                stopped = self._watch(selector, streams)
            code = self._stop() if stopped else self._reap()
            for descriptor, buffer in streams.items():
                self._read(descriptor, buffer)
            if sum(map(len, streams.values())) > self.limits.output_bytes:
                stopped = stopped or Outcome.OUTPUT_LIMIT
        finally:
            os.close(self.exit_descriptor)
            self.process.stdout.close()
            self.process.stderr.close()
        out, err = (buffer.decode(errors="replace") for buffer in streams.values())
        return self._named(stopped, code, out, err)

    def _watch(self, selector: selectors.BaseSelector, streams: dict[int, bytearray]) -> Outcome | None:
        next_poll = self.started + _POLL_S
        while True:
            for key, _ in selector.select(max(0.0, next_poll - time.monotonic())):
                if key.fd == self.exit_descriptor:
                    return None
                if not self._read(key.fd, streams[key.fd]):
                    selector.unregister(key.fd)
                if sum(map(len, streams.values())) > self.limits.output_bytes:
                    return Outcome.OUTPUT_LIMIT
            if time.monotonic() >= next_poll:
                if (broken := self._broken_limit()) is not None:
                    return broken
                next_poll = time.monotonic() + _POLL_S

    def _read(self, descriptor: int, buffer: bytearray) -> bool:
        """Take what is there, at most a little more than the limit; False at the end of the stream."""
        while len(buffer) <= self.limits.output_bytes:
            try:
                data = os.read(descriptor, 65536)
            except BlockingIOError:
                return True
            if not data:
                return False
            buffer += data
        return True

    def _broken_limit(self) -> Outcome | None:
        now = usage(self.process.pid)
        self.cpu_s = max(self.cpu_s, now.cpu_s)
        resident = now.resident_bytes
        if resident > self.limits.memory_bytes and len(now.processes) > 3:
            # forked processes share pages, which a sum of resident sizes counts several times
            resident = min(resident, proportional_bytes(now.processes) or resident)
        self.peak_bytes = max(self.peak_bytes, resident)
        if now.tasks > self.limits.processes + _OWN_TASKS:  # asked first: many processes need much memory too
            return Outcome.PROCESS_LIMIT
        if resident > self.limits.memory_bytes:
            return Outcome.MEMORY_LIMIT
        if now.cpu_s > self.limits.cpu_s:
            return Outcome.CPU_LIMIT
        if time.monotonic() - self.started > self.limits.wall_s:
            return Outcome.TIMEOUT
        if (
            self.isolation is not Isolation.NONE
            and self._scratch_files(now.processes[-1]) > self.limits.files
        ):
            return Outcome.FILE_LIMIT
        return None

    def _scratch_files(self, pid: int) -> int:
        """Empty files take no room in the scratch folder, but memory in the kernel."""
        try:
            scratch = os.statvfs(f"/proc/{pid}/root{SCRATCH}")
        except OSError:  # the process has just ended, or is not inside yet
            return 0
        is_ours = scratch.f_blocks * scratch.f_frsize <= self.limits.scratch_bytes + 65536
        return scratch.f_files - scratch.f_ffree if is_ours else 0

    def _stop(self) -> int:
        """Kill the tree, from the inside out: the outer process waits for the namespace to be empty."""
        deadline = time.monotonic() + _STOP_S
        while time.monotonic() < deadline:
            outer, *inner = descendants(self.process.pid)
            for pid in inner or [outer]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            with selectors.DefaultSelector() as selector:
                selector.register(self.exit_descriptor, selectors.EVENT_READ)
                if selector.select(0.02):
                    return self._reap()
        raise SandboxError(f"process {self.process.pid} did not end within {_STOP_S:.0f} s of being killed")

    def _reap(self) -> int:
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_s = max(self.cpu_s, used.ru_utime + used.ru_stime)
        return self.process.returncode

    def _named(self, stopped: Outcome | None, code: int, out: str, err: str) -> Run:
        wall_s = time.monotonic() - self.started
        number = -code if code < 0 else code - 128 if 128 < code <= 128 + signal.NSIG else 0
        name = signal.Signals(number).name if number in set(signal.Signals) else None
        outcome = stopped
        if outcome is None:
            if code == 0:
                outcome = Outcome.OK
            elif name == "SIGXCPU" or (name == "SIGKILL" and self.cpu_s >= self.limits.cpu_s):
                outcome = Outcome.CPU_LIMIT
            elif name == "SIGXFSZ":
                outcome = Outcome.FILE_LIMIT
            else:
                outcome = next((limit for limit, words in _WORDS if words.search(err)), None)
        if outcome is None:
            outcome = Outcome.CRASHED if name else Outcome.WRONG_EXIT
        crashed = outcome is Outcome.CRASHED
        exit_code = code if outcome in (Outcome.OK, Outcome.WRONG_EXIT) else None
        return Run(
            outcome, exit_code, name if crashed else None, out, err, wall_s, self.cpu_s, self.peak_bytes
        )
