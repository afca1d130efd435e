from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core_model.checkpoint import Checkpoint
from core_model.errors import AdapterError
from core_model.lora import load_adapter

KEY = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.weight"
PAIR = {KEY.format("A"): torch.ones(2, 576), KEY.format("B"): torch.ones(576, 2)}


def write(folder: Path, tensors: dict[str, torch.Tensor], **settings: object) -> Path:
    folder.mkdir(exist_ok=True)
    config = {"peft_type": "LORA", "r": 2, "lora_alpha": 8, **settings}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "adapter_model.safetensors")
    return folder


def test_the_scale_is_part_of_b(tmp_path: Path, edge_checkpoint: Checkpoint) -> None:
    adapter = load_adapter(write(tmp_path / "a", PAIR), edge_checkpoint.config)
    assert adapter.name == "a"
    assert adapter.weights[0, "q_proj"][1].unique().item() == 4
    assert adapter.parameters == 2 * 2 * 576


@pytest.mark.parametrize(
    ("tensors", "settings", "message"),
    [
        ({KEY.format("A"): torch.ones(2, 896), KEY.format("B"): torch.ones(896, 2)}, {}, "another base"),
        ({KEY.format("A"): torch.ones(2, 576)}, {}, "only lora_A"),
        ({KEY.format("A"): torch.full((2, 576), torch.nan), KEY.format("B"): torch.ones(576, 2)}, {}, "NaN"),
        ({"base_model.model.lm_head.lora_A.weight": torch.ones(2, 576)}, {}, "lm_head"),
        ({"base_model.model.score.weight": torch.ones(3, 576)}, {}, "no LoRA weights"),
        (PAIR, {"peft_type": "IA3"}, "IA3"),
        (PAIR, {"use_dora": True}, "use_dora"),
        (PAIR, {"lora_alpha": "much"}, "lora_alpha or alpha_pattern"),
        (PAIR, {"lora_alpha": [8]}, "lora_alpha or alpha_pattern"),
        (PAIR, {"lora_alpha": float("inf")}, "no finite number"),
        (PAIR, {"alpha_pattern": {"(": 8}}, "lora_alpha or alpha_pattern"),
        (PAIR, {"alpha_pattern": ["q_proj"]}, "lora_alpha or alpha_pattern"),
        (PAIR, {"alpha_pattern": {"q_proj": None}}, "lora_alpha or alpha_pattern"),
        ({KEY.format("A"): torch.ones(0, 576), KEY.format("B"): torch.ones(576, 0)}, {}, "another base"),
        ({KEY.format("A"): torch.ones(576), KEY.format("B"): torch.ones(576)}, {}, "another base"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(
    tmp_path: Path,
    edge_checkpoint: Checkpoint,
    tensors: dict[str, torch.Tensor],
    settings: dict[str, object],
    message: str,
) -> None:
    with pytest.raises(AdapterError, match=message):
        load_adapter(write(tmp_path / "a", tensors, **settings), edge_checkpoint.config)


def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path: Path, edge_checkpoint: Checkpoint) -> None:
    os.mkfifo(tmp_path / "adapter_config.json")
    with pytest.raises(AdapterError, match="is no file"):
        load_adapter(tmp_path, edge_checkpoint.config)


@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors"])
def test_no_file_of_elsewhere_is_read(tmp_path: Path, edge_checkpoint: Checkpoint, name: str) -> None:
    folder = write(tmp_path / "a", PAIR)
    (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    with pytest.raises(AdapterError, match="link out of its folder"):
        load_adapter(folder, edge_checkpoint.config)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(AdapterError, match="is no file"):
        load_adapter(folder, edge_checkpoint.config)


def test_an_adapters_folder_may_be_a_link_and_have_links_of_its_own(
    tmp_path: Path, edge_checkpoint: Checkpoint
) -> None:
    folder = write(tmp_path / "a", PAIR)
    (folder / "adapter_model.safetensors").rename(folder / "weights")
    (folder / "adapter_model.safetensors").symlink_to("weights")
    (tmp_path / "b").symlink_to(folder)
    assert load_adapter(tmp_path / "b", edge_checkpoint.config).name == "b"


def test_a_pickle_is_not_loaded(tmp_path: Path, edge_checkpoint: Checkpoint) -> None:
    folder = write(tmp_path / "a", PAIR)
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(AdapterError, match=r"adapter_model\.bin is a pickle.*save it as safetensors"):
        load_adapter(folder, edge_checkpoint.config)


def test_broken_files_are_named(tmp_path: Path, edge_checkpoint: Checkpoint) -> None:
    with pytest.raises(AdapterError, match=r"adapter_config\.json cannot be read"):
        load_adapter(tmp_path, edge_checkpoint.config)
    folder = write(tmp_path / "b", PAIR)
    (folder / "adapter_model.safetensors").write_bytes(b"\x00" * 40)
    with pytest.raises(AdapterError, match=r"adapter_model\.safetensors"):
        load_adapter(folder, edge_checkpoint.config)
