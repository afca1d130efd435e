"""Model files → a configuration, a tokenizer's description and named float32 tensors.

Both formats answer under Hugging Face's tensor names (`model.layers.0.self_attn.q_proj.weight`, …).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

from torch import Tensor

from core_model.config import ModelConfig
from core_model.errors import CheckpointError
from core_model.tokenizer_spec import TokenizerSpec


class Checkpoint(Protocol):
    """A model on disk, read lazily: the header at once, each tensor when asked for."""

    config: ModelConfig
    tokenizer: TokenizerSpec
    fingerprint: str  # changes with the files; the key of what is derived from them

    def tensor(self, name: str) -> Tensor:
        """The tensor of that Hugging Face name, dequantised to float32. Raises CheckpointError if absent."""

    def has(self, name: str) -> bool:
        """Whether the files hold that tensor."""


def load_checkpoint(path: Path, cache: Path | None = None) -> Checkpoint:
    """Open a GGUF file or a safetensors folder of the Llama or Qwen2 family.

    `cache` is a folder where a GGUF's parsed header is kept (parsing the vocabulary takes seconds).
    Raises CheckpointError naming what is wrong.
    """
    from core_model.gguf_checkpoint import GGUFCheckpoint
    from core_model.safetensors_checkpoint import SafetensorsCheckpoint

    if path.is_dir():
        return SafetensorsCheckpoint(path)
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist; give a GGUF file or a folder with config.json")
    return GGUFCheckpoint(path, cache)


def fingerprint(files: list[Path]) -> str:
    """A short key of the files' names, sizes, times and ends: 24 hexadecimal digits.

    Whether the bytes are the published ones is the catalogue's business (sha256); this only tells files
    apart, in milliseconds.
    """
    digest = hashlib.sha256()
    for file in files:
        stat = file.stat()
        digest.update(f"{file.name}:{stat.st_size}:{stat.st_mtime_ns}".encode())
        with file.open("rb") as stream:
            digest.update(stream.read(1 << 16))
            stream.seek(max(0, stat.st_size - (1 << 16)))
            digest.update(stream.read(1 << 16))
    return digest.hexdigest()[:24]
