"""What the sandbox gives to a program that means well."""

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from apps.code.sandbox import (
    Isolation,
    Limits,
    Outcome,
    Sandbox,
    SandboxError,
    SandboxUnavailableError,
    isolation,
)
from apps.code.sandbox.budget import MemoryBudget
from apps.code.toolchains import ToolchainMissingError, toolchain
from tests.compilers import installed

ADDERS = {
    "python": "print(sum(map(int, input().split())))",
    "java": """
        import java.util.Scanner;
        class Adder { int add(int a, int b) { return a + b; } }
        public class Main {
            public static void main(String[] arguments) {
                Scanner input = new Scanner(System.in);
                System.out.println(new Adder().add(input.nextInt(), input.nextInt()));
            }
        }""",
    "cpp": '#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b << "\\n"; }',
}
BROKEN = {"java": "public class Main { int x = ; }", "cpp": "int main() { return undeclared; }"}


@pytest.mark.parametrize("language", ADDERS)
def test_a_program_is_compiled_once_and_run_on_many_inputs(language: str, sandbox: Sandbox) -> None:
    installed(language, sandbox)
    with toolchain(language, sandbox).build(ADDERS[language]) as program:
        assert program.compiled
        assert [program.run(f"{a} {b}").stdout for a, b in ((1, 2), (30, -7))] == ["3\n", "23\n"]
    assert not program.folder.exists()


@pytest.mark.parametrize("language", BROKEN)
def test_a_program_that_does_not_compile_says_what_the_compiler_said(language: str, sandbox: Sandbox) -> None:
    installed(language, sandbox)
    with toolchain(language, sandbox).build(BROKEN[language]) as program:
        assert not program.compiled
        assert program.compilation is not None
        assert program.compilation.outcome is Outcome.WRONG_EXIT
        assert "error" in program.compilation.stderr


def test_a_missing_compiler_is_said_with_what_to_install(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainMissingError, match="openjdk-17-jdk-headless"):
        toolchain("java", sandbox)
    with pytest.raises(ToolchainMissingError, match=r"apt install g\+\+"):
        toolchain("cpp", sandbox)


def test_without_any_isolation_the_sandbox_refuses_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(isolation, "why_unusable", lambda kind: "not here")
    with pytest.raises(SandboxUnavailableError, match="apt install bubblewrap"):
        Sandbox()


def test_told_so_it_runs_with_limits_only() -> None:
    sandbox = Sandbox(Isolation.NONE)
    with toolchain("python", sandbox).build("while True: pass") as program:
        assert program.run(limits=Limits(cpu_s=0.3)).outcome is Outcome.CPU_LIMIT
    with toolchain("python", sandbox).build(ADDERS["python"]) as program:
        assert program.run("3 4").stdout == "7\n"


def test_a_large_input_is_not_a_deadlock_for_a_program_that_does_not_read_it(sandbox: Sandbox) -> None:
    with toolchain("python", sandbox).build("print('done')") as program:
        assert program.run("x" * 5_000_000).stdout == "done\n"


def test_output_up_to_the_limit_arrives_whole(sandbox: Sandbox) -> None:
    with toolchain("python", sandbox).build("print('x' * 300_000)") as program:
        run = program.run(limits=Limits(output_bytes=300_001))
    assert run.outcome is Outcome.OK
    assert len(run.stdout) == 300_001


def test_the_scratch_folder_is_writable_and_empty_at_each_start(sandbox: Sandbox) -> None:
    source = "import os\nprint(os.listdir('/tmp'))\nopen('/tmp/kept', 'w').write('x')\n"
    with toolchain("python", sandbox).build(source) as program:
        assert [program.run().stdout for _ in range(2)] == ["[]\n", "[]\n"]


def test_installed_packages_of_the_host_are_not_visible(sandbox: Sandbox) -> None:
    with toolchain("python", sandbox).build("import torch") as program:
        assert "No module named 'torch'" in program.run().stderr


def test_runs_at_the_same_time_do_not_count_against_each_other(sandbox: Sandbox) -> None:
    source = (
        "import threading, time\nfor _ in range(20): threading.Thread(target=time.sleep, args=(0.3,)).start()"
    )
    runs = []
    with toolchain("python", sandbox).build(source) as program:
        limits = replace(Limits(), processes=25)
        threads = [threading.Thread(target=lambda: runs.append(program.run(limits=limits))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [run.outcome for run in runs] == [Outcome.OK] * 4


def test_walls_that_cannot_be_put_up_are_the_sandboxes_error_and_words_are_not(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    with pytest.raises(SandboxError):
        sandbox.run(["/bin/true"], work=tmp_path / "missing")
    run = sandbox.run(["sh", "-c", "echo 'bwrap: no' >&2; exit 1"], work=tmp_path)
    assert (run.outcome, run.exit_code) == (Outcome.WRONG_EXIT, 1)


def test_only_a_signed_end_is_the_end(sandbox: Sandbox, tmp_path: Path) -> None:
    read = "given=${DUET_CHANNEL%:*}; report=/proc/self/fd/${DUET_CHANNEL#*:}; secret=$(cat /proc/self/fd/$given); "
    told = {
        'echo "${secret}one" > $report; echo "$secret" > $report': (("one",), True),
        'echo "${secret}one" > $report': (("one",), False),
        'echo "$secret" > $report; echo noise > $report': ((), False),
        "echo noise > $report": ((), False),
        'printf "$secret" > $report': ((), False),
    }
    for script, expected in told.items():
        run = sandbox.run(["sh", "-c", read + script], work=tmp_path, signed=True)
        assert (run.told, run.ended) == expected, script


def test_runs_together_keep_within_the_memory_budget() -> None:
    budget, running, most = MemoryBudget(100), [0], [0]

    def run(share: int) -> None:
        with budget.of(share):
            running[0] += share
            most[0] = max(most[0], running[0])
            time.sleep(0.01)
            running[0] -= share

    threads = [threading.Thread(target=run, args=(share,)) for share in (40, 40, 40, 60, 100, 30) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] <= 100
    with budget.of(10_000):  # larger than all of it: alone
        pass


def test_a_reason_is_one_line_a_person_understands(sandbox: Sandbox) -> None:
    with toolchain("python", sandbox).build("raise ValueError('bad row')") as program:
        assert program.run().reason == "exit 1: ValueError: bad row"


def test_a_run_that_cannot_begin_closes_what_it_was_to_pass_on(tmp_path: Path) -> None:
    outlet, inlet = os.pipe()
    os.close(inlet)
    with pytest.raises(FileNotFoundError):
        Sandbox(Isolation.NONE).run(["true"], work=tmp_path / "nowhere", descriptors=[outlet])
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(outlet)


def test_a_run_leaves_no_file_descriptor_and_no_child(sandbox: Sandbox) -> None:
    with toolchain("python", sandbox).build("pass") as program:
        program.run()
        files, children = (
            len(list(Path("/proc/self/fd").iterdir())),
            psutil.Process().children(recursive=True),
        )
        for _ in range(5):
            program.run()
        assert len(list(Path("/proc/self/fd").iterdir())) == files
        assert psutil.Process().children(recursive=True) == children
