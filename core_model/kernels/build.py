"""Compiles the kernels once per machine and version; afterwards the file is there."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

from core_model.errors import CoreError

SOURCES = Path(__file__).parent
FLAGS = ["-std=c++20", "-O3", "-march=native", "-ffp-contract=off", "-fPIC", "-shared", "-pthread"]
"""Without contraction, so that a formula rounds the same wherever the compiler has put it."""
BACKENDS = {"portable": 1, "avx2": 2, "avx512-vnni": 3}
TIMEOUT_S = 300


class KernelsUnavailableError(CoreError):
    """The kernels cannot be built or do not support the model; the plain torch decoder can serve it."""


def build(folder: Path, backend: str | None = None) -> Path:
    """The shared library for this machine, compiled into `folder` unless it is there already.

    Without `backend` the best one of the machine. Two processes may build at once: each writes its own file,
    and moving it into place is atomic. Raises KernelsUnavailableError.
    """
    flags = FLAGS + ([f"-DDUET_BACKEND={BACKENDS[backend]}"] if backend else [])
    library = folder / f"{_fingerprint(flags)}.so"
    if library.is_file():
        return library
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        raise KernelsUnavailableError(
            "no C++ compiler found; install one for full speed (Debian: apt install g++)"
        )
    folder.mkdir(parents=True, exist_ok=True)
    partial = library.with_suffix(f".{os.getpid()}.partial")
    command = [compiler, *flags, str(SOURCES / "transformer.cpp"), "-o", str(partial)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT_S)
        partial.replace(library)
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().splitlines()[-1:] or ["no message"]
        raise KernelsUnavailableError(f"{compiler} cannot compile the kernels: {last[0]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KernelsUnavailableError(f"{compiler} cannot be run for the kernels: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return library


def _fingerprint(flags: list[str]) -> str:
    digest = hashlib.sha256(" ".join(flags).encode())
    digest.update(_processor().encode())
    for source in sorted([*SOURCES.glob("*.h"), *SOURCES.glob("*.cpp")]):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:24]


def _processor() -> str:
    """What -march=native depends on."""
    description = Path("/proc/cpuinfo")
    if not description.is_file():
        return f"{platform.machine()} {platform.processor()}"
    kinds = ("model name", "flags", "Features", "CPU part")
    lines = description.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(sorted({line for line in lines if line.startswith(kinds)}))
