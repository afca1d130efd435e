"""Watches one run: reads its output, polls what it uses, stops it, and names what happened.

What ended a run is told by exit codes, signals, the kernel's counts and the sandbox's own pipe; never by what the
program wrote.
"""

import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass, field

from apps.code.sandbox.channel import signed_lines
from apps.code.sandbox.isolation import SCRATCH, STARTED, Isolation
from apps.code.sandbox.limits import Limits, Outcome, Run, SandboxError
from apps.code.sandbox.pipes import Pipe
from apps.code.sandbox.process_tree import descendants, proportional_bytes, usage

STOP_S = 10.0
_POLL_S = 0.01
_OWN_TASKS = 2  # the outer process of the sandbox and its pid 1
_TREE_FILES = 4
# The kernel refuses by a failing call inside the program. Its runtime says which error ended it, by type (runtimes/).
_REFUSED = {"m": Outcome.MEMORY_LIMIT, "p": Outcome.PROCESS_LIMIT, "f": Outcome.FILE_LIMIT}


@dataclass
class Watch:
    """Reads a started process's output and polls what its tree uses, until it ends or must be stopped."""

    process: "subprocess.Popen[bytes]"
    limits: Limits
    isolation: Isolation
    status: Pipe
    report: Pipe | None = None
    secret: bytes = b""
    started: float = field(default_factory=time.monotonic)
    peak_bytes: int = 0
    cpu_s: float = 0.0
    exit_descriptor: int = -1

    def until_the_end(self) -> Run:
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        streams = {self.process.stdout.fileno(): bytearray(), self.process.stderr.fileno(): bytearray()}
        if self.report is not None:
            self.report.close_inlet()
            streams[self.report.outlet] = bytearray()
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
        self.status.close_inlet()
        return self._named(stopped, code, *map(bytes, streams.values()))

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
        if (
            now.open_files > _TREE_FILES * self.limits.open_files
        ):  # what waits in sockets and pipes is not counted
            return Outcome.FILE_LIMIT
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
        deadline = time.monotonic() + STOP_S
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
        raise SandboxError(f"process {self.process.pid} did not end within {STOP_S:.0f} s of being killed")

    def _reap(self) -> int:
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_s = max(self.cpu_s, used.ru_utime + used.ru_stime)
        return self.process.returncode

    def _named(self, stopped: Outcome | None, code: int, out: bytes, err: bytes, report: bytes = b"") -> Run:
        """Raises SandboxError when the program was never begun."""
        wall_s = time.monotonic() - self.started
        said = self.status.read_all().decode(errors="replace")
        number = -code if code < 0 else code - 128 if 128 < code <= 128 + signal.NSIG else 0
        name = signal.Signals(number).name if number in set(signal.Signals) else None
        if stopped is None and not said.startswith(STARTED):
            raise SandboxError(err.decode(errors="replace").strip() or f"the sandbox ended with exit {code}")
        if stopped is not None:
            outcome = stopped
        elif code == 0:
            outcome = Outcome.OK
        elif name == "SIGXCPU" or (name == "SIGKILL" and self.cpu_s >= self.limits.cpu_s):
            outcome = Outcome.CPU_LIMIT
        elif name == "SIGXFSZ":
            outcome = Outcome.FILE_LIMIT
        else:
            refused = next((_REFUSED[letter] for letter in said[1:] if letter in _REFUSED), None)
            outcome = refused or (Outcome.CRASHED if name else Outcome.WRONG_EXIT)
        told, ended = signed_lines(report, self.secret)
        return Run(
            outcome,
            exit_code=code if outcome in (Outcome.OK, Outcome.WRONG_EXIT) else None,
            signal=name if outcome is Outcome.CRASHED else None,
            stdout=out.decode(errors="replace"),
            stderr=err.decode(errors="replace"),
            wall_s=wall_s,
            cpu_s=self.cpu_s,
            peak_bytes=self.peak_bytes,
            told=told,
            ended=ended,
        )
