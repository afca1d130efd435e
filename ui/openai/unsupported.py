"""Fields of OpenAI's, vLLM's and llama.cpp's protocols that would change an answer and that nothing here honours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ui.openai.errors import APIError

# Each with the value that says the same as leaving it out; so do nothing, 0, false and what is empty.
OPENAI: Mapping[str, Any] = {
    "functions": None,
    "function_call": None,
    "modalities": ["text"],
    "audio": None,
    "web_search_options": None,
}
VLLM: Mapping[str, Any] = {
    "guided_json": None,
    "guided_regex": None,
    "guided_choice": None,
    "guided_grammar": None,
    "structured_outputs": None,
    "min_tokens": None,
    "ignore_eos": None,
    "stop_token_ids": None,
    "include_stop_str_in_output": None,
    "bad_words": None,
    "allowed_token_ids": None,
    "logits_processors": None,
    "use_beam_search": None,
    "length_penalty": 1.0,
    "prompt_logprobs": None,
    "truncate_prompt_tokens": None,
    "skip_special_tokens": True,
    "add_generation_prompt": True,
    "continue_final_message": None,
    "chat_template": None,
    "chat_template_kwargs": None,
    "documents": None,
}
LLAMA_CPP: Mapping[str, Any] = {
    "grammar": None,
    "json_schema": None,
    "repeat_penalty": 1.0,
    "typical_p": 1.0,
    "mirostat": None,
    "dry_multiplier": None,
    "xtc_probability": None,
    "dynatemp_range": None,
    "top_n_sigma": -1.0,
    "n_probs": None,
    "lora": None,
}
UNSUPPORTED: Mapping[str, Any] = {**OPENAI, **VLLM, **LLAMA_CPP}


def refuse_unsupported(body: Mapping[str, Any], fields: Mapping[str, Any] = UNSUPPORTED) -> None:
    """Raise APIError, which names the field, where a body asks for one of `fields`."""
    for name, neutral in fields.items():
        asked = body.get(name)
        if (asked and asked != neutral) or (asked is False and neutral is True):
            raise APIError(
                400, f"{name} is not supported; leave it out", param=name, code="unsupported_parameter"
            )
