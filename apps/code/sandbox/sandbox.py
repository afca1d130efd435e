"""One run: start the program behind the walls, have it watched, and collect what it leaves."""

import json
import os
import selectors
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from apps.code.sandbox.budget import BUDGET
from apps.code.sandbox.channel import new_secret
from apps.code.sandbox.isolation import SCRATCH, Isolation, Walls, best_isolation, enclose, readable
from apps.code.sandbox.limits import Limits, Run, SandboxError
from apps.code.sandbox.pipes import Pipe
from apps.code.sandbox.system_calls import forbidden_calls
from apps.code.sandbox.watch import STOP_S, Watch

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": SCRATCH, "TMPDIR": SCRATCH, "LANG": "C.UTF-8"}
STATUS = "DUET_STATUS"
CHANNEL = "DUET_CHANNEL"


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
        signed: bool = False,
        descriptors: Sequence[int] = (),
        reserved: bool = False,
    ) -> Run:
        """Run `command` with `work` as /sandbox (read-only), `output` as /output (writable), /tmp as scratch.

        Without isolation these folders are not mapped: the command must then name real paths
        (`path_inside` gives the right one for either). A `signed` run has a channel beside stdout: the environment's
        DUET_CHANNEL names two descriptors, one that a secret can be read from, once, and one whose lines, where they
        begin with the secret, become what the run `told`. `descriptors` are passed on as well,
        under their numbers, and closed here in any case.
        Waits until the run fits into the memory budget of this process, unless the caller has `reserved` it.
        Raises SandboxError when the walls cannot be put up.
        """
        with ExitStack() as stack:
            passed_on = stack.enter_context(ExitStack())  # the program alone has them as soon as it runs
            for descriptor in descriptors:
                passed_on.callback(os.close, descriptor)
            if not reserved:
                stack.enter_context(BUDGET.of(limits.memory_bytes + limits.scratch_bytes))
            source = stack.enter_context(readable(stdin))
            calls = stack.enter_context(readable(forbidden_calls()))
            info = stack.enter_context(tempfile.TemporaryFile())
            status = stack.enter_context(Pipe())
            walls = Walls(work, calls.fileno(), info.fileno(), status.inlet, output, tuple(read_only))
            passed = [walls.calls, walls.info, walls.status, *descriptors]
            variables = {**_ENVIRONMENT, STATUS: str(status.inlet), **(environment or {})}
            report, secret = None, new_secret()
            if signed:
                given, report = stack.enter_context(Pipe(secret)), stack.enter_context(Pipe())
                passed += [given.outlet, report.inlet]
                variables[CHANNEL] = f"{given.outlet}:{report.inlet}"
            process = subprocess.Popen(
                enclose(self.isolation, command, walls, limits),
                pass_fds=passed,
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=variables,
                cwd=work if self.isolation is Isolation.NONE else "/",
                start_new_session=True,
            )
            passed_on.close()
            run = Watch(process, limits, self.isolation, status, report, secret).until_the_end()
            if self.isolation is Isolation.BUBBLEWRAP:
                info.seek(0)
                _wait_for_empty_namespace(info.read())
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
        ended = selector.select(STOP_S)
    os.close(init)
    if not ended:
        raise SandboxError(f"processes of a sandboxed program are still there after {STOP_S:.0f} s")
