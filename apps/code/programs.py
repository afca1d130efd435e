"""A built program in a temporary folder, ready to be run in the sandbox."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from apps.code.sandbox import OUTPUT, Limits, Run, Sandbox


@dataclass(frozen=True)
class Program:
    """A built program in a temporary folder of its own, removed by `close` (or leaving a `with`).

    `compilation` is the compiler's run, None for Python. When it failed, the program cannot be run.
    """

    folder: Path
    command: tuple[str, ...]
    compilation: Run | None
    sandbox: Sandbox
    read_only: tuple[Path, ...]
    address_space_bytes: int | None
    signed: bool = False  # its end must be seen

    @property
    def compiled(self) -> bool:
        return self.compilation is None or self.compilation.ok

    def run(
        self,
        stdin: str = "",
        limits: Limits = Limits(),
        environment: Mapping[str, str] | None = None,
        descriptors: Sequence[int] = (),
        reserved: bool = False,
        arguments: Sequence[str] = (),
        folder: Path | None = None,
    ) -> Run:
        """`arguments` are those of its command line. It runs in `folder`, which it can write to, or in an empty one."""
        command = [*self.command, *arguments]
        if folder is not None:
            inside = self.sandbox.path_inside(folder, OUTPUT)
            command = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', inside, *command]
        if self.address_space_bytes is not None:
            limits = replace(limits, address_space_bytes=self.address_space_bytes + limits.memory_bytes)
        return self.sandbox.run(
            command,
            work=self.folder,
            output=folder,
            read_only=self.read_only,
            stdin=stdin.encode(errors="surrogatepass"),
            environment=environment,
            limits=limits,
            signed=self.signed,
            descriptors=descriptors,
            reserved=reserved,
        )

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def folder_with(files: Mapping[str, str]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="duet-program-"))
    folder.chmod(0o755)  # run as root, the sandbox gives the program another user id
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", errors="replace")
    return folder


def remove(folder: Path, names: Iterable[str]) -> None:
    """Sources, once compiled: they may hold what the program must not read, such as its tests."""
    for name in names:
        (folder / name).unlink()


def output_folder(folder: Path) -> Path:
    output = folder / "built"
    output.mkdir()
    return output
