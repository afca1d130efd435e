"""The files of a GGUF model, which may be split (llama-gguf-split), opened."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from core_model.errors import CheckpointError

_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$")
_RETIRED = {
    4: "Q4_2",
    5: "Q4_3",
    31: "Q4_0_4_4",
    32: "Q4_0_4_8",
    33: "Q4_0_8_8",
    36: "IQ4_NL_4_4",
    37: "IQ4_NL_4_8",
    38: "IQ4_NL_8_8",
}
"""Tensor types that ggml.h once had under these numbers."""


def parts_of(path: Path) -> list[Path]:
    """All parts of the model that `path` belongs to, in order: of most models the one file.

    Raises CheckpointError naming parts that are missing, or a file that is no GGUF.
    """
    match = _PART.match(path.name)
    parts = [path]
    if match:
        count = int(match["count"])
        parts = [
            path.with_name(f"{match['stem']}-{number:05}-of-{count:05}.gguf")
            for number in range(1, count + 1)
        ]
    missing = [part.name for part in parts if not part.is_file()]
    if missing:
        raise CheckpointError(
            f"{path} is part of a split model, and {', '.join(missing)} is missing beside it; download it too"
        )
    for part in parts:
        with part.open("rb") as stream:
            if stream.read(4) != b"GGUF":
                raise CheckpointError(f"{part} is not a GGUF file (its first four bytes are not 'GGUF')")
    return parts


def open_parts(parts: list[Path]) -> list[Any]:
    """A `gguf.GGUFReader` for each part. Raises CheckpointError."""
    readers = [_open(part) for part in parts]
    field = readers[0].fields.get("split.count")
    count = field.contents() if field else 0
    if count > 1 and count != len(parts):
        raise CheckpointError(
            f"{parts[0]} is one of {count} parts of a split model; give them the names they were published under, "
            "…-00001-of-00002.gguf and so on, in one folder"
        )
    return readers


def _open(part: Path) -> Any:
    from gguf import GGUFReader

    try:
        return GGUFReader(part)
    except (ValueError, IndexError, KeyError, OSError) as error:
        unknown = re.search(r"(\d+)\)? is not a valid GGMLQuantizationType", str(error))
        if unknown:
            number = int(unknown[1])
            retired = _RETIRED.get(number)
            kind = f"{retired}, which is not read any more" if retired else f"an unknown type ({number})"
            raise CheckpointError(
                f"{part} holds tensors stored in {kind}; download the model in another type, for example Q4_0 or Q4_K_M"
            ) from error
        raise CheckpointError(f"{part} cannot be read as GGUF: {error}; download it again") from error
