"""One file of known size and sha256, fetched from the first of several places that has it.

Nothing unverified ever lies under the target's name: a place writes to a `.partial` file beside it, which
is renamed once size and sha256 are right. An interrupted download goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from core_model.errors import CoreError
from core_model.places import CHUNK_BYTES, FULL_DISK, Place, PlaceError, Progress, WrongFileError, journal_of


class DownloadError(CoreError):
    """No place had the file."""


class DiskFullError(CoreError):
    """The disk cannot hold the file."""


def silent(_activity: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Fingerprint:
    """What decides whether a file is the right one, wherever it came from."""

    size_bytes: int
    sha256: str

    def mismatch(self, path: Path, progress: Progress = silent) -> str | None:
        """What is wrong with the file at `path`; None where it is the right one. Raises OSError."""
        size = path.stat().st_size
        if size != self.size_bytes:
            return f"{size:,} bytes instead of {self.size_bytes:,}"
        digest = hashlib.sha256()
        done = 0
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                done += len(chunk)
                progress("checking", done, size)
        if digest.hexdigest() != self.sha256:
            return f"sha256 {digest.hexdigest()} instead of {self.sha256}"
        return None


def download(wanted: Fingerprint, target: Path, places: Sequence[Place], progress: Progress = silent) -> None:
    """Put the wanted file at `target`, from the first place that has it.

    A second caller for the same target waits for the first and then finds the file.
    Raises DownloadError (which names every place tried) and DiskFullError.
    """
    with _only_one(target, wanted, progress):
        if target.is_file() and wanted.mismatch(target, progress) is None:
            return
        _require_space(wanted, target)
        tried = []
        for place in places:
            try:
                _fetch_verified(place, wanted, target, progress)
            except PlaceError as error:
                tried.append(f"{place}: {error}")
            except OSError as error:
                if error.errno in FULL_DISK:
                    raise DiskFullError(
                        f"no room for {target} ({wanted.size_bytes:,} bytes): {os.strerror(error.errno)}; "
                        "free some space or set DUET_HOME to a larger disk; what was downloaded is kept"
                    ) from error
                tried.append(f"{place}: {error}")
            else:
                return
    raise DownloadError(f"cannot get {target.name}; tried " + "; ".join(tried or ["no place at all"]))


@contextmanager
def _only_one(target: Path, wanted: Fingerprint, progress: Progress) -> Iterator[None]:
    """Hold the lock on `target`; the lock of a process that died is free."""
    lock = FileLock(target.with_name(target.name + ".lock"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            progress("waiting for another download of the same file", 0, wanted.size_bytes)
            lock.acquire()
    except OSError as error:
        raise DownloadError(f"cannot write to {target.parent}: {error.strerror}; set DUET_HOME") from error
    try:
        yield
    finally:
        lock.release()


def _fetch_verified(place: Place, wanted: Fingerprint, target: Path, progress: Progress) -> None:
    partial = target.with_name(f"{target.name}.{place.kind}.partial")
    resumed = partial.exists()
    try:
        _fetch(place, wanted, partial, progress)
    except WrongFileError:
        # What an earlier attempt left behind may be the broken part.
        if not resumed:
            raise
        _fetch(place, wanted, partial, progress)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(target)
    for leftover in target.parent.glob(f"{target.name}.*.partial"):
        _discard(leftover)
    journal_of(partial).unlink(missing_ok=True)


def _fetch(place: Place, wanted: Fingerprint, partial: Path, progress: Progress) -> None:
    try:
        place.fetch(wanted.size_bytes, partial, progress)
        mismatch = wanted.mismatch(partial, progress)
        if mismatch:
            raise WrongFileError(f"what it has is not the right file: {mismatch}")
    except WrongFileError:
        _discard(partial)
        raise
    finally:
        if partial.exists() and partial.stat().st_size == 0:
            _discard(partial)


def _discard(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    journal_of(partial).unlink(missing_ok=True)


def _require_space(wanted: Fingerprint, target: Path) -> None:
    kept = max((path.stat().st_size for path in target.parent.glob(f"{target.name}.*.partial")), default=0)
    free = shutil.disk_usage(target.parent).free
    if free < wanted.size_bytes - kept:
        raise DiskFullError(
            f"{target.parent} has {free:,} bytes free, and {target.name} needs {wanted.size_bytes - kept:,}; "
            "free some space or set DUET_HOME to a larger disk"
        )
