"""From source text to a program that runs in the sandbox: Python, Java and C++.

`toolchain(language, sandbox).build(source)` compiles once; the program can then be run on many inputs.
"""

import atexit
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from apps.code.java_units import java_unit
from apps.code.programs import Program, folder_with, output_folder, remove
from apps.code.runtimes import text_of
from apps.code.sandbox import MIB, OUTPUT, WORK, Limits, Outcome, Run, Sandbox, SandboxError

GIB = 1024 * MIB
_JAVA_ENTRY = "duet_entry.Entry"
_CPP_OPTIONS = ("-std=c++17", "-O1", "-w")
_NEWER_CPP = "-std=c++20"
_STANDARD_HEADER = "#include <bits/stdc++.h>"
# CPU time decides: on a busy machine an honest compilation was seen to take minutes.
_COMPILE_LIMITS = Limits(cpu_s=30, wall_s=240, memory_bytes=GIB, file_bytes=64 * MIB, output_bytes=256 * 1024)


class ToolchainMissingError(Exception):
    """The machine has no compiler or runtime for a language; the message says what to install."""


class PythonToolchain:
    """The interpreter that runs Duet itself, without its installed packages."""

    language = "python"

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._prefix = Path(sys.base_prefix).resolve()
        self._interpreter = Path(sys.executable).resolve()

    def build(
        self,
        source: str,
        limits: Limits = Limits(),
        environment: Mapping[str, str] | None = None,
        entry: str | None = None,
        beside: Mapping[str, str] | None = None,
    ) -> Program:
        """With an `entry` the program is that text, which finds the source in `code.py` beside it, as it does what
        else is put there."""
        files = {"launch.py": text_of("launch.py"), "program.py": source}
        if entry is not None:
            files |= {"program.py": entry, "code.py": source, **(beside or {})}
        folder = folder_with(files)
        inside = self.sandbox.path_inside(folder, WORK)
        command = (str(self._interpreter), "-I", "-S", "-B", f"{inside}/launch.py", f"{inside}/program.py")
        return Program(folder, command, None, self.sandbox, (self._prefix,), None, entry is not None)


class JavaToolchain:
    """The JDK whose `javac` is on the PATH. Runs the class that has `main`."""

    language = "java"
    _JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto")
    # What a JVM reserves beside its heap: code cache, class space, thread stacks
    _RESERVED_BYTES = 3 * GIB

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        javac = shutil.which("javac")
        if javac is None:
            raise ToolchainMissingError(
                "Java programs need a JDK, 17 or newer, and `javac` is not on the PATH: "
                "apt install openjdk-17-jdk-headless"
            )
        self._home = Path(javac).resolve().parents[1]
        # Debian keeps a JDK's settings in /etc and links to them
        settings = (
            self._home / "lib" / "security" / "default.policy",
            self._home / "conf" / "net.properties",
        )
        self._read_only = tuple({self._home, *(path.resolve().parent for path in settings if path.exists())})

    def build(
        self,
        source: str,
        limits: Limits = _COMPILE_LIMITS,
        environment: Mapping[str, str] | None = None,
        entry: str | None = None,
    ) -> Program:
        """With an `entry`, the class of that name is begun by ours, which tells the end (runtimes/Entry.java)."""
        unit = java_unit(source)
        files = {f"{unit.file_name}.java": source}
        if entry is not None:
            files["Entry.java"] = text_of("Entry.java")
        folder = folder_with(files)
        classes = output_folder(folder)
        compile_command = [
            str(self._home / "bin" / "javac"),
            *(f"-J{option}" for option in (*self._JVM, "-Xmx384m")),
            *("-encoding", "UTF-8", "-proc:none", "-nowarn", "-Xlint:none", "-Xmaxerrs", "20"),
            *("-d", self.sandbox.path_inside(classes, OUTPUT)),
            *(f"{self.sandbox.path_inside(folder, WORK)}/{name}" for name in files),
        ]
        compilation = self.sandbox.run(
            compile_command,
            work=folder,
            output=classes,
            environment=environment,
            read_only=self._read_only,
            limits=replace(limits, address_space_bytes=self._RESERVED_BYTES + limits.memory_bytes),
        )
        command = (
            str(self._home / "bin" / "java"),
            *(*self._JVM, "-Xmx256m", "-Xss16m", "-XX:ReservedCodeCacheSize=64m", "-ea"),
            *("-cp", f"{self.sandbox.path_inside(folder, WORK)}/{classes.name}"),
            *((unit.main_class,) if entry is None else (_JAVA_ENTRY, entry)),
        )
        remove(folder, files)
        return Program(
            folder,
            command,
            compilation,
            self.sandbox,
            self._read_only,
            self._RESERVED_BYTES,
            entry is not None,
        )

    def check(self, source: str) -> Run:
        """Compile only."""
        with self.build(source) as program:
            assert program.compilation is not None
            return program.compilation


