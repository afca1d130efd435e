"""Models as people publish them: computed as transformers computes them, or refused by name."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from core_model.checkpoint import load_checkpoint
from core_model.decoder import TorchDecoder
from core_model.errors import CheckpointError
from tests.core_model.published import (
    ROPES,
    TRAINED,
    change_json,
    random_model,
    write_folder,
    write_gguf,
)
from tests.core_model.test_decoder import full_logits

TOKENS = torch.randint(0, 256, (60,), generator=torch.Generator().manual_seed(5)).tolist()


FORMATS: dict[str, Callable[[Any, Path], Path]] = {
    "float32": write_folder,
    "GGUF": lambda model, path: write_gguf(model, path.with_suffix(".gguf")),
    "sharded": lambda model, path: write_folder(model, path, shard="40KB"),
    "bfloat16": lambda model, path: write_folder(model, path, torch.bfloat16),
    "split GGUF": lambda model, path: write_gguf(model, path.with_suffix(".gguf"), part_tensors=9),
}
SHAPES = {
    family: list(itertools.product([True, False], biases, [2, 4]))  # tied head, biases, key/value heads of 4
    for family, biases in (("llama", ["", "attention", "attention mlp"]), ("qwen2", ["of its own"]))
}


@pytest.mark.parametrize("rope", ROPES)
@pytest.mark.parametrize("family", SHAPES)
def test_logits_equal_those_of_transformers(family: str, rope: str, tmp_path: Path) -> None:
    """Every family, rope and shape together; each of them meets every format in turn."""
    tokens = TOKENS[:TRAINED] if rope == "longrope" else TOKENS
    for number, shape in enumerate(SHAPES[family]):
        model = random_model(family, rope, *shape)
        with torch.no_grad():
            expected = model(torch.tensor([tokens])).logits[0]
        form = list(FORMATS)[(number + list(ROPES).index(rope)) % len(FORMATS)]
        if form.endswith("GGUF") and rope == "longrope":  # llama.cpp's converter has no way to write it
            form = "float32"
        path = FORMATS[form](model, tmp_path / str(number))
        actual = full_logits(TorchDecoder(load_checkpoint(path)), tokens)
        assert float((actual - expected).norm() / expected.norm()) < 1e-4, (form, shape)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "activation": ({"hidden_act": "gelu"}, "hidden_act 'gelu'"),
    "unknown rope": ({"rope_parameters": {"rope_type": "spiral"}}, "rope scaling 'spiral'"),
    "rope without its numbers": (
        {"rope_parameters": {"rope_type": "llama3"}},
        "llama3.*low_freq|llama3.*factor",
    ),
    "part of a head": ({"partial_rotary_factor": 0.5}, "partial_rotary_factor"),
    "ropes by layer": ({"rope_parameters": {"full_attention": {"rope_theta": 1e4}}}, "each kind of layer"),
    "GPTQ": ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "quantised with gptq"),
    "AWQ": ({"quantization_config": {"quant_method": "awq"}}, "quantised with awq"),
    "bitsandbytes": (
        {"quantization_config": {"quant_method": "bitsandbytes"}},
        "quantised with bitsandbytes",
    ),
    "sliding window": (
        {"use_sliding_window": True, "sliding_window": 16, "max_window_layers": 0, "layer_types": None},
        "sliding.attention.*16",
    ),
    "layer types": ({"layer_types": ["full_attention", "linear_attention"]}, "linear_attention"),
    "a bias without its setting": ({"attention_bias": False}, r"_proj\.bias"),
    "biases that the file lacks": ({"mlp_bias": True}, r"has no tensor .*gate_proj\.bias"),
    "another size": ({"intermediate_size": 96}, r"gate_proj\.weight is \[80, 48\]"),
    "more layers": ({"num_hidden_layers": 3}, r"no tensor model\.layers\.2"),
    "another family": ({"model_type": "gemma"}, "gemma"),
    "no layers": ({"num_hidden_layers": None}, "num_hidden_layers"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama with biases in its attention."""
    return write_folder(random_model("llama", bias="attention"), tmp_path_factory.mktemp("folder"))


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


@pytest.mark.parametrize("case", REFUSED)
def test_other_arithmetic_is_refused_by_name(case: str, copied: Path) -> None:
    changes, message = REFUSED[case]
    change_json(copied / "config.json", **changes)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(copied)


def test_a_window_that_no_text_outgrows_is_no_sliding_window(copied: Path) -> None:
    change_json(copied / "config.json", use_sliding_window=True, sliding_window=64, max_window_layers=0)
    assert load_checkpoint(copied).config.context == 64


