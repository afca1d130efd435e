"""Packing a model's weights: once, in bounded memory, in a process that gives its memory back."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from core_model.checkpoint import load_checkpoint
from core_model.kernels.build import KernelsUnavailableError
from core_model.kernels.pack import pack_apart
from core_model.kernels.packing import pack_file, packed_path, packed_weights


def test_parts_are_written_as_they_are_made(random_model: Path, tmp_path: Path) -> None:
    sizes: list[int] = []
    checkpoint = load_checkpoint(random_model)
    path = packed_path(checkpoint, "int8", tmp_path)

    def look(done: int, total: int) -> None:
        assert total == checkpoint.config.layers + 2
        sizes.append(sum(file.stat().st_size for file in tmp_path.iterdir()))

    pack_file(checkpoint, "int8", path, look)
    assert len(sizes) == checkpoint.config.layers + 2
    assert all(later > earlier for earlier, later in itertools.pairwise(sizes))
    assert [*tmp_path.iterdir()] == [path]


def test_the_packed_file_is_one_that_safetensors_reads(random_model: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(random_model)
    mapped = packed_weights(checkpoint, "int8", tmp_path)
    (path,) = tmp_path.iterdir()
    read = load_file(path)
    assert read.keys() == mapped.keys()
    assert all(torch.equal(read[name], mapped[name]) for name in read)
    assert all(tensor.data_ptr() % 64 == 0 for name, tensor in mapped.items() if "padding" not in name)


def test_another_process_packs_and_says_how_far_it_is(random_model: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    checkpoint = load_checkpoint(random_model)
    for _ in range(2):  # the second time there is nothing to do
        pack_apart(
            random_model, checkpoint, "int8", tmp_path, lambda done, total: steps.append((done, total))
        )
    parts = checkpoint.config.layers + 2
    assert steps == [(done, parts) for done in range(1, parts + 1)]
    assert packed_path(checkpoint, "int8", tmp_path / "packed").is_file()


def test_where_the_file_cannot_be_kept_the_error_names_the_folder(random_model: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(random_model)
    (tmp_path / "packed").write_text("in the way")
    with pytest.raises(KernelsUnavailableError, match=f"{tmp_path}/packed"):
        pack_apart(random_model, checkpoint, "int8", tmp_path)