class CppToolchain:
    """The `g++` on the PATH, C++17."""

    language = "cpp"

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        compiler = shutil.which("g++")
        if compiler is None:
            raise ToolchainMissingError("C++ programs need g++, which is not on the PATH: apt install g++")
        self._compiler = Path(compiler).resolve()

    def build(
        self,
        source: str,
        limits: Limits = _COMPILE_LIMITS,
        environment: Mapping[str, str] | None = None,
        entry: str | None = None,
    ) -> Program:
        """With an `entry`, the extern "C" function of that name is called by our main, which tells the end
        (runtimes/entry.cpp)."""
        folder = folder_with({"program.cpp": source})
        output = output_folder(folder)
        objects = _runtime_objects(self._compiler, self.sandbox)
        linked = [objects / "refused.o"]
        if entry is not None:
            linked.append(objects / "entry.o")
        headers = _precompiled_headers(self._compiler, self.sandbox) if _STANDARD_HEADER in source else None
        compile_command = [
            str(self._compiler),
            *(*_CPP_OPTIONS, "-fmax-errors=20", "-pipe"),
            *(["-I", str(headers)] if headers else []),
            *([f"-Wl,--defsym=duet_entry={entry}"] if entry else []),
            *("-o", f"{self.sandbox.path_inside(output, OUTPUT)}/program"),
            f"{self.sandbox.path_inside(folder, WORK)}/program.cpp",
            *map(str, linked),
            *(["-lcrypto"] if "#include <openssl/" in source.replace("#include<", "#include <") else []),
        ]
        compilation = self.sandbox.run(
            compile_command,
            work=folder,
            output=output,
            read_only=(objects, headers) if headers else (objects,),
            environment=environment,
            limits=limits,
        )
        command = (f"{self.sandbox.path_inside(folder, WORK)}/{output.name}/program",)
        remove(folder, ["program.cpp"])
        return Program(folder, command, compilation, self.sandbox, (), None, entry is not None)

    def check(self, source: str) -> Run:
        """Compile only, also what is no whole program: `-fsyntax-only`. What is no C++17 may be C++20."""
        folder = folder_with({"program.cpp": source})
        path = f"{self.sandbox.path_inside(folder, WORK)}/program.cpp"

        def asked(*standard: str) -> Run:
            options = (*_CPP_OPTIONS, *standard, "-fmax-errors=20", "-fsyntax-only")
            command = [str(self._compiler), *options, path]
            return self.sandbox.run(command, work=folder, limits=_COMPILE_LIMITS)

        try:
            run = asked()
            if run.outcome is Outcome.WRONG_EXIT:
                newer = asked(_NEWER_CPP)
                return newer if newer.ok else run
            return run
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@cache
def _precompiled_headers(compiler: Path, sandbox: Sandbox) -> Path | None:
    """A folder with bits/stdc++.h compiled once, for as long as this process lives.

    None where the compiler does not make it; programs then compile as they would anyway.
    """
    folder = folder_with({"all.h": _STANDARD_HEADER})
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    output = folder / "bits"
    output.mkdir()
    command = [
        *(str(compiler), *_CPP_OPTIONS, "-x", "c++-header"),
        *("-o", f"{sandbox.path_inside(output, OUTPUT)}/stdc++.h.gch"),
        f"{sandbox.path_inside(folder, WORK)}/all.h",
    ]
    limits = replace(_COMPILE_LIMITS, file_bytes=512 * MIB)
    return folder if sandbox.run(command, work=folder, output=output, limits=limits).ok else None


@cache
def _runtime_objects(compiler: Path, sandbox: Sandbox) -> Path:
    """A folder with what is linked to programs, compiled once. Raises SandboxError where that fails."""
    names = ("refused", "entry")
    folder = folder_with({f"{name}.cpp": text_of(f"{name}.cpp") for name in names})
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    output = output_folder(folder)
    for name in names:
        command = [
            str(compiler),
            *_CPP_OPTIONS,
            "-c",
            "-o",
            f"{sandbox.path_inside(output, OUTPUT)}/{name}.o",
        ]
        source = f"{sandbox.path_inside(folder, WORK)}/{name}.cpp"
        run = sandbox.run([*command, source], work=folder, output=output, limits=_COMPILE_LIMITS)
        if not run.ok:
            raise SandboxError(
                f"{compiler} does not compile what is linked to programs: {run.stderr.strip()}"
            )
    return output


Toolchain = PythonToolchain | JavaToolchain | CppToolchain
_TOOLCHAINS: dict[str, type[PythonToolchain] | type[JavaToolchain] | type[CppToolchain]] = {
    kind.language: kind for kind in (PythonToolchain, JavaToolchain, CppToolchain)
}


def toolchain(language: str, sandbox: Sandbox) -> Toolchain:
    """Raises ToolchainMissingError when the machine cannot build or run `language` (python, java or cpp)."""
    return _TOOLCHAINS[language](sandbox)
