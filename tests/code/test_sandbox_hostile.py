"""Every file in `hostile/` tries to break out or to break the machine; its first line says what must happen.

`# expect: OUTCOME… [; prevented]` or, when the compiler is the victim, `// expect: compile: OUTCOME…`.
"""

import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from apps.code.sandbox import MIB, Isolation, Limits, Sandbox, why_unusable
from apps.code.toolchains import toolchain

HOSTILE = Path(__file__).with_name("hostile")
PROGRAMS = sorted(path for path in HOSTILE.iterdir() if path.suffix in {".py", ".cpp", ".java"})
LANGUAGES = {".py": "python", ".cpp": "cpp", ".java": "java"}
COMPILERS = {"cpp": "g++", "java": "javac"}
LIMITS = Limits(
    cpu_s=1, wall_s=2, memory_bytes=192 * MIB, processes=40, scratch_bytes=32 * MIB, output_bytes=100_000
)
COMPILE_LIMITS = replace(LIMITS, cpu_s=3, wall_s=6, memory_bytes=400 * MIB, file_bytes=16 * MIB)


@dataclass(frozen=True)
class Host:
    """Things of the host that a program must not reach."""

    secret: Path
    port: int
    listener: socket.socket


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    secret = tmp_path_factory.mktemp("home") / "secret.txt"
    secret.write_text("the host's secret")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        os.environ["HOST_ONLY"] = "1"
        yield Host(secret, listener.getsockname()[1], listener)
        del os.environ["HOST_ONLY"]


def processes_marked(mark: str) -> list[str]:
    found = []
    for environment in [process / "environ" for process in Path("/proc").glob("[0-9]*")]:
        try:
            if mark.encode() in environment.read_bytes():
                found.append(environment.parent.joinpath("cmdline").read_text())
        except OSError:
            continue
    return found


def outcome_of(path: Path, sandbox: Sandbox, host: Host) -> None:
    language = LANGUAGES[path.suffix]
    if language in COMPILERS and shutil.which(COMPILERS[language]) is None:
        pytest.skip(f"no {COMPILERS[language]} here")
    source = path.read_text()
    expected, _, extra = source.splitlines()[0].partition("expect: ")[2].partition(";")
    mark = f"mark-{uuid.uuid4()}"
    environment = {
        "HOST_SECRET": str(host.secret),
        "HOST_PORT": str(host.port),
        "HOST_PID": str(os.getpid()),
        "MARK": mark,
    }
    during_compilation = expected.startswith("compile: ")
    limits = COMPILE_LIMITS if language != "python" else LIMITS
    run_limits = LIMITS
    if "timeout" not in expected:  # on a busy machine, wall time must not be what ends the program
        limits, run_limits = replace(limits, wall_s=30), replace(LIMITS, wall_s=20)
    with toolchain(language, sandbox).build(source, limits=limits, environment=environment) as program:
        if during_compilation:
            run = program.compilation
            assert run is not None
        else:
            assert program.compiled, program.compilation
            run = program.run(limits=run_limits, environment=environment)
    assert run.outcome in expected.removeprefix("compile: ").split(), run
    assert run.wall_s < max(limits.wall_s, run_limits.wall_s) + 3
    assert len(run.stdout) + len(run.stderr) <= 2 * (limits.output_bytes + 65536)
    assert "ESCAPED" not in run.stdout, run
    if "prevented" in extra:
        assert "prevented" in run.stdout, run
    assert processes_marked(mark) == []
    assert "the host's secret" not in run.stdout + run.stderr
    with pytest.raises(BlockingIOError):
        host.listener.accept()


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_a_hostile_program_is_held_and_named(path: Path, host: Host, sandbox: Sandbox) -> None:
    outcome_of(path, sandbox, host)


@pytest.mark.parametrize(
    "path", [path for path in PROGRAMS if path.suffix == ".py"], ids=lambda path: path.name
)
def test_a_hostile_program_is_held_without_bubblewrap_too(path: Path, host: Host) -> None:
    refusal = why_unusable(Isolation.NAMESPACES)
    if refusal is not None:
        pytest.skip(f"no user namespaces here: {refusal}")
    outcome_of(path, Sandbox(Isolation.NAMESPACES), host)


def test_six_hostile_programs_at_once_are_each_held_and_named(host: Host, sandbox: Sandbox) -> None:
    names = ["memory_bomb.py", "memory_spread_over_children.py", "fork_bomb.py", "fills_socket_buffers.py"]
    paths = [HOSTILE / name for name in [*names, *names[:2]]]
    with ThreadPoolExecutor(len(paths)) as pool:
        list(pool.map(lambda path: outcome_of(path, sandbox, host), paths))
