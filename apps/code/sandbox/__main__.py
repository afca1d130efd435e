"""`python -m apps.code.sandbox`: which walls work on this machine, and what they cost a Python program."""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from apps.code.sandbox import WORK, Isolation, Sandbox, why_unusable

_RUNS = 41


def main() -> None:
    interpreter, prefix = str(Path(sys.executable).resolve()), Path(sys.base_prefix).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "program.py").write_text("pass")
        for isolation in (Isolation.BUBBLEWRAP, Isolation.NAMESPACES):
            refusal = why_unusable(isolation)
            if refusal is not None:
                sys.stdout.write(f"{isolation.value}: not usable here: {refusal}\n")
                continue
            sandbox, bare, inside = Sandbox(isolation), [], []
            for _ in range(_RUNS):  # in turns, so that other load on the machine meets both alike
                started = time.perf_counter()
                command = [interpreter, "-I", "-S", "-B", f"{folder}/program.py"]
                os.waitpid(os.posix_spawn(interpreter, command, {}), 0)
                bare.append(time.perf_counter() - started)
                started = time.perf_counter()
                command[-1] = f"{WORK}/program.py"
                sandbox.run(command, work=folder, read_only=(prefix,))
                inside.append(time.perf_counter() - started)
            alone_ms, inside_ms = statistics.median(bare) * 1e3, statistics.median(inside) * 1e3
            sys.stdout.write(
                f"{isolation.value}: {inside_ms:.1f} ms a run, {alone_ms:.1f} ms without, "
                f"overhead {inside_ms - alone_ms:.1f} ms (medians of {_RUNS})\n"
            )


if __name__ == "__main__":
    main()
