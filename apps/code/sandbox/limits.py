"""What a sandboxed program may use, and how its run ended."""

from dataclasses import dataclass
from enum import StrEnum

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What one run may use. `memory_bytes`, `processes` and CPU time count the whole process tree.

    `open_files` holds for each process, and four times as many for the whole tree. `address_space_bytes` is the
    hard limit of one process's virtual memory; a runtime that reserves far more than it touches (the JVM) needs it
    higher than the default of `memory_bytes` + 4 GiB.
    """

    cpu_s: float = 10.0
    wall_s: float = 30.0
    memory_bytes: int = 512 * MIB
    address_space_bytes: int | None = None
    stack_bytes: int = 32 * MIB
    processes: int = 64
    open_files: int = 128
    files: int = 20_000
    file_bytes: int = 16 * MIB
    scratch_bytes: int = 64 * MIB
    output_bytes: int = MIB


class Outcome(StrEnum):
    OK = "ok"
    WRONG_EXIT = "wrong_exit"
    TIMEOUT = "timeout"
    CPU_LIMIT = "cpu_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    PROCESS_LIMIT = "process_limit"
    FILE_LIMIT = "file_limit"
    CRASHED = "crashed"


@dataclass(frozen=True)
class Run:
    """How a program ended, and what it said. `signal` is set for `CRASHED` only, e.g. "SIGSEGV".

    `cpu_s` and `peak_bytes` (resident) are those of the process tree as last seen, every 10 ms. An exit code
    of 128 + n cannot be told from death by signal n. Of a signed run, `told` is what its entry told and
    `ended` whether it came to its end (channel.py).
    """

    outcome: Outcome
    exit_code: int | None
    signal: str | None
    stdout: str
    stderr: str
    wall_s: float
    cpu_s: float
    peak_bytes: int
    told: tuple[str, ...] = ()
    ended: bool = False

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK

    @property
    def reason(self) -> str:
        """One line for a person: what ended the run, and the last line the program wrote about it."""
        last = next((line.strip() for line in reversed(self.stderr.splitlines()) if line.strip()), "")
        match self.outcome:
            case Outcome.OK:
                return "ok"
            case Outcome.WRONG_EXIT:
                return f"exit {self.exit_code}: {last}" if last else f"exit {self.exit_code}"
            case Outcome.CRASHED:
                return f"{self.signal}: {last}" if last else f"{self.signal}"
            case Outcome.TIMEOUT:
                return f"timeout after {self.wall_s:.1f} s"
            case Outcome.CPU_LIMIT:
                return f"CPU limit after {self.cpu_s:.1f} s"
            case _:
                return self.outcome.value.replace("_", " ")


class SandboxError(Exception):
    """The sandbox itself failed; says nothing about the program."""


class SandboxUnavailableError(SandboxError):
    """This machine offers no isolation that the sandbox could use."""
