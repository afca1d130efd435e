"""Tiny models with random weights, written as people publish them: safetensors folders and GGUF files."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import gguf
import torch
from tokenizers import AddedToken, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as BPETokenizer
from torch import Tensor

CONTEXT, TRAINED = 64, 24  # positions, and those of them from before a stretching of the rotary positions
HEAD_DIM = 16
ROPES: dict[str, dict[str, Any]] = {
    "default": {},
    "linear": {"factor": 4.0},
    "dynamic": {"factor": 2.0},
    "yarn": {"factor": 4.0, "original_max_position_embeddings": TRAINED},
    "llama3": {
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": TRAINED,
    },
    "longrope": {
        "short_factor": [1 + index / 4 for index in range(HEAD_DIM // 2)],
        "long_factor": [2 + index for index in range(HEAD_DIM // 2)],
        "original_max_position_embeddings": TRAINED,
    },
}
GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def bytes_tokenizer() -> BPETokenizer:
    """Every byte is a token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = BPETokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<|end|>")])
    return tokenizer


def random_model(
    family: str, rope: str = "default", tied: bool = False, bias: str = "", kv_heads: int = 2, **changes: Any
) -> Any:
    """A transformers model of a family, all of whose weights, norms and biases matter."""
    import transformers

    config_class = {"llama": transformers.LlamaConfig, "qwen2": transformers.Qwen2Config}[family]
    model_class = {"llama": transformers.LlamaForCausalLM, "qwen2": transformers.Qwen2ForCausalLM}[family]
    biases = {"attention_bias": "attention" in bias, "mlp_bias": "mlp" in bias} if family == "llama" else {}
    config = config_class(
        vocab_size=288,
        hidden_size=48,
        intermediate_size=80,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=kv_heads,
        head_dim=HEAD_DIM,
        max_position_embeddings=CONTEXT,
        rope_parameters={"rope_type": rope, "rope_theta": 500.0, **ROPES[rope]},
        tie_word_embeddings=tied,
        attn_implementation="eager",
        **biases,
        **changes,
    )
    torch.manual_seed(len(rope) + 2 * tied + kv_heads)
    model = model_class(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("norm.weight"):
                parameter.uniform_(0.5, 1.5)
            else:
                parameter.normal_(std=0.25)
            parameter.copy_(parameter.bfloat16())  # so that every format holds the same numbers
    return model


def write_folder(model: Any, folder: Path, dtype: torch.dtype = torch.float32, shard: str = "1GB") -> Path:
    """As `save_pretrained` leaves it, with a tokenizer."""
    copy.deepcopy(model).to(dtype).save_pretrained(folder, max_shard_size=shard)
    bytes_tokenizer().save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"eos_token": "<|end|>"})
    return folder


def write_gguf(model: Any, path: Path, part_tensors: int = 0, fields: dict[str, Any] | None = None) -> Path:
    """As llama.cpp's convert_hf_to_gguf.py writes it; `fields` replace or add header fields."""
    config, family = model.config, model.config.model_type
    writer = gguf.GGUFWriter(path, family, split_max_tensors=part_tensors)
    header = {
        "context_length": CONTEXT,
        "embedding_length": config.hidden_size,
        "block_count": config.num_hidden_layers,
        "feed_forward_length": config.intermediate_size,
        "attention.head_count": config.num_attention_heads,
        "attention.head_count_kv": config.num_key_value_heads,
        "attention.key_length": HEAD_DIM,
        "attention.value_length": HEAD_DIM,
        "attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        "rope.freq_base": config.rope_parameters["rope_theta"],
        "rope.dimension_count": HEAD_DIM,
        **_rope_fields(config.rope_parameters),
    }
    _write_fields(writer, {f"{family}.{key}": value for key, value in header.items()})
    tokens = [token for token, _ in sorted(bytes_tokenizer().get_vocab().items(), key=lambda entry: entry[1])]
    tokenizer = {
        "model": "gpt2",
        "pre": "gpt-2",
        "tokens": [*tokens, "ab"],
        "token_type": [*[1] * (len(tokens) - 1), 3, 1],
        "merges": ["a b"],
        "eos_token_id": len(tokens) - 1,
    }
    whole = {f"tokenizer.ggml.{key}": value for key, value in tokenizer.items()}
    _write_fields(writer, whole | (fields or {}))
    if config.rope_parameters["rope_type"] == "llama3":
        plain = 500.0 ** -(torch.arange(0, HEAD_DIM, 2) / HEAD_DIM)
        writer.add_tensor("rope_freqs.weight", (plain / model.model.rotary_emb.inv_freq).numpy())
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        own, _, kind = name.rpartition(".")
        layer = ""
        if own.startswith("model.layers."):
            _, _, number, own = own.split(".", 3)
            layer = f"blk.{number}."
        if family == "llama" and own.endswith(("q_proj", "k_proj")):
            tensor = _pairs_side_by_side(tensor)
        writer.add_tensor(f"{layer}{GGUF_NAMES[own]}.{kind}", tensor.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sorted(path.parent.glob(f"{path.stem}*.gguf"))[0]


def _rope_fields(rope: dict[str, Any]) -> dict[str, Any]:
    if rope["rope_type"] not in ("linear", "yarn"):
        return {}
    fields = {"rope.scaling.type": rope["rope_type"], "rope.scaling.factor": rope["factor"]}
    if rope["rope_type"] == "yarn":
        fields["rope.scaling.original_context_length"] = TRAINED
    return fields


def _write_fields(writer: Any, fields: dict[str, Any]) -> None:
    for key, value in fields.items():
        if isinstance(value, bool):
            writer.add_bool(key, value)
        elif isinstance(value, int):
            writer.add_uint32(key, value)
        elif isinstance(value, float):
            writer.add_float32(key, value)
        elif isinstance(value, str):
            writer.add_string(key, value)
        else:
            writer.add_array(key, value)


def _pairs_side_by_side(weight: Tensor) -> Tensor:
    """The order of Llama's query and key channels in GGUF: each rotary pair together."""
    heads = weight.shape[0] // HEAD_DIM
    halves = weight.view(heads, 2, HEAD_DIM // 2, *weight.shape[1:])
    return halves.transpose(1, 2).reshape(weight.shape).contiguous()


def write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content), encoding="utf-8")


def change_json(file: Path, **changes: Any) -> None:
    write_json(file, json.loads(file.read_text(encoding="utf-8")) | changes)