def test_a_dynamic_or_long_rope_is_served_up_to_the_length_it_was_trained_for(copied: Path) -> None:
    change_json(copied / "config.json", rope_parameters={"rope_type": "longrope", **ROPES["longrope"]})
    assert load_checkpoint(copied).config.context == TRAINED


def test_tensors_that_are_packed_integers_are_refused_with_their_name(copied: Path) -> None:
    file = copied / "model.safetensors"
    name = "model.layers.0.mlp.up_proj.weight"
    save_file(load_file(file) | {name: torch.zeros(80, 48, dtype=torch.int8)}, file)
    with pytest.raises(CheckpointError, match=f"{name} is stored as I8.*GGUF"):
        load_checkpoint(copied)


def test_an_unknown_step_of_the_arithmetic_is_refused_with_its_name(copied: Path) -> None:
    file = copied / "model.safetensors"
    weights = load_file(file)
    save_file(weights | {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(8)}, file)
    load_checkpoint(copied)  # old files have these; they are computed anew
    save_file(weights | {"model.layers.0.self_attn.q_norm.weight": torch.ones(16)}, file)
    with pytest.raises(CheckpointError, match="q_norm"):
        load_checkpoint(copied)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    folder = write_folder(random_model("llama"), tmp_path / "sharded", shard="40KB")
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    shard = index["weight_map"]["lm_head.weight"]
    (folder / shard).unlink()
    with pytest.raises(CheckpointError, match=f"{shard}.* is missing"):
        load_checkpoint(folder)


def test_a_head_is_tied_only_where_the_configuration_says_so(copied: Path) -> None:
    file = copied / "model.safetensors"
    weights = load_file(file)
    del weights["lm_head.weight"]
    save_file(weights, file)
    with pytest.raises(CheckpointError, match=r"no tensor lm_head\.weight"):
        load_checkpoint(copied)
    change_json(copied / "config.json", tie_word_embeddings=True)
    assert load_checkpoint(copied).config.tied_head


def test_a_folder_without_safetensors_says_what_is_looked_for(copied: Path) -> None:
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"neither model\.safetensors nor model\.safetensors\.index"):
        load_checkpoint(copied)


REFUSED_FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "rope of another kind": ({"llama.rope.scaling.type": "longrope"}, "rope scaling 'longrope'"),
    "rope with unknown numbers": (
        {"llama.rope.scaling.type": "yarn", "llama.rope.scaling.yarn_log_multiplier": 0.1},
        "yarn_log_multiplier",
    ),
    "sliding window": ({"llama.attention.sliding_window": 16}, "attention.sliding_window = 16"),
    "experts": ({"llama.expert_count": 8}, "expert_count = 8"),
    "part of a head": ({"llama.rope.dimension_count": 8}, "rope.dimension_count = 8"),
    "scaled logits": ({"llama.logit_scale": 0.5}, "logit_scale = 0.5"),
    "tokenizer": ({"tokenizer.ggml.model": "rwkv"}, "tokenizer 'rwkv'"),
    "pre-tokenizer": ({"tokenizer.ggml.pre": "martian"}, "pre-tokenizer 'martian'.*known: qwen2"),
    "merges": ({"tokenizer.ggml.merges": ["a €"]}, "'€', which is no token"),
}


@pytest.mark.parametrize("case", REFUSED_FIELDS)
def test_header_fields_that_change_the_arithmetic_are_refused_by_name(case: str, tmp_path: Path) -> None:
    fields, message = REFUSED_FIELDS[case]
    path = write_gguf(random_model("llama"), tmp_path / "tiny.gguf", fields=fields)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path)


def test_the_parts_of_a_split_file_are_named_where_one_is_missing_or_renamed(tmp_path: Path) -> None:
    first = write_gguf(random_model("llama"), tmp_path / "tiny.gguf", part_tensors=9)
    parts = sorted(tmp_path.glob("*.gguf"))
    assert len(parts) > 1
    config = load_checkpoint(first).config
    assert load_checkpoint(parts[1]).config == config  # any part stands for the whole
    shutil.copy(first, tmp_path / "renamed.gguf")
    with pytest.raises(CheckpointError, match=r"one of \d+ parts"):
        load_checkpoint(tmp_path / "renamed.gguf")
    parts[1].unlink()
    with pytest.raises(CheckpointError, match=f"{parts[1].name} is missing"):
        load_checkpoint(first)


def test_a_retired_tensor_type_is_named(tmp_path: Path) -> None:
    path = write_gguf(random_model("llama"), tmp_path / "tiny.gguf")
    content = bytearray(path.read_bytes())
    name = b"blk.0.ffn_up.weight"
    place = content.index(name) + len(name)
    kind = place + 4 + 2 * 8  # behind the number of dimensions and both of them
    content[kind : kind + 4] = (31).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="Q4_0_4_4, which is not read any more"):
        load_checkpoint(path)
